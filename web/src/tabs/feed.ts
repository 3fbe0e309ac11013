// What one tab hands to its app, out of the facts that it hears: each event that concerns it exactly once, in order.
// A fact that does not begin where the tab is, because the tab joined later, slept, or missed a message, is kept while
// the server is asked for what lies between.

import { backoff, pause } from "../backoff.js";
import type { ConnectionHandlers, Interest } from "../connection.js";
import { covers, parseCursor } from "../cursor.js";
import type { Environment } from "../environment.js";
import { type RowcastError, toRowcastError } from "../errors.js";
import { concerns } from "../interest.js";
import type { OutboxEvent } from "../protocol.js";
import { Seen } from "../seen.js";
import type { Fact } from "./news.js";
import type { AskPage } from "./page.js";

/** Events that are kept while the server is asked. Of more than that only the last fact is; the server has the rest. */
const MAX_KEPT = 2_000;
/** Milliseconds that the waiting for a server begins with which is behind, or away. */
const PATIENCE = 250;

/** Does not throw. */
export interface FeedOutput extends Pick<ConnectionHandlers, "onEvent" | "onReset"> {
  /** It has moved, caught up, begun to catch up, or cannot. */
  onChange(): void;
}

/** Types that begin in the past, and how far they have been read. */
interface Replay {
  readonly interest: Interest;
  readonly seen: Seen;
}

export class Feed {
  interest: Interest;
  /** The life of the stream in which the cursor is known to be good. */
  life: string | undefined;
  /** Why it cannot catch up; it does not try again by itself. */
  error: RowcastError | null = null;
  readonly #output: FeedOutput;
  readonly #ask: AskPage;
  readonly #environment: Environment;
  readonly #seen: Seen;
  #kept: Fact[] = [];
  #replays: Replay[] = [];
  /** How often it was stopped. */
  #stops = 0;
  /** Aborted to stop asking; absent while nothing is asked. */
  #asking: AbortController | undefined;

  constructor(
    start: { cursor: string; interest: Interest },
    output: FeedOutput,
    ask: AskPage,
    environment: Environment,
  ) {
    this.interest = start.interest;
    this.#output = output;
    this.#ask = ask;
    this.#environment = environment;
    this.#seen = new Seen(start.cursor);
  }

  /** Empty until it has heard the first fact: it joins there. */
  get cursor(): string {
    return this.#seen.cursor;
  }

  /** Whether everything that it has heard of has been handed out. */
  get caughtUp(): boolean {
    return !this.#asking && this.#kept.length === 0;
  }

  /** Takes a fact of a stream that covers the interest. */
  take(fact: Fact): void {
    if (this.cursor === "") {
      this.life = fact.life;
      if (fact.from === "") {
        this.#hand(fact.events, fact.to);
        return;
      }
      this.#seen.advance(fact.from);
    }
    this.#kept.push(fact);
    if (!this.#asking) this.#handKept();
    const size = this.#kept.reduce((sum, { events }) => sum + events.length + 1, 0);
    if (size > MAX_KEPT) this.#kept = [fact];
    this.#start();
  }

  /** Reads what is newly wanted from a place in the past up to here. What comes meanwhile waits. */
  replay(interest: Interest, since: string): void {
    if (this.cursor === "") this.#seen.advance(since);
    else this.#replays.push({ interest, seen: new Seen(since) });
    this.#start();
  }

  /** Tries again, at once. */
  retry(): void {
    this.error = null;
    this.#asking?.abort();
    this.#asking = undefined;
    this.#start();
  }

  /** Forgets what it has not handed out: it will hear of it again, or ask. */
  stop(): void {
    this.#stops += 1;
    this.#kept = [];
    this.#asking?.abort();
    this.#asking = undefined;
  }

  #joins(fact: Fact): boolean {
    return fact.life === this.life && reaches(this.cursor, fact.from);
  }

  #handKept(): void {
    for (let [fact] = this.#kept; fact && this.#joins(fact); [fact] = this.#kept) {
      this.#kept.shift();
      this.#hand(fact.events, fact.to);
    }
  }

  #hand(events: readonly OutboxEvent[], to: string): void {
    const stops = this.#stops;
    for (const event of events) {
      if (concerns(this.interest, event)) this.#give(event, this.#seen);
      // The app has closed the connection at this event: those behind it are not had, and not claimed.
      if (this.#stops !== stops) return;
    }
    this.#seen.advance(to);
  }

  #give(event: OutboxEvent, seen: Seen): void {
    if (seen.admit(event.id, event.type)) this.#output.onEvent(event);
  }

  #start(): void {
    if (this.#asking || this.error || (this.#kept.length === 0 && this.#replays.length === 0)) return;
    const asking = new AbortController();
    this.#asking = asking;
    void this.#catchUp(asking.signal);
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    const { random } = this.#environment;
    for (let attempt = 1; ; attempt += 1) {
      let wait = backoff(attempt, PATIENCE, random);
      try {
        const went = await this.#step(signal);
        if (signal.aborted) return;
        if (went === "there") break;
        if (went === "on") attempt = wait = 0;
        // Whoever told that may have been wrong; the next fact is as good.
        else this.#kept.splice(0, this.#kept.length - 1);
      } catch (thrown) {
        if (signal.aborted) return;
        const error = toRowcastError(thrown);
        if (error.final) {
          this.error = error;
          break;
        }
        wait += error.retryAfter ?? 0;
      }
      this.#output.onChange();
      if (wait > 0) await pause(wait, signal, this.#environment);
      if (signal.aborted) return;
    }
    this.#asking = undefined;
    if (!this.error) this.#handKept();
    this.#start();
    this.#output.onChange();
  }

  /** Asks for one page, if anything is lacking. */
  async #step(signal: AbortSignal): Promise<"there" | "on" | "nowhere"> {
    const [replay] = this.#replays;
    const [fact] = this.#kept;
    if (replay) return this.#read(replay, signal);
    if (!fact || this.#joins(fact)) return "there";
    const { cursor } = this;
    const page = await this.#ask(this.interest, cursor, signal);
    if (signal.aborted) return "nowhere";
    const isAnother = epochOf(page.cursor) !== epochOf(cursor);
    // The same ids are other events then.
    if (page.reset || isAnother) this.#seen.restart("");
    if (page.reset) this.#output.onReset(page.reset);
    this.#hand(page.events, page.cursor);
    // It was asked after that life had been heard of, so the server has judged the cursor by it.
    this.life = fact.life;
    return this.cursor === cursor ? "nowhere" : "on";
  }

  async #read({ interest, seen }: Replay, signal: AbortSignal): Promise<"on" | "nowhere"> {
    const after = seen.cursor;
    const page = await this.#ask(interest, after, signal);
    if (signal.aborted) return "nowhere";
    if (page.reset) this.#output.onReset(page.reset);
    else {
      for (const event of page.events) {
        // What lies beyond the cursor will come again.
        this.#seen.admit(event.id, event.type);
        if (concerns(this.interest, event)) this.#give(event, seen);
        if (signal.aborted) return "nowhere";
      }
    }
    seen.advance(page.cursor);
    const isThere = page.reset || reaches(page.cursor, this.cursor);
    if (isThere || epochOf(page.cursor) !== epochOf(this.cursor)) this.#replays.shift();
    else if (page.cursor === after) return "nowhere";
    return "on";
  }
}

/** Whether whoever is at `at` has had all that `place` claims; never told of two lives of the database. */
export function reaches(at: string, place: string): boolean {
  if (at === place) return at !== "";
  const [a, b] = [parseCursor(at), parseCursor(place)];
  return a !== null && b !== null && a.epoch === b.epoch && covers(a, b);
}

export function epochOf(cursor: string): number {
  return parseCursor(cursor)?.epoch ?? 0;
}
