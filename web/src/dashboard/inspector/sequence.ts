// The events before and after one, in the order of the log.

import type { OutboxEvent } from "../../protocol.js";

export interface Neighbours {
  readonly newer: OutboxEvent | null;
  readonly older: OutboxEvent | null;
  /** Where it stands, from 1, and among how many; null when the log does not have it. */
  readonly place: readonly [at: number, of: number] | null;
}

/**
 * `shown` is newest first. An event that is not in it, because the log has let it go or filters it, stands where its id
 * says.
 */
export function neighboursOf(event: OutboxEvent, shown: readonly OutboxEvent[]): Neighbours {
  const at = shown.findIndex(({ id }) => id === event.id);
  if (at >= 0) {
    return { newer: shown[at - 1] ?? null, older: shown[at + 1] ?? null, place: [at + 1, shown.length] };
  }
  const older = shown.findIndex(({ id }) => isBefore(id, event.id));
  const end = older < 0 ? shown.length : older;
  return { newer: shown[end - 1] ?? null, older: shown[end] ?? null, place: null };
}

/** Ids are decimal digits, which may pass 2^53. */
function isBefore(id: string, other: string): boolean {
  return id.length === other.length ? id < other : id.length < other.length;
}
