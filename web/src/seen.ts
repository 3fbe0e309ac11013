// Exactly once in the app, out of at least once on the wire: remembers which events this client has had.
// Never by `id <= last`: a transaction that commits late brings a lower id that nobody has seen yet.

import { type Cursor, contains, parseCursor } from "./cursor.js";

/** Repeats come close together, after a reconnect; the cursor covers everything older. */
const MAX_IDS = 4096;

const ID = /^\d{1,19}$/;

export class Seen {
  #text: string;
  #cursor: Cursor | null;
  readonly #ids = new Set<string>();
  #orphans = false;

  constructor(cursor = "") {
    this.#text = cursor;
    this.#cursor = parseCursor(cursor);
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
  admit(id: string): boolean {
    if (this.#ids.has(id)) return false;
    if (this.#cursor && ID.test(id) && contains(this.#cursor, BigInt(id))) return false;
    this.#ids.add(id);
    if (this.#ids.size > MAX_IDS) {
      for (const oldest of this.#ids) {
        this.#ids.delete(oldest);
        break;
      }
    }
    return true;
  }

  /** The stream has said what is now behind it. */
  advance(text: string): void {
    if (text === this.#text) return;
    const cursor = parseCursor(text);
    // In another life of the database the same ids are other events.
    if (cursor && this.#cursor && cursor.epoch !== this.#cursor.epoch) {
      this.#orphans ||= [...this.#ids].some((id) => !contains(cursor, BigInt(id)));
      this.#ids.clear();
    }
    this.#cursor = cursor;
    this.#text = text;
  }

  /** The stream starts again from here, and earlier ids mean nothing any more. */
  restart(text: string): void {
    this.#ids.clear();
    this.#orphans = false;
    this.#text = text;
    this.#cursor = parseCursor(text);
  }
}
