// A server for tests of the connection: requests are recorded, answers are given by the test, nothing waits.

import { vi } from "vitest";
import type { Environment } from "../environment.js";
// What a connection loads when it needs it: where time stands still nothing would wait for a file.
import "../command.js";
import "../transport/eventsource.js";
import "../transport/fallback.js";
import "../transport/refusal.js";
import "../want.js";

const encoder = new TextEncoder();

export interface Exchange {
  readonly url: string;
  readonly method: string;
  /** The request's, parsed; null without one. */
  readonly body: unknown;
  readonly headers: Headers;
  readonly credentials: RequestCredentials | undefined;
  readonly aborted: boolean;
  /** Answers with a stream, which begins with these bytes. */
  stream(text?: string, init?: ResponseInit): Promise<void>;
  /** More bytes of the stream. */
  send(text: string): Promise<void>;
  end(): Promise<void>;
  /** Any other answer. */
  answer(status: number, init?: { body?: string; headers?: Record<string, string> }): Promise<void>;
  /** The network fails, before or during the stream. */
  fail(): Promise<void>;
}

/** Lets everything run that can run without time passing. */
const settle = () => vi.advanceTimersByTimeAsync(0);

export class FakeServer {
  readonly exchanges: Exchange[] = [];
  readonly faults: unknown[] = [];
  readonly #wakers = new Set<() => void>();
  readonly #sleepers = new Set<() => void>();
  readonly #leavers = new Set<() => void>();
  /** What the browser says of the network. */
  isOnline = true;

  /** Time is vitest's; `random` gives the whole jitter, so that delays are exact. */
  readonly environment: Environment = {
    fetch: (url, init) => this.#fetch(url, init),
    now: () => Date.now(),
    random: () => 1,
    setTimeout: (callback, ms) => setTimeout(callback, ms),
    clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
    streams: () => true,
    onWake: (callback) => listen(this.#wakers, callback),
    onOffline: (callback) => listen(this.#sleepers, callback),
    onHide: (callback) => listen(this.#leavers, callback),
    online: () => this.isOnline,
    reportError: (error) => this.faults.push(error),
  };

  get last(): Exchange {
    const exchange = this.exchanges.at(-1);
    if (!exchange) throw new Error("nothing was requested");
    return exchange;
  }

  async wake(): Promise<void> {
    for (const waker of [...this.#wakers]) waker();
    await settle();
  }

  /** The network goes. */
  async cut(): Promise<void> {
    this.isOnline = false;
    for (const sleeper of [...this.#sleepers]) sleeper();
    await settle();
  }

  /** The page is left. */
  async hide(): Promise<void> {
    for (const leaver of [...this.#leavers]) leaver();
    await settle();
  }

  get listeners(): number {
    return this.#wakers.size + this.#sleepers.size + this.#leavers.size;
  }

  /** The requests with this in their URL, or of this method. */
  asked(what: string): Exchange[] {
    return this.exchanges.filter(({ url, method }) => url.includes(what) || method === what);
  }

  #fetch(url: string, init: RequestInit): Promise<Response> {
    let resolve: (response: Response) => void = () => {};
    let reject: (reason: unknown) => void = () => {};
    const promise = new Promise<Response>((onAnswer, onFailure) => {
      resolve = onAnswer;
      reject = onFailure;
    });
    let body: ReadableStreamDefaultController<Uint8Array> | undefined;
    const signal = init.signal as AbortSignal;
    const fail = (reason: unknown) => {
      reject(reason);
      body?.error(reason);
    };
    const onAbort = () => fail(signal.reason);
    signal.addEventListener("abort", onAbort);
    this.exchanges.push({
      url,
      method: init.method ?? "GET",
      body: typeof init.body === "string" ? JSON.parse(init.body) : null,
      headers: new Headers(init.headers),
      credentials: init.credentials,
      get aborted() {
        return signal.aborted;
      },
      async stream(text = "", responseInit = { headers: { "content-type": "text/event-stream" } }) {
        const source = new ReadableStream<Uint8Array>({
          start: (controller) => {
            body = controller;
          },
        });
        resolve(new Response(source, responseInit));
        if (text) body?.enqueue(encoder.encode(text));
        await settle();
      },
      async send(text) {
        body?.enqueue(encoder.encode(text));
        await settle();
      },
      async end() {
        body?.close();
        await settle();
      },
      async answer(status, { body: text = "", headers = {} } = {}) {
        signal.removeEventListener("abort", onAbort);
        resolve(new Response(text, { status, headers }));
        await settle();
      },
      async fail() {
        fail(new TypeError("network error"));
        await settle();
      },
    });
    return promise;
  }
}

function listen(callbacks: Set<() => void>, callback: () => void): () => void {
  callbacks.add(callback);
  return () => {
    callbacks.delete(callback);
  };
}

export function statusOf(data: object): object {
  return { type: "connection_status", timestamp: "2026-11-23T09:00:00.000Z", data };
}

export function statusFrame(data: object, id?: string): string {
  const event = statusOf(data);
  return `${id === undefined ? "" : `id: ${id}\n`}event: connection_status\ndata: ${JSON.stringify(event)}\n\n`;
}

export function connectedFrame(id: string, organizations = ["org-1"]): string {
  const subscriptions = ["document_processing"];
  return statusFrame({ status: "connected", connectionId: "c-1", subscriptions, organizations }, id);
}

/** The heartbeat. */
export function cursorFrame(id: string): string {
  return `id: ${id}\nevent: cursor\ndata: {}\n\n`;
}

export function eventOf(
  id: string,
  data: object = { documentId: "7" },
  type = "document_processing",
): object {
  return { id, type, timestamp: "2026-11-23T09:00:00.000Z", operation: "UPDATE", data };
}

export function eventFrame(id: string, cursor?: string, data?: object, type = "document_processing"): string {
  const event = JSON.stringify(eventOf(id, data, type));
  return `${cursor === undefined ? "" : `id: ${cursor}\n`}event: ${type}\ndata: ${event}\n\n`;
}
