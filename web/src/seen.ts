// Exactly once in the app, out of at least once on the wire: remembers which events this client has had, and from where
// it has to go on. Never by `id <= last`: a transaction that commits late brings a lower id that nobody has seen yet.

import { type Cursor, contains, covers, formatCursor, intersection, parseCursor, union } from "./cursor.js";

/** Repeats come close together, after a reconnect; the cursor covers everything older. */
const MAX_IDS = 4096;
/** A heartbeat may have been under way when the stream was told to go back. The second one was not. */
const BEATS = 2;

const ID = /^\d{1,19}$/;

/** Whether it is what the outbox gives its events for a name, whatever the declaration says. */
export function isId(id: unknown): boolean {
  return typeof id === "string" && ID.test(id);
}

/** Types that were asked for later than the others, from a cursor of their own, until they are where the others are. */
interface Late {
  readonly includes: (type: string) => boolean;
  had: Cursor;
  /** How many heartbeats may still come before the stream has certainly gone back; 0 once it has. */
  beats: number;
}

export interface Beginning {
  /** The server has agreed to go back. */
  confirm(): void;
  /** It will not. */
  cancel(): void;
}

export class Seen {
  /** Where the stream is; it goes back for types that were asked for late. */
  #place: Cursor | null;
  /** What has been had of everything but these. */
  #had: Cursor | null;
  #text: string;
  #late: Late[] = [];
  readonly #ids = new Set<string>();
  #orphans = false;

  constructor(cursor = "") {
    this.#text = cursor;
    this.#had = this.#place = parseCursor(cursor);
  }

  /** Where to go on: nothing that the app has not had is behind it. */
  get cursor(): string {
    if (!this.#had || this.#late.length === 0) return this.#text;
    return formatCursor(this.#late.reduce((cursor, { had }) => intersection(cursor, had), this.#had));
  }

  /**
   * True once after the database has begun another life, if this client had events by then that its cursor did not claim, because the stream broke between
   * the two: nobody can tell it whether they were lost.
   */
  takeOrphans(): boolean {
    const orphans = this.#orphans;
    this.#orphans = false;
    return orphans;
  }

  /** True the first time that an id is shown to it. */
  admit(id: string, type: string): boolean {
    if (this.#ids.has(id)) return false;
    const had = this.#late.findLast(({ includes }) => includes(type))?.had ?? this.#had;
    if (had && ID.test(id) && contains(had, BigInt(id))) return false;
    this.#ids.add(id);
    if (this.#ids.size > MAX_IDS) {
      for (const oldest of this.#ids) {
        this.#ids.delete(oldest);
        break;
      }
    }
    return true;
  }

  /** These types begin at `since`, for which the stream goes back; until then it must not be forgotten. */
  begin(includes: (type: string) => boolean, since: Cursor): Beginning {
    const epoch = this.#had?.epoch ?? since.epoch;
    const late: Late = { includes, had: { ...since, epoch }, beats: Number.POSITIVE_INFINITY };
    this.#late.push(late);
    return {
      confirm: () => {
        late.beats = Math.min(late.beats, BEATS);
      },
      cancel: () => {
        this.#late = this.#late.filter((other) => other !== late);
      },
    };
  }

  /** A stream was opened from `cursor`: it is where it has to be. */
  open(): void {
    for (const late of this.#late) late.beats = 0;
  }

  /** A heartbeat has come. */
  beat(): void {
    for (const late of this.#late) late.beats = Math.max(late.beats - 1, 0);
  }

  /** The stream has said what is now behind it. */
  advance(text: string): void {
    if (text === this.#text && this.#late.length === 0) return;
    const cursor = parseCursor(text);
    if (!cursor || !this.#had || !this.#place || cursor.epoch !== this.#had.epoch) {
      this.#change(cursor, text);
      return;
    }
    if (!covers(cursor, this.#place)) this.open();
    this.#place = cursor;
    this.#had = union(this.#had, cursor);
    // As it came, wherever that says the same.
    this.#text = covers(cursor, this.#had) ? text : formatCursor(this.#had);
    for (const late of this.#late) if (late.beats === 0) late.had = union(late.had, cursor);
    const had = this.#had;
    this.#late = this.#late.filter((late) => late.beats > 0 || !covers(late.had, had));
  }

  /** In another life of the database the same ids are other events. */
  #change(cursor: Cursor | null, text: string): void {
    if (cursor && this.#had) {
      this.#orphans ||= this.#late.length > 0 || [...this.#ids].some((id) => !contains(cursor, BigInt(id)));
      this.#ids.clear();
      this.#late = [];
    }
    this.#had = this.#place = cursor;
    this.#text = text;
  }

  /** The stream starts again from here, and earlier ids mean nothing any more. */
  restart(text: string): void {
    this.#ids.clear();
    this.#late = [];
    this.#orphans = false;
    this.#text = text;
    this.#had = this.#place = parseCursor(text);
  }
}
