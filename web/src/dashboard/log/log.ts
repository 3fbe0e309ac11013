// The event log: the last events of the stream, what is shown of them, and a pause that loses none.

import { Fold } from "../../fold.js";
import { nextFrame, type Schedule } from "../../frame.js";
import type { OutboxEvent } from "../../protocol.js";

/** How many events are kept while the log runs. */
export const KEPT = 1_000;
/** How many more may wait while it is paused: an hour of a busy day. Beyond that the oldest of them go, and it is said. */
export const MAX_WAITING = 20_000;

export interface Log {
  /** Oldest first. */
  readonly events: readonly OutboxEvent[];
  /** What came since the pause, oldest first; null while the log runs. */
  readonly waiting: readonly OutboxEvent[] | null;
  /** How many came during the pause and are no longer kept. */
  readonly dropped: number;
  /** All that ever came, by type. */
  readonly counts: Readonly<Record<string, number>>;
}

export type LogInput = { readonly event: OutboxEvent } | "pause" | "resume" | "clear";

const empty: Log = { events: [], waiting: null, dropped: 0, counts: {} };

export class LogStore extends Fold<Log, LogInput> {
  constructor(schedule: Schedule = nextFrame) {
    super(empty, step, schedule);
  }
}

function step(was: Log, inputs: readonly LogInput[]): Log {
  let events = [...was.events];
  let waiting = was.waiting ? [...was.waiting] : null;
  let { dropped } = was;
  const counts = { ...was.counts };
  for (const input of inputs) {
    if (input === "clear") {
      events = [];
      waiting &&= [];
      dropped = 0;
    } else if (input === "pause") waiting ??= [];
    else if (input === "resume") {
      events.push(...(waiting ?? []));
      waiting = null;
      dropped = 0;
    } else {
      (waiting ?? events).push(input.event);
      counts[input.event.type] = (counts[input.event.type] ?? 0) + 1;
    }
  }
  const excess = waiting ? Math.max(0, waiting.length - MAX_WAITING) : 0;
  return {
    // While it is paused nothing goes: what is looked at stays.
    events: waiting ? events : events.slice(-Math.max(KEPT, was.waiting?.length ?? 0)),
    waiting: excess > 0 ? (waiting?.slice(excess) ?? null) : waiting,
    dropped: dropped + excess,
    counts,
  };
}

/** All that ever came. */
export function receivedOf({ counts }: Log): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
