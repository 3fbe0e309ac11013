// What is wanted of the stream, and what has been agreed with the server: calls in quick succession become one change,
// the newest counts, and what is refused is as if it had never been wanted.

import type { Interest } from "./connection.js";
import { parseCursor } from "./cursor.js";
import { RowcastError } from "./errors.js";
import type { Beginning, Seen } from "./seen.js";

interface Want {
  readonly interest: Interest;
  readonly since: string | undefined;
  beginning?: Beginning | undefined;
  resolve(): void;
  reject(error: RowcastError): void;
}

/** What has to be told the server of an open stream. */
export interface Change {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly since: string | undefined;
  /** The types that are added are in force. */
  onBegun(): void;
}

export class Wants {
  readonly #seen: Seen;
  /** What the server has accepted; before it has, what the app began with. */
  #agreed: Interest;
  /** Oldest first. */
  #waiting: Want[] = [];
  /** How many of them are part of what is being asked for, the last of which is what is asked for. */
  #asked = 0;

  constructor(interest: Interest, seen: Seen) {
    this.#agreed = interest;
    this.#seen = seen;
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  add(interest: Interest, since?: string): Promise<void> {
    const wrong = faultOf(interest, since);
    if (wrong) return Promise.reject(new RowcastError("refused", wrong));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ interest, since, resolve, reject });
    });
  }

  /** What the next request asks for. */
  next(): Interest {
    const want = this.#choose();
    // Without a cursor there is nothing yet from which to go back.
    if (!want || (want.since !== undefined && this.#seen.cursor === "")) {
      this.#asked = 0;
      return this.#agreed;
    }
    this.#begin(want);
    return want.interest;
  }

  /** What was asked for is in force. */
  accept(): void {
    const accepted = this.#waiting.splice(0, this.#asked);
    this.#agreed = accepted.at(-1)?.interest ?? this.#agreed;
    this.#asked = 0;
    for (const { resolve } of accepted) resolve();
  }

  /** It is refused; false when it was nothing but what had been agreed. */
  refuse(error: RowcastError): boolean {
    const [want] = this.#asked > 0 ? this.#waiting.splice(this.#asked - 1, 1) : [];
    this.#asked = 0;
    want?.beginning?.cancel();
    want?.reject(error);
    return want !== undefined;
  }

  /** What the open stream has to be told for the newest; nothing when it takes another stream. */
  change(): Change | undefined {
    const want = this.#choose();
    const difference = want && differenceOf(this.#agreed, want.interest);
    if (!difference) return undefined;
    this.#begin(want);
    return { ...difference, since: want.since, onBegun: () => want.beginning?.confirm() };
  }

  /** The newest of those that can be asked for as one. One with a beginning of its own stays by itself. */
  #choose(): Want | undefined {
    const own = this.#waiting.findIndex(({ since }) => since !== undefined);
    this.#asked = own < 0 ? this.#waiting.length : Math.max(own, 1);
    return this.#waiting[this.#asked - 1];
  }

  #begin(want: Want): void {
    const since = parseCursor(want.since ?? "");
    const before = this.#agreed.subscriptions;
    if (!since || !before || want.beginning) return;
    const types: readonly string[] = before;
    const after: readonly string[] | undefined = want.interest.subscriptions;
    if (after?.every((type) => types.includes(type))) return;
    const isAdded = (type: string) => !types.includes(type) && (after?.includes(type) ?? true);
    want.beginning = this.#seen.begin(isAdded, since);
  }
}

function faultOf({ subscriptions }: Interest, since: string | undefined): string | undefined {
  if (subscriptions?.length === 0)
    return "`subscriptions` names no type: leave it out for all, or close the connection";
  if (since !== undefined && !parseCursor(since))
    return "`since` is not a cursor: take what `rowcast.current_cursor()` returns";
  return undefined;
}

/** Nothing when an open stream cannot be told. */
function differenceOf(from: Interest, to: Interest): Pick<Change, "added" | "removed"> | undefined {
  if (from.organizationId !== to.organizationId) return undefined;
  const before = from.subscriptions;
  const after = to.subscriptions;
  if (!before || !after) return before === after ? { added: [], removed: [] } : undefined;
  return { added: lackingIn(before, after), removed: lackingIn(after, before) };
}

function lackingIn(types: readonly string[], others: readonly string[]): string[] {
  return [...new Set(others)].filter((type) => !types.includes(type));
}
