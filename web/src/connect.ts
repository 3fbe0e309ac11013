// The life of a connection: opens a stream, and comes back by cursor whenever it ends, until it is closed or refused.
// Knows no framework; all that is outside comes in through `Environment`.

import { unless } from "./abort.js";
import { backoff, LONGEST, MAX_DELAY, pause } from "./backoff.js";
import type { Line } from "./command.js";
import {
  type Connection,
  type ConnectionHandlers,
  type ConnectionState,
  type ConnectOptions,
  type Interest,
  initialState,
  type WantOptions,
} from "./connection.js";
import { Credentials } from "./credentials.js";
import { browser, type Environment } from "./environment.js";
import { AGAIN, RowcastError, toRowcastError } from "./errors.js";
import { Inbox, shield } from "./inbox.js";
import { load } from "./load.js";
import type { CloseReason, ConnectionStatus, Coverage } from "./protocol.js";
import { Seen } from "./seen.js";
import { Keeper } from "./storage.js";
import { Carrier } from "./transport/carrier.js";
import type { Read } from "./transport/transport.js";
import type { Wants } from "./want.js";

const DEFAULT_URL = "/api/v1/realtime/sse";
/** A stream that lived this long was not part of the trouble: the back-off starts anew. */
const STABLE = 5_000;
/** Milliseconds between attempts in a row, however soon the server would have us back. */
const LEAST_AGAIN = 500;

/** Opens a connection. It lives until `close`. */
export function connect(
  options: ConnectOptions,
  handlers: ConnectionHandlers,
  environment: Environment = browser,
): Connection {
  const connection = new OwnConnection(options, handlers, environment);
  connection.reconnect();
  return connection;
}

class OwnConnection implements Connection {
  state: ConnectionState;
  readonly #options: ConnectOptions;
  readonly #handlers: Required<ConnectionHandlers>;
  readonly #environment: Environment;
  readonly #url: string;
  readonly #credentials: Credentials;
  readonly #carrier: Carrier;
  readonly #keeper: Keeper;
  readonly #seen: Seen;
  readonly #inbox: Inbox;
  /** Absent until something else is wanted than at first. */
  #wants: Wants | undefined;
  /** Aborted when the connection is closed; absent while it is. */
  #life: AbortController | undefined;
  /** The current stream or wait. */
  #current = new AbortController();
  #opened = false;
  #openedAt = 0;
  #retry: number;
  /** The stream has said when to come back, and it has drawn the delay already. */
  #isToldWhen = false;
  /** What the server gave for the end of the stream. */
  #closing: CloseReason | null = null;

  constructor(options: ConnectOptions, handlers: ConnectionHandlers, environment: Environment) {
    this.#options = options;
    this.#handlers = shield(handlers, environment);
    this.#environment = environment;
    this.#url = options.url ?? DEFAULT_URL;
    this.#credentials = new Credentials(options.token);
    this.#carrier = new Carrier(environment);
    this.#keeper = new Keeper(options.storage, environment);
    this.#retry = options.reconnectDelay ?? 1000;
    this.#seen = new Seen(options.lastEventId ?? this.#keeper.read());
    this.#inbox = new Inbox(this.#seen, this.#handlers, environment, ({ data }) => this.#heed(data));
    this.state = { ...initialState, cursor: this.#seen.cursor };
  }

  reconnect(): void {
    this.#credentials.forgive();
    if (this.#life) {
      this.#skip();
      const { status, attempt } = this.state;
      // Whoever asks for it when told of the failure is not told of that again.
      if (status === "error") this.#set({ status: this.#opened ? "reconnecting" : "connecting", attempt: 0 });
      else if (attempt > 0) this.#set({ attempt: 0 });
      return;
    }
    this.#life = new AbortController();
    void this.#live(this.#life.signal);
  }

  close(): void {
    this.#life?.abort();
    this.#life = undefined;
    this.#skip();
    this.#keeper.stop();
    this.#set({ status: "disconnected", error: null, attempt: 0, retryAt: null, connectionId: null });
  }

  async want(interest: Interest, options?: WantOptions): Promise<void> {
    const { Wants } = await load(import("./want.js"));
    this.#wants ??= new Wants(this.#options, this.#seen, {
      line: () => this.#line(),
      state: () => this.state,
      skip: () => {
        // The token that was no good for one thing may be good for another.
        this.#credentials.forgive();
        this.#skip();
      },
    });
    return this.#wants.add(interest, options);
  }

  async #live(life: AbortSignal): Promise<void> {
    while (!life.aborted) {
      const again = this.#opened || this.state.attempt > 0;
      this.#set({ status: again ? "reconnecting" : "connecting", retryAt: null });
      if (life.aborted) return;
      const abort = new AbortController();
      this.#current = abort;
      const end = await this.#attempt(abort)
        .catch(toRowcastError)
        .then((error) => this.#judge(error));
      abort.abort();
      if (life.aborted) return;
      this.#debug(end.message, end);
      if (end !== AGAIN) await this.#recover(end);
    }
  }

  /** One stream, from asking for a token to the reason why it ended. */
  async #attempt(abort: AbortController): Promise<RowcastError> {
    this.#closing = null;
    this.#isToldWhen = false;
    this.#openedAt = Number.POSITIVE_INFINITY;
    const token = await unless(abort.signal, this.#credentials.next());
    const { subscriptions, organizationId } = this.#wants?.next() ?? this.#options;
    // Only now: where it has to go on depends on what is wanted.
    const { cursor } = this.#seen;
    const request = { url: this.#url, subscriptions, organizationId, token, cursor };
    const stopWatching = this.#environment.onOffline(() =>
      abort.abort(new RowcastError("network", "there is no network")),
    );
    try {
      return await this.#carrier.read(request, abort, (read) => this.#take(read));
    } finally {
      stopWatching();
    }
  }

  /** What the end of a stream comes to: `AGAIN`, if there is something else to be tried at once. */
  #judge(end: RowcastError): RowcastError {
    if (this.#closing === "disconnected")
      return new RowcastError("disconnected", "somebody has ended this user's streams");
    const isRefusal = end.kind === "unauthorized" || end.kind === "forbidden";
    if (isRefusal && this.#credentials.refuse(end)) return AGAIN;
    // What is wrong with who asks is not wrong with what is wanted.
    const isOfInterest = end.kind === "forbidden" || end.kind === "refused";
    if (!isOfInterest || !this.#wants?.refuse(end)) return end;
    this.#credentials.forgive();
    return AGAIN;
  }

  /** Waits for as long as the failure asks for: until the next attempt is due, or somebody wakes it. */
  #recover(failure: RowcastError): Promise<void> {
    const { now, online } = this.#environment;
    // Whoever is told may cut the wait short before it has begun.
    const wait = new AbortController();
    this.#current = wait;
    const isStable = now() - this.#openedAt >= STABLE;
    // Without a network nothing is learned from trying.
    const attempt = isStable ? 1 : this.state.attempt + (online() || this.state.attempt === 0 ? 1 : 0);
    const change = { error: failure, attempt, connectionId: null, degraded: false };
    if (failure.final || attempt > (this.#options.maxReconnectAttempts ?? Number.POSITIVE_INFINITY)) {
      this.#set({ ...change, status: "error" });
      return this.#pause(Number.POSITIVE_INFINITY, wait, !failure.final);
    }
    const delay = this.#delay(failure, attempt);
    this.#set({ ...change, status: "reconnecting", retryAt: now() + delay });
    return this.#pause(delay, wait, failure.retryAfter === undefined);
  }

  #delay({ retryAfter }: RowcastError, attempt: number): number {
    const { random, online } = this.#environment;
    if (retryAfter !== undefined) return retryAfter + backoff(1, this.#retry, random);
    if (!online()) return MAX_DELAY;
    if (!this.#closing || !this.#isToldWhen) return backoff(attempt, this.#retry, random);
    return attempt === 1 ? this.#retry : Math.max(this.#retry, LEAST_AGAIN);
  }

  async #pause(ms: number, wait: AbortController, wakes: boolean): Promise<void> {
    const stopWaking = wakes ? this.#environment.onWake(() => wait.abort()) : undefined;
    await pause(ms, wait.signal, this.#environment);
    stopWaking?.();
  }

  /** Cuts the current stream or wait short. */
  #skip(): void {
    this.#current.abort(AGAIN);
  }

  #take(read: Read): void {
    const life = this.#life;
    if (!life) return;
    this.#retry = Math.min(read.retry ?? this.#retry, LONGEST);
    this.#isToldWhen = read.retry !== undefined;
    this.#set(this.#inbox.take(read, life.signal));
    this.#keeper.keep(this.state.cursor);
    if (life.signal.aborted) this.#keeper.stop();
  }

  /** Does what the server says about the connection. */
  #heed(data: ConnectionStatus): void {
    switch (data.status) {
      case "connected": {
        const { status } = data;
        const connectionId = data.connectionId || null;
        const reconnects = this.state.reconnects + (this.#opened ? 1 : 0);
        // Polls that ask for everything are not told what that is.
        const covers = data.subscriptions.length > 0 ? coverage(data) : {};
        const known = { ...covers, error: null, degraded: false, expiresAt: null };
        this.#set({ status, connectionId, reconnects, ...known });
        this.#opened = true;
        this.#openedAt = this.#environment.now();
        this.#credentials.forgive();
        this.#wants?.accept();
        break;
      }
      case "access_changed":
        this.#set(coverage(data));
        break;
      case "degraded":
      case "recovered":
        this.#set({ degraded: data.status === "degraded" });
        break;
      case "token_expiring":
        this.#set({ expiresAt: data.expiresAt });
        void this.#renew();
        break;
      case "closing":
        this.#closing = data.reason;
        break;
    }
  }

  /** A new token in time keeps the stream open. Without one it ends, and the next attempt asks again. */
  async #renew(): Promise<void> {
    const line = this.#line();
    try {
      const token = await this.#credentials.renewed();
      if (!line || token === null) return;
      const { renew } = await load(import("./command.js"));
      if (await renew(line, token)) this.#credentials.use(token);
    } catch (thrown) {
      this.#debug("the token was not renewed", thrown);
    }
  }

  /** The stream that is open, for what it is to be told. */
  #line(): Line | undefined {
    const { connectionId } = this.state;
    if (connectionId === null) return undefined;
    return {
      url: this.#url,
      connectionId,
      signal: this.#current.signal,
      credentials: this.#credentials,
      environment: this.#environment,
      onObeyed: ({ eventTypes, expiresAt }) => this.#set({ subscriptions: eventTypes, expiresAt }),
    };
  }

  #debug(message: string, detail: unknown): void {
    try {
      this.#options.debug?.(message, detail);
    } catch (thrown) {
      this.#environment.reportError(thrown);
    }
  }

  #set(change: Partial<ConnectionState>): void {
    this.state = { ...this.state, ...change };
    this.#handlers.onState(this.state);
  }
}

function coverage({ subscriptions, organizations }: Coverage): Pick<ConnectionState, keyof Coverage> {
  return { subscriptions, organizations: organizations ?? null };
}
