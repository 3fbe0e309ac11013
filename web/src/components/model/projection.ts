// How a component makes what it shows out of the events of one type.

import type { EventOf, EventType, OutboxEvent } from "../../protocol.js";

/** `apply` is pure, takes whatever an adopter's SQL sends, and gives the same value back when nothing changed. */
export interface Projection<Type extends EventType, Value> {
  readonly type: Type;
  /** Before the first event, and again after a reset. */
  readonly empty: Value;
  apply(value: Value, event: EventOf<Type>): Value;
}

/** Logs stay true when the app clears old rows away: what was written did happen. */
export const clearsAway = ({ operation }: OutboxEvent): boolean =>
  operation === "DELETE" || operation === "TRUNCATE";
