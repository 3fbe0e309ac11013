// Alerts: one entry for each metric that is watched, firing ones first.

import type { EventOf } from "../../protocol.js";
import type { Item } from "./list.js";
import { number, text } from "./read.js";

export interface AlertItem extends Item {
  readonly metric: string;
  readonly value: number | undefined;
  readonly threshold: number | undefined;
  readonly firing: boolean;
  readonly message: string;
  readonly chatbotId: string | undefined;
}

const MAX = 30;

export function foldAlert(
  list: readonly AlertItem[],
  event: EventOf<"performance_alert">,
): readonly AlertItem[] {
  if (event.operation === "DELETE" || event.operation === "TRUNCATE") return list;
  const { data } = event;
  const metric = text(data.metric) ?? "metric";
  const chatbotId = text(data.chatbotId) ?? event.chatbotId;
  const key = `${event.organizationId ?? ""}\n${chatbotId ?? ""}\n${metric}`;
  const item: AlertItem = {
    key,
    event,
    metric,
    value: number(data.value),
    threshold: number(data.threshold),
    firing: data.status !== "resolved",
    message: text(data.message) ?? metric,
    chatbotId,
  };
  const all = [item, ...list.filter((other) => other.key !== key)];
  return all.sort((a, b) => Number(b.firing) - Number(a.firing)).slice(0, MAX);
}
