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
import { shield } from "../inbox.js";
import { browserTabs, type TabsEnvironment } from "./environment.js";
import { sharedName, subjectOf } from "./identity.js";
import { Tab } from "./tab.js";

const DEFAULT_URL = "/api/v1/realtime/sse";

export interface TabsOptions extends ConnectOptions {
  /**
   * Who is signed in: tabs share a stream if this is the same. By default what the token says (`iss` and `sub`); with a
   * cookie, which pages cannot read, there is no sharing without it. It must change when the user does; an empty one is none.
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
  // What a page calls somebody whom it does not know must not be the name of all whom it does not know.
  const name = options.tabs || undefined;
  const alone = () => connect(options, handlers, environment);
  if (!tabs || (name === undefined && !token)) return alone();
  const share = (key: string, own: ConnectOptions) => {
    const tab = new Tab(own, handlers, environment, {
      name: sharedName(url, tabs.base, key),
      url,
      connect,
      tabs,
    });
    try {
      tab.reconnect();
    } catch {
      // Some browsers have channels and do not let pages use them.
      return alone();
    }
    return tab;
  };
  if (!token) return share(JSON.stringify(name), options);
  const decide = async () => {
    const first = await token({ refused: null, expiring: false });
    if (first === null) return alone();
    const subject = subjectOf(first);
    if (subject === null) return name === undefined ? alone() : share(JSON.stringify(name), options);
    // Whatever an app calls its users: what a token says of them keeps them apart.
    const key = name === undefined ? subject : JSON.stringify({ name, subject });
    return share(key, { ...options, token: tokensOf(subject, token) });
  };
  return new Undecided(decide().catch(alone), shield(handlers, environment));
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
  readonly #decided: Promise<Connection>;
  #connection: Connection | undefined;
  readonly #handlers: Required<ConnectionHandlers>;
  #isClosed = false;

  /** `handlers` do not throw. */
  constructor(decided: Promise<Connection>, handlers: Required<ConnectionHandlers>) {
    this.#handlers = handlers;
    this.#decided = decided.then((connection) => {
      if (this.#isClosed) connection.close();
      this.#connection = connection;
      return connection;
    });
    handlers.onState(this.state);
  }

  get state(): ConnectionState {
    const status = this.#isClosed ? "disconnected" : "connecting";
    return this.#connection?.state ?? { ...initialState, status };
  }

  reconnect(): void {
    this.#isClosed = false;
    if (this.#connection) this.#connection.reconnect();
    else this.#handlers.onState(this.state);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#connection) this.#connection.close();
    else this.#handlers.onState(this.state);
  }

  want(interest: Interest, options?: WantOptions): Promise<void> {
    return this.#decided.then((connection) => connection.want(interest, options));
  }
}
