// A connection to a fake server, made anew for each test, of which nothing may be left after it.

import { afterEach, beforeEach, expect, vi } from "vitest";
import { connect } from "../connect.js";
import type { Connection, ConnectionState, ConnectOptions, TokenSource } from "../connection.js";
import type { OutboxEvent } from "../protocol.js";
import { FakeServer } from "./server.js";

export interface Client {
  readonly server: FakeServer;
  readonly connection: Connection;
  /** The ids of all events so far. An event of the id 666 makes the app throw. */
  readonly received: string[];
  readonly resets: string[];
  readonly states: ConnectionState[];
  readonly token: ReturnType<typeof vi.fn<TokenSource>>;
  /** With the token `t1`, unless options say otherwise. */
  open(options?: ConnectOptions): Promise<void>;
}

/** Call once at the top of a test file; what it returns is filled in before each test. */
export function setClient(): Client {
  let server: FakeServer;
  let connection: Connection | undefined;
  let received: string[];
  let resets: string[];
  let states: ConnectionState[];
  let token: Client["token"];

  beforeEach(() => {
    vi.useFakeTimers();
    server = new FakeServer();
    received = [];
    resets = [];
    states = [];
    token = vi.fn<TokenSource>(() => "t1");
    connection = undefined;
  });

  afterEach(async () => {
    connection?.close();
    await pass(0);
    expect(server.listeners).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  const handlers = {
    onEvent(event: OutboxEvent) {
      received.push(event.id);
      if (event.id === "666") throw new Error("a fault of the app");
    },
    onState: (state: ConnectionState) => states.push(state),
    onReset: (reason: string) => resets.push(reason),
  };
  return {
    get server() {
      return server;
    },
    get connection() {
      if (!connection) throw new Error("no connection was opened");
      return connection;
    },
    get received() {
      return received;
    },
    get resets() {
      return resets;
    },
    get states() {
      return states;
    },
    get token() {
      return token;
    },
    async open(options) {
      connection = connect({ token, ...options }, handlers, server.environment);
      await pass(0);
    },
  };
}

/** So many milliseconds go by, and what is loaded meanwhile is there. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await vi.dynamicImportSettled();
  await vi.advanceTimersByTimeAsync(0);
}
