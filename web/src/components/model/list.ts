// Lists of things that live: a row that changes keeps its place, a row that is deleted leaves, the oldest fall off.

import type { OutboxEvent } from "../../protocol.js";

export interface Item {
  readonly key: string;
  /** The last event about it. */
  readonly event: OutboxEvent;
}

/** The list after the event: new things come first. Past `max`, the oldest that `goes` falls off, else the oldest. */
export function place<Of extends Item>(
  list: readonly Of[],
  event: OutboxEvent,
  key: string,
  max: number,
  make: (former: Of | undefined) => Of,
  goes: (item: Of) => boolean = () => true,
): readonly Of[] {
  if (event.operation === "TRUNCATE") {
    const left = list.filter((item) => item.event.source !== event.source);
    return left.length === list.length ? list : left;
  }
  const at = list.findIndex((item) => item.key === key);
  if (event.operation === "DELETE") return at < 0 ? list : list.toSpliced(at, 1);
  if (at >= 0) return list.with(at, make(list[at]));
  const longer = [make(undefined), ...list];
  if (longer.length <= max) return longer;
  const oldest = longer.findLastIndex(goes);
  return longer.toSpliced(oldest > 0 ? oldest : max, 1);
}

/** A bounded series, newest last. */
export function append<Of>(series: readonly Of[], value: Of | undefined, max: number): readonly Of[] {
  return value === undefined ? series : [...series, value].slice(-max);
}
