// `connect` for a page that may be open in several tabs: those of one user share one stream of the server.

import { connect } from "../connect.js";
import type {
  Connection,
  ConnectionHandlers,
  ConnectionState,
  ConnectOptions,
  Interest,
  WantOptions,
} from "../connection.js";
import { initialState } from "../connection.js";
import { browser, type Environment } from "../environment.js";
import { RowcastError } from "../errors.js";
import { browserTabs, type TabsEnvironment } from "./environment.js";
import { sharedName, subjectOf } from "./identity.js";
import { Tab } from "./tab.js";

const DEFAULT_URL = "/api/v1/realtime/sse";

export interface TabsOptions extends ConnectOptions {
  /**
   * Who is signed in: tabs share a stream if this is the same. By default what the token says (`iss` and `sub`); with a
   * cookie, which pages cannot read, there is no sharing without it. It must change when the user does.
   */
  tabs?: string | undefined;
}

/**
 * As `connect`, but all tabs of one user on one origin share one stream: the same promise to each of them. Where that
 * cannot be, because nobody knows who is signed in or the browser lacks Web Locks or BroadcastChannel, it is `connect`.
 */
export function connectTabs(
  options: TabsOptions,
  handlers: ConnectionHandlers,
  environment: Environment = browser,
  tabs: TabsEnvironment | null = browserTabs(),
): Connection {
  const { token, url = DEFAULT_URL } = options;
  const alone = () => connect(options, handlers, environment);
  if (!tabs || (options.tabs === undefined && !token)) return alone();
  const share = (key: string, own: ConnectOptions) => {
    const tab = new Tab(own, handlers, environment, {
      name: sharedName(url, tabs.base, key),
      url,
      connect,
      tabs,
    });
    tab.reconnect();
    return tab;
  };
  if (options.tabs !== undefined || !token) return share(JSON.stringify(options.tabs), options);
  return new Undecided(
    handlers,
    async () => {
      const first = await token({ refused: null, expiring: false });
      const subject = first === null ? null : subjectOf(first);
      if (subject === null) return alone;
      return () => share(subject, { ...options, token: tokensOf(subject, token) });
    },
    alone,
  );
}

/** A token of somebody else must not open the stream that this user's tabs share. */
function tokensOf(subject: string, token: NonNullable<ConnectOptions["token"]>): typeof token {
  return async (request) => {
    const given = await token(request);
    if (given === null || subjectOf(given) === subject) return given;
    throw new RowcastError("unauthorized", "the token is of another user than this connection was made for");
  };
}

/** A connection of which is not yet known whose it is. */
class Undecided implements Connection {
  readonly #handlers: ConnectionHandlers;
  #make: (() => Connection) | undefined;
  #connection: Connection | undefined;
  #state: ConnectionState = { ...initialState, status: "connecting" };
  #wants: ((connection: Connection) => void)[] = [];

  constructor(
    handlers: ConnectionHandlers,
    decide: () => Promise<() => Connection>,
    alone: () => Connection,
  ) {
    this.#handlers = handlers;
    void decide()
      .catch(() => alone)
      .then((make) => {
        this.#make = make;
        if (this.#state.status !== "disconnected") this.#begin();
      });
  }

  get state(): ConnectionState {
    return this.#connection?.state ?? this.#state;
  }

  reconnect(): void {
    if (this.#connection) this.#connection.reconnect();
    else this.#begin();
  }

  close(): void {
    if (this.#connection) {
      this.#connection.close();
      return;
    }
    this.#state = initialState;
    this.#handlers.onState(initialState);
  }

  #begin(): void {
    this.#state = { ...initialState, status: "connecting" };
    const connection = this.#make?.();
    this.#connection = connection;
    if (connection) for (const want of this.#wants.splice(0)) want(connection);
  }

  want(interest: Interest, options?: WantOptions): Promise<void> {
    if (this.#connection) return this.#connection.want(interest, options);
    return new Promise((resolve, reject) => {
      this.#wants.push((connection) => connection.want(interest, options).then(resolve, reject));
    });
  }
}
