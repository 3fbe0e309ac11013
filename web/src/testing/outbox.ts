// A model of the server and of what lies between: an outbox whose transactions commit out of order, streams that are cut,
// repeated and held back, polls, expiry and refusals. What it tells is right by construction, so it is the oracle.

import { contains, formatCursor, parseCursor } from "../cursor.js";
import {
  connectedFrame,
  cursorFrame,
  type Exchange,
  eventFrame,
  eventOf,
  type FakeServer,
  statusFrame,
} from "./server.js";

/**
 * How the way to the server is: `open`; `held`: streams are accepted and nothing of them arrives; `stuffy`: greetings
 * arrive, nothing else does; `down`: nothing is reached; `full`: everything is refused for a while; `stale`: every token
 * is refused.
 */
export type Weather = "open" | "held" | "stuffy" | "down" | "full" | "stale";

interface Listener {
  readonly exchange: Exchange;
  /** How much of the log it has been told. */
  told: number;
}

export class Outbox {
  weather: Weather = "open";
  /** Ids in the order in which they were committed. */
  readonly log: number[] = [];
  /** What need not have come, because a reset told so. */
  readonly excused = new Set<number>();
  readonly #server: FakeServer;
  readonly #received: readonly string[];
  #drawn = 0;
  readonly #open: number[] = [];
  #floor = 0;
  #answered = 0;
  #listeners: Listener[] = [];
  #polls: Exchange[] = [];

  constructor(server: FakeServer, received: readonly string[]) {
    this.#server = server;
    this.#received = received;
  }

  /** A transaction draws an id, and stays open. */
  begin(): void {
    this.#drawn += 1;
    this.#open.push(this.#drawn);
  }

  /** One of those that are open commits. */
  commit(which: number): void {
    if (this.#open.length === 0) this.begin();
    this.log.push(...this.#open.splice(which % this.#open.length, 1));
  }

  commitAll(): void {
    while (this.#open.length > 0) this.commit(0);
  }

  /** What has been committed so far is deleted. */
  expire(): void {
    this.#floor = this.log.length;
  }

  /** Answers what was asked since, and what waits for something to tell. */
  async serve(): Promise<void> {
    while (this.#answered < this.#server.exchanges.length) {
      const exchange = this.#server.exchanges[this.#answered];
      this.#answered += 1;
      if (exchange && !exchange.aborted) await this.#answer(exchange);
    }
    for (const poll of this.#polls.splice(0)) if (!poll.aborted) await this.#poll(poll);
  }

  /** Writes so many events to every stream; with the cursor, unless the write is cut before it. */
  async write(count: number, isCut: boolean): Promise<void> {
    if (this.weather === "held" || this.weather === "stuffy") return;
    for (const listener of this.#live()) {
      const told = Math.min(this.log.length, listener.told + count);
      const ids = this.log.slice(listener.told, told);
      const cursor = isCut ? undefined : this.#cursor(told);
      const frames = ids.map((id, index) =>
        eventFrame(String(id), index === ids.length - 1 ? cursor : undefined),
      );
      listener.told = told;
      await listener.exchange.send(frames.length > 0 ? frames.join("") : cursorFrame(this.#cursor(told)));
    }
  }

  async cut(): Promise<void> {
    for (const { exchange } of this.#live()) await exchange.fail();
    this.#listeners = [];
  }

  #live(): Listener[] {
    this.#listeners = this.#listeners.filter(({ exchange }) => !exchange.aborted);
    return this.#listeners;
  }

  async #answer(exchange: Exchange): Promise<void> {
    if (this.weather === "down") await exchange.fail();
    else if (this.weather === "full") await exchange.answer(503, { headers: { "retry-after": "2" } });
    else if (this.weather === "stale") await exchange.answer(401);
    else if (exchange.url.includes("/events")) this.#polls.push(exchange);
    else if (this.weather === "held") await exchange.stream();
    else await this.#greet(exchange);
  }

  async #greet(exchange: Exchange): Promise<void> {
    const asked = exchange.headers.get("last-event-id") ?? "";
    const { told, isReset } = this.#resume(asked);
    const greeting = connectedFrame(isReset ? asked : this.#cursor(told));
    const reset = statusFrame({ status: "reset", reason: "history_expired" }, this.#cursor(told));
    this.#listeners.push({ exchange, told });
    await exchange.stream(isReset ? greeting + reset : greeting);
  }

  /** Answers if there is something, or if the client does not want to wait. */
  async #poll(exchange: Exchange): Promise<void> {
    const query = new URL(exchange.url, "http://x").searchParams;
    const { told, isReset } = this.#resume(query.get("after") ?? "");
    const ids = isReset ? [] : this.log.slice(told, told + 3);
    if (ids.length === 0 && !isReset && query.get("wait") !== "0") {
      this.#polls.push(exchange);
      return;
    }
    const events = ids.map((id) => eventOf(String(id)));
    const cursor = this.#cursor(told + ids.length);
    await exchange.answer(200, {
      body: JSON.stringify({ events, cursor, ...(isReset && { reset: "history_expired" }) }),
    });
  }

  /** Where a client goes on that has had what this cursor says. */
  #resume(text: string): { told: number; isReset: boolean } {
    const cursor = parseCursor(text);
    if (!cursor) return { told: this.log.length, isReset: false };
    const lacking = this.log.findIndex((id) => !contains(cursor, BigInt(id)));
    const told = lacking < 0 ? this.log.length : lacking;
    if (told >= this.#floor) return { told, isReset: false };
    for (const id of this.log.slice(0, this.#floor)) {
      if (!this.#received.includes(String(id))) this.excused.add(id);
    }
    return { told: this.#floor, isReset: true };
  }

  /** That of somebody who has been told so much of the log. */
  #cursor(told: number): string {
    const had = this.log.slice(0, told);
    const high = Math.max(0, ...had);
    const gaps = Array.from({ length: high }, (_, index) => index + 1)
      .filter((id) => !had.includes(id))
      .map((id) => [BigInt(id), BigInt(id)] as const);
    return formatCursor({ high: BigInt(high), gaps, epoch: 0 });
  }
}
