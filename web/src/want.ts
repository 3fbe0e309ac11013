// What is wanted of the stream, and what has been agreed with the server: calls in quick succession become one change,
// the newest counts, and what is refused is as if it had never been wanted.

import { change, type Line } from "./command.js";
import type { ConnectionState, Interest, WantOptions } from "./connection.js";
import { parseCursor } from "./cursor.js";
import { type RowcastError, toRowcastError } from "./errors.js";
import { faultOf } from "./interest.js";
import type { Beginning, Seen } from "./seen.js";

interface Want {
  readonly interest: Interest;
  readonly since: string | undefined;
  beginning?: Beginning | undefined;
  resolve(): void;
  reject(error: RowcastError): void;
}

/** The connection that it is about. */
interface Host {
  state(): ConnectionState;
  /** The open stream; nothing when there is none that can be told anything. */
  line(): Line | undefined;
  /** Goes on with another stream, or another attempt. */
  skip(): void;
}

export class Wants {
  readonly #seen: Seen;
  readonly #host: Host;
  /** What the server has accepted; before it has, what the app began with. */
  #agreed: Interest;
  /** Oldest first. */
  #waiting: Want[] = [];
  /** How many of them are part of what is being asked for, the last of which is what is asked for. */
  #asked = 0;
  #isChanging = false;

  constructor(interest: Interest, seen: Seen, host: Host) {
    this.#agreed = interest;
    this.#seen = seen;
    this.#host = host;
  }

  add(interest: Interest, { since }: WantOptions = {}): Promise<void> {
    const fault = faultOf(interest, since);
    if (fault) return Promise.reject(fault);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ interest, since, resolve, reject });
      void this.#change();
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

  /** What was asked for is in force: a stream has begun with it. */
  accept(): void {
    this.#settle();
    void this.#change();
  }

  #settle(): void {
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

  /** Has what is wanted come into force, one change after the other. */
  async #change(): Promise<void> {
    if (this.#isChanging) return;
    this.#isChanging = true;
    // Calls of the same moment are one change.
    await null;
    let goesOn = true;
    while (goesOn && this.#waiting.length > 0 && this.#isConnected()) goesOn = await this.#changeStream();
    this.#isChanging = false;
    if (this.#waiting.length === 0) return;
    const { status, error } = this.#host.state();
    // What was refused then may be granted now.
    const isRefused = status === "error" && (error?.kind === "forbidden" || error?.kind === "refused");
    if (isRefused || this.#isConnected()) this.#host.skip();
  }

  #isConnected(): boolean {
    return this.#host.state().status === "connected";
  }

  /** Changes the open stream; false when that takes another one. */
  async #changeStream(): Promise<boolean> {
    const want = this.#choose();
    // An `EventSource` does not hear of types that it was not opened for.
    const line = this.#host.state().transport === "stream" ? this.#host.line() : undefined;
    const difference = want && differenceOf(this.#agreed, want.interest);
    if (!line || !difference) return false;
    this.#begin(want);
    try {
      if (
        !(await change(line, { ...difference, since: want.since, onBegun: () => want.beginning?.confirm() }))
      )
        return false;
      this.#settle();
    } catch (thrown) {
      this.refuse(toRowcastError(thrown));
    }
    return true;
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

/** Nothing when an open stream cannot be told. */
function differenceOf(from: Interest, to: Interest): { added: string[]; removed: string[] } | undefined {
  if (from.organizationId !== to.organizationId) return undefined;
  const before = from.subscriptions;
  const after = to.subscriptions;
  if (!before || !after) return before === after ? { added: [], removed: [] } : undefined;
  return { added: lackingIn(before, after), removed: lackingIn(after, before) };
}

function lackingIn(types: readonly string[], others: readonly string[]): string[] {
  return [...new Set(others)].filter((type) => !types.includes(type));
}
