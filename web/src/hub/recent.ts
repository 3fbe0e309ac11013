// The last events of a stream, for whoever joins it late: somebody who has loaded data as of a cursor is owed what came
// after that, and some of it may have been handed out already.

import type { Interest } from "../connection.js";
import { type Cursor, contains, parseCursor } from "../cursor.js";
import { concerns } from "../interest.js";
import type { EventType, OutboxEvent } from "../protocol.js";

/** Reaches back far longer than data takes to load. */
const MAX_EVENTS = 1_000;

/** What one read of the stream brought. */
interface Read {
  /** Where the stream was before it. */
  readonly from: Cursor;
  readonly events: OutboxEvent[];
}

export class Recent {
  #reads: Read[] = [];
  #size = 0;
  #cursor = "";
  #paused = false;
  /** Types that the stream has had only from here on; null: nobody knows where from. */
  readonly #late = new Map<EventType, Cursor | null>();

  add(event: OutboxEvent): void {
    const read = this.#reads.at(-1);
    if (!read) return;
    read.events.push(event);
    this.#size += 1;
    while (this.#size > MAX_EVENTS && this.#reads.length > 1) {
      this.#size -= this.#reads.shift()?.events.length ?? 0;
    }
    // One read that is larger than all that is kept: nobody can be served from within it.
    if (this.#size > MAX_EVENTS) this.forget();
  }

  /** What was added until now is contained in this cursor. Memory begins at the first. */
  advance(text: string): void {
    if (this.#paused || text === this.#cursor) return;
    this.#cursor = text;
    const from = parseCursor(text);
    if (from && this.#reads.at(-1)?.events.length !== 0) this.#reads.push({ from, events: [] });
  }

  /** Forgets, and begins again with the next cursor. */
  forget(): void {
    this.#reads = [];
    this.#size = 0;
    this.#cursor = "";
    this.#late.clear();
  }

  /** The stream is about to be another one: until `resume`, nobody knows what it has and what it lacks. */
  pause(): void {
    this.forget();
    this.#paused = true;
  }

  resume(cursor: string): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.advance(cursor);
  }

  /** From now on the stream has these types too: from `since`, or from nobody knows where. */
  widen(types: readonly EventType[], since: string | undefined): void {
    for (const type of types) this.#late.set(type, since === undefined ? null : parseCursor(since));
  }

  /** What came after `since` of what is asked for; null when it does not reach back that far. */
  after(since: Cursor, interest: Interest): readonly OutboxEvent[] | null {
    const [first] = this.#reads;
    if (!first || !within(first.from, since)) return null;
    for (const [type, from] of this.#late) {
      const asked = interest.subscriptions?.includes(type) ?? true;
      if (asked && !(from && within(from, since))) return null;
    }
    const events = this.#reads.flatMap((read) => read.events);
    return events.filter((event) => concerns(interest, event) && !had(since, event));
  }
}

/** Whether the cursor contains the event. */
export function had(cursor: Cursor, event: OutboxEvent): boolean {
  return contains(cursor, BigInt(event.id));
}

/** Whether all that `inner` contains is contained in `outer`. */
export function within(inner: Cursor, outer: Cursor): boolean {
  if (inner.epoch !== outer.epoch || inner.high > outer.high) return false;
  return outer.gaps.every(
    ([first, last]) => first > inner.high || inner.gaps.some(([start, end]) => start <= first && last <= end),
  );
}

/** A cursor that contains nothing which any of these lacks. */
export function earliest(texts: Iterable<string>): string | undefined {
  let [found, ...others] = new Set(texts);
  for (const text of others) found = found === undefined ? text : earlier(found, text);
  return found;
}

function earlier(one: string, other: string): string {
  const a = parseCursor(one);
  const b = parseCursor(other);
  // The server says what is wrong with it.
  if (!a) return one;
  if (!b) return other;
  if (a.epoch !== b.epoch) return a.epoch < b.epoch ? one : other;
  if (within(a, b)) return one;
  if (within(b, a)) return other;
  const floor = floorOf(a) < floorOf(b) ? floorOf(a) : floorOf(b);
  return a.epoch === 0 ? `${floor}` : `${floor}@${a.epoch}`;
}

function floorOf({ high, gaps }: Cursor): bigint {
  return (gaps[0]?.[0] ?? high + 1n) - 1n;
}
