// Lists of things that live: a row that changes keeps its place, a row that is deleted leaves, the oldest fall off.

import type { OutboxEvent } from "../../protocol.js";

export interface Item {
  readonly key: string;
  /** The last event about it. */
  readonly event: OutboxEvent;
}

/** The list after the event: new things come first. */
export function place<Of extends Item>(
  list: readonly Of[],
  event: OutboxEvent,
  key: string,
  max: number,
  make: (former: Of | undefined) => Of,
): readonly Of[] {
  if (event.operation === "TRUNCATE") return list.filter((item) => item.event.source !== event.source);
  const at = list.findIndex((item) => item.key === key);
  if (event.operation === "DELETE") return at < 0 ? list : list.toSpliced(at, 1);
  if (at < 0) return [make(undefined), ...list].slice(0, max);
  return list.with(at, make(list[at]));
}

/** A bounded series, newest last. */
export function append(series: readonly number[], value: number | undefined, max = 60): readonly number[] {
  return value === undefined ? series : [...series, value].slice(-max);
}
