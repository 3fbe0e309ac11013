// The core in a page of another origin, as an app would have it; what comes is put where tests look for it.

import {
  type Connection,
  type ConnectionState,
  type ConnectOptions,
  connect,
  type OutboxEvent,
  sessionCursor,
} from "../../src/index.js";

export interface Watched {
  readonly connection: Connection;
  readonly events: OutboxEvent[];
  readonly resets: string[];
  readonly states: ConnectionState[];
}

/** What tests find in the page. */
export interface Rowcast {
  connect: typeof connect;
  sessionCursor: typeof sessionCursor;
  /** Opens a connection and keeps what it tells. */
  watch(options: ConnectOptions): Watched;
  /** The last one that was opened so. */
  watched: Watched | undefined;
}

declare global {
  interface Window {
    rowcast: Rowcast;
  }
}

window.rowcast = {
  connect,
  sessionCursor,
  watched: undefined,
  watch(options) {
    const events: OutboxEvent[] = [];
    const resets: string[] = [];
    const states: ConnectionState[] = [];
    const connection = connect(options, {
      onEvent: (event) => events.push(event),
      onState: (state) => states.push(state),
      onReset: (reason) => resets.push(reason),
    });
    this.watched = { connection, events, resets, states };
    return this.watched;
  },
};
