// The health of each component: what its last check said, and the values before.

import type { EventOf } from "../../protocol.js";
import { append, type Item } from "./list.js";
import { number, text } from "./read.js";

export interface HealthItem extends Item {
  readonly component: string;
  readonly status: string;
  readonly metric: string;
  readonly value: number | undefined;
  readonly threshold: number | undefined;
  readonly message: string | undefined;
  readonly recommendation: string | undefined;
  /** Newest last. */
  readonly history: readonly number[];
}

/** Checks are a log: when the app clears away old ones, the components have not changed. */
export function foldHealth(
  list: readonly HealthItem[],
  event: EventOf<"system_health">,
): readonly HealthItem[] {
  if (event.operation === "DELETE" || event.operation === "TRUNCATE") return list;
  const { data } = event;
  const component = text(data.component) ?? "general";
  const at = list.findIndex((item) => item.key === component);
  const value = number(data.value);
  const item: HealthItem = {
    key: component,
    event,
    component,
    status: text(data.status) ?? "healthy",
    metric: text(data.metric) ?? "",
    value,
    threshold: number(data.threshold),
    message: text(data.message),
    recommendation: text(data.recommendation),
    history: append(list[at]?.history ?? [], value, 40),
  };
  if (at >= 0) return list.with(at, item);
  return [...list, item].sort((a, b) => a.key.localeCompare(b.key));
}
