// The life of a connection: opens a stream, hands out each event once, and comes back by cursor whenever the stream
// ends, until it is closed or refused. Knows no framework; all that is outside comes in through `Environment`.

import { backoff } from "./backoff.js";
import {
  type Connection,
  type ConnectionHandlers,
  type ConnectionState,
  type ConnectOptions,
  type Interest,
  initialState,
} from "./connection.js";
import { browser, type Environment } from "./environment.js";
import { RowcastError, toRowcastError } from "./errors.js";
import type { SseMessage } from "./parse.js";
import type { ConnectionStatus, Coverage, ResetReason, RowcastEvent } from "./protocol.js";
import { Seen } from "./seen.js";
import { type Read, readStream } from "./stream.js";

const DEFAULT_URL = "/api/v1/realtime/sse";
/** A stream that lived this long was not part of the trouble: the back-off starts anew. */
const STABLE = 5_000;
/** The reason of an abort that is nobody's failure: the next attempt starts at once. */
const SKIPPED = new RowcastError("network", "another attempt was asked for");

/** Opens a connection. It lives until `close`. */
export function connect(
  options: ConnectOptions,
  handlers: ConnectionHandlers,
  environment: Environment = browser,
): Connection {
  const connection = new FetchConnection(options, handlers, environment);
  connection.reconnect();
  return connection;
}

class FetchConnection implements Connection {
  state: ConnectionState;
  readonly #options: ConnectOptions;
  readonly #handlers: ConnectionHandlers;
  readonly #environment: Environment;
  readonly #seen: Seen;
  /** Aborted when the connection is closed; absent while it is. */
  #life: AbortController | undefined;
  #interest: Interest;
  #wants: { was: Interest; resolve: () => void; reject: (error: RowcastError) => void }[] = [];
  /** Cuts the current stream or wait short. */
  #skip = (): void => {};
  /** The token that was turned down since the last good stream, and the answer it got. */
  #refusal: { token: string; error: RowcastError } | null = null;
  #retry: number;
  #opened = false;
  #openedAt = 0;
  /** The server said goodbye; its `retry:` is then jittered already. */
  #closing = false;
  /** It was final: `rowcast.disconnect`. */
  #disconnected = false;

  constructor(options: ConnectOptions, handlers: ConnectionHandlers, environment: Environment) {
    this.#options = options;
    this.#interest = { subscriptions: options.subscriptions, organizationId: options.organizationId };
    this.#handlers = handlers;
    this.#environment = environment;
    this.#retry = options.reconnectDelay ?? 1000;
    this.#seen = new Seen(options.lastEventId);
    this.state = { ...initialState, cursor: options.lastEventId ?? "" };
  }

  reconnect(): void {
    this.#refusal = null;
    if (this.#life) {
      this.#set({ attempt: 0 });
      this.#skip();
      return;
    }
    this.#life = new AbortController();
    void this.#live(this.#life.signal);
  }

  close(): void {
    this.#life?.abort();
    this.#life = undefined;
    this.#skip();
    this.#set({ status: "disconnected", error: null, attempt: 0, retryAt: null, connectionId: null });
  }

  want(interest: Interest): Promise<void> {
    const was = this.#interest;
    this.#interest = interest;
    return new Promise((resolve, reject) => {
      this.#wants.push({ was, resolve, reject });
      if (this.#life) this.#skip();
    });
  }

  async #live(life: AbortSignal): Promise<void> {
    while (!life.aborted) {
      const again = this.#opened || this.state.attempt > 0;
      this.#set({ status: again ? "reconnecting" : "connecting", retryAt: null });
      const end = await this.#stream();
      if (life.aborted) return;
      this.#options.debug?.(end.message, end);
      if (end !== SKIPPED) await this.#recover(end);
    }
  }

  /** One stream, from asking for a token to the reason why it ended. */
  async #stream(): Promise<RowcastError> {
    const abort = new AbortController();
    this.#skip = () => abort.abort(SKIPPED);
    this.#closing = false;
    this.#disconnected = false;
    this.#openedAt = Number.POSITIVE_INFINITY;
    const refused = this.#refusal;
    try {
      const token = await this.#options.token?.({ refused: refused?.token ?? null, expiring: false });
      if (abort.signal.aborted) return SKIPPED;
      if (token === null || (refused && token === undefined) || token === refused?.token) {
        return refused?.error ?? new RowcastError("unauthorized", "there is no token");
      }
      const { url = DEFAULT_URL } = this.#options;
      const { subscriptions, organizationId } = this.#interest;
      const request = { url, subscriptions, organizationId, token, cursor: this.state.cursor };
      const end = await readStream(request, abort, this.#environment, (read) => this.#take(read));
      if (this.#disconnected)
        return new RowcastError("disconnected", "somebody has ended this user's streams");
      const isRefusal = end.kind === "unauthorized" || end.kind === "forbidden";
      const [wanted] = this.#wants;
      if (end.final && wanted && (!isRefusal || refused || token === undefined)) {
        this.#interest = wanted.was;
        this.#refusal = null;
        for (const { reject } of this.#wants.splice(0)) reject(end);
        return SKIPPED;
      }
      if (!isRefusal || refused || token === undefined) return end;
      this.#refusal = { token, error: end };
      return SKIPPED;
    } catch (thrown) {
      return toRowcastError(thrown);
    }
  }

  /** Waits for as long as the failure asks for: until the next attempt is due, or somebody wakes it. */
  #recover(failure: RowcastError): Promise<void> {
    const stable = this.#environment.now() - this.#openedAt >= STABLE;
    const attempt = stable ? 1 : this.state.attempt + 1;
    const change = { error: failure, attempt, connectionId: null, degraded: false };
    if (failure.final || attempt > (this.#options.maxReconnectAttempts ?? Number.POSITIVE_INFINITY)) {
      this.#set({ ...change, status: "error" });
      return this.#pause(Number.POSITIVE_INFINITY, !failure.final);
    }
    const delay = this.#delay(failure, attempt);
    this.#set({ ...change, status: "reconnecting", retryAt: this.#environment.now() + delay });
    return this.#pause(delay, failure.retryAfter === undefined);
  }

  #delay({ retryAfter }: RowcastError, attempt: number): number {
    const { random } = this.#environment;
    if (retryAfter !== undefined) return retryAfter + backoff(1, this.#retry, random);
    return this.#closing ? this.#retry : backoff(attempt, this.#retry, random);
  }

  #pause(ms: number, wakes: boolean): Promise<void> {
    const { setTimeout, clearTimeout, onWake } = this.#environment;
    return new Promise((resolve) => {
      const stopWaking = wakes ? onWake(() => this.#skip()) : undefined;
      const timer = Number.isFinite(ms) ? setTimeout(() => this.#skip(), ms) : undefined;
      this.#skip = () => {
        clearTimeout(timer);
        stopWaking?.();
        resolve();
      };
    });
  }

  #take({ messages, lastEventId, retry }: Read): void {
    this.#retry = retry ?? this.#retry;
    for (const message of messages) {
      this.#dispatch(message);
      this.#seen.advance(message.lastEventId);
    }
    this.#seen.advance(lastEventId);
    // Only now: what is resumed from must never be ahead of what was handed out.
    this.#set({ cursor: lastEventId, heardAt: this.#environment.now() });
  }

  #dispatch(message: SseMessage): void {
    // Not at once: the server, which speaks first, may ask for the same.
    if (message.event !== "connection_status" && this.#seen.takeOrphans()) this.#reset("cursor_ahead");
    if (message.event === "cursor") return;
    let event: RowcastEvent;
    try {
      event = JSON.parse(message.data);
    } catch (thrown) {
      this.#environment.reportError(new RowcastError("protocol", "a message is not JSON", { cause: thrown }));
      return;
    }
    if (event.type === "connection_status") this.#heed(event.data, message.lastEventId);
    else if (this.#seen.admit(event.id)) this.#guard(() => this.#handlers.onEvent(event));
    else this.#set({ duplicates: this.state.duplicates + 1 });
  }

  /** Does what the server says about the connection. */
  #heed(data: ConnectionStatus, lastEventId: string): void {
    switch (data.status) {
      case "connected": {
        const { status, connectionId } = data;
        const reconnects = this.state.reconnects + (this.#opened ? 1 : 0);
        this.#set({ status, connectionId, reconnects, ...coverage(data), error: null, degraded: false });
        this.#opened = true;
        this.#openedAt = this.#environment.now();
        this.#refusal = null;
        for (const { resolve } of this.#wants.splice(0)) resolve();
        break;
      }
      case "access_changed":
        this.#set(coverage(data));
        break;
      case "reset":
        this.#seen.restart(lastEventId);
        this.#reset(data.reason);
        break;
      case "degraded":
      case "recovered":
        this.#set({ degraded: data.status === "degraded" });
        break;
      case "closing":
        this.#closing = true;
        this.#disconnected = data.reason === "disconnected";
        break;
    }
  }

  #reset(reason: ResetReason): void {
    this.#guard(() => this.#handlers.onReset(reason));
  }

  #set(change: Partial<ConnectionState>): void {
    this.state = { ...this.state, ...change };
    this.#guard(() => this.#handlers.onState(this.state));
  }

  /** What the app's own code throws is the app's to see, and no reason to lose the stream. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (thrown) {
      this.#environment.reportError(thrown);
    }
  }
}

function coverage({ subscriptions, organizations }: Coverage): Pick<ConnectionState, keyof Coverage> {
  return { subscriptions, organizations: organizations ?? null };
}
