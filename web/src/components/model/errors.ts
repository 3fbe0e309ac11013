// Errors: the same one again is counted, not listed twice.

import type { EventOf } from "../../protocol.js";
import type { Item } from "./list.js";
import { text } from "./read.js";

export interface ErrorItem extends Item {
  readonly component: string;
  readonly severity: string;
  readonly message: string;
  readonly userImpact: string | undefined;
  readonly resolution: string | undefined;
  readonly times: number;
}

const MAX = 30;

/** Errors are a log too: what the app clears away did happen. */
export function foldError(
  list: readonly ErrorItem[],
  event: EventOf<"error_notification">,
): readonly ErrorItem[] {
  if (event.operation === "DELETE" || event.operation === "TRUNCATE") return list;
  const { data } = event;
  const component = text(data.component) ?? "general";
  const message = text(data.message) ?? "no message";
  const key = `${component}\n${message}`;
  const former = list.find((item) => item.key === key);
  const item: ErrorItem = {
    key,
    event,
    component,
    message,
    severity: text(data.severity) ?? "medium",
    userImpact: text(data.userImpact),
    resolution: text(data.resolution),
    times: (former?.times ?? 0) + (event.operation === "UPDATE" ? 0 : 1),
  };
  return [item, ...list.filter((other) => other !== former)].slice(0, MAX);
}
