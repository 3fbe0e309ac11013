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
  readonly #ids = new Set<string>();
  /** Types that it was ever told of. */
  readonly #told = new Set<EventType>();
  #cursor = "";
  #paused = false;
  /** Types that the stream has had only from here on; null: nobody knows where from. */
  readonly #late = new Map<EventType, Cursor | null>();

  /** False if it is remembered: types that are wanted again, from an earlier cursor, may bring it a second time. */
  add(event: OutboxEvent): boolean {
    if (this.#ids.has(event.id)) return false;
    this.#told.add(event.type);
    const read = this.#reads.at(-1);
    if (!read) return true;
    read.events.push(event);
    this.#ids.add(event.id);
    while (this.#ids.size > MAX_EVENTS && this.#reads.length > 1) {
      for (const { id } of this.#reads.shift()?.events ?? []) this.#ids.delete(id);
    }
    // One read that is larger than all that is kept: nobody can be served from within it.
    if (this.#ids.size > MAX_EVENTS) this.forget();
    return true;
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
    this.#ids.clear();
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

  /** Whether it remembers all that it was told of these types after `since`. The stream may not have had them all the time. */
  remembers(since: Cursor, types: readonly EventType[]): boolean {
    return this.#holds(since) || !types.some((type) => this.#told.has(type));
  }

  #holds(since: Cursor): boolean {
    const [first] = this.#reads;
    return first !== undefined && within(first.from, since);
  }

  /** Whether it holds all that came after `since` of what is asked for. */
  reaches(since: Cursor, interest: Interest): boolean {
    if (!this.#holds(since)) return false;
    for (const [type, from] of this.#late) {
      const asked = interest.subscriptions?.includes(type) ?? true;
      if (asked && !(from && within(from, since))) return false;
    }
    return true;
  }

  /** What came after `since` of what is asked for, as far as it reaches back. */
  after(since: Cursor, interest: Interest): readonly OutboxEvent[] {
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
