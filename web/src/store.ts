// One stream and what a page remembers of it: its state, the last events, how many of each type. Framework-free;
// `subscribe` and `getSnapshot` are what `useSyncExternalStore` and its kin in other frameworks ask for.

import { connect } from "./connect.js";
import { type Connection, type ConnectionState, type ConnectOptions, initialState } from "./connection.js";
import { browser, type Environment } from "./environment.js";
import { Fold, nextFrame, type Schedule } from "./fold.js";
import type { OutboxEvent, ResetReason } from "./protocol.js";

export interface StreamStats {
  /** Events since the store was made, those no longer kept included. */
  readonly received: number;
  readonly byType: Readonly<Record<string, number>>;
}

export interface Snapshot {
  readonly connection: ConnectionState;
  /** The last events, oldest first. */
  readonly events: readonly OutboxEvent[];
  readonly stats: StreamStats;
}

export interface StoreOptions extends ConnectOptions {
  /** How many events are kept. 100. */
  maxEvents?: number | undefined;
}

export interface StreamListener {
  /** Every event, as it comes: nothing is batched or left out. */
  onEvent?(event: OutboxEvent): void;
  onReset?(reason: ResetReason): void;
}

export interface Store {
  subscribe(listener: () => void): () => void;
  getSnapshot(): Snapshot;
  listen(listener: StreamListener): () => void;
  /** Holds the stream open until what it returns is called; it ends when nobody holds it any more. */
  open(): () => void;
  reconnect(): void;
  disconnect(): void;
  clearEvents(): void;
}

type Input = { state: ConnectionState } | { event: OutboxEvent } | "clear";

const initialSnapshot: Snapshot = {
  connection: initialState,
  events: [],
  stats: { received: 0, byType: {} },
};

/** Makes a store; nothing is requested before it is opened. */
export function createStore(
  options: StoreOptions,
  environment: Environment = browser,
  schedule: Schedule = nextFrame,
): Store {
  const maxEvents = options.maxEvents ?? 100;
  const fold = new Fold<Snapshot, Input>(
    initialSnapshot,
    (was, inputs) => step(was, inputs, maxEvents),
    schedule,
  );
  const listeners = new Set<StreamListener>();
  let connection: Connection | undefined;
  let holders = 0;

  const handlers = {
    onState: (state: ConnectionState) => fold.push({ state }),
    onEvent(event: OutboxEvent) {
      fold.push({ event });
      for (const listener of listeners) listener.onEvent?.(event);
    },
    onReset(reason: ResetReason) {
      for (const listener of listeners) listener.onReset?.(reason);
    },
  };
  const reconnect = (): void => {
    if (connection) connection.reconnect();
    else connection = connect(options, handlers, environment);
  };

  return {
    subscribe: fold.subscribe,
    getSnapshot: fold.getSnapshot,
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    open() {
      holders += 1;
      if (holders === 1 && !isOpen(connection)) reconnect();
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        holders -= 1;
        // Not at once: React's strict mode lets go and takes hold again in the same breath.
        queueMicrotask(() => {
          if (holders === 0) connection?.close();
        });
      };
    },
    reconnect,
    disconnect: () => connection?.close(),
    clearEvents: () => fold.push("clear"),
  };
}

function isOpen(connection: Connection | undefined): boolean {
  return connection !== undefined && connection.state.status !== "disconnected";
}

function step(was: Snapshot, inputs: readonly Input[], maxEvents: number): Snapshot {
  let { connection } = was;
  const events = [...was.events];
  const byType = { ...was.stats.byType };
  let { received } = was.stats;
  for (const input of inputs) {
    if (input === "clear") events.length = 0;
    else if ("state" in input) connection = input.state;
    else {
      events.push(input.event);
      received += 1;
      byType[input.event.type] = (byType[input.event.type] ?? 0) + 1;
    }
  }
  const changed = received > was.stats.received || events.length !== was.events.length;
  if (!changed) return { ...was, connection };
  return { connection, events: events.slice(-maxEvents), stats: { received, byType } };
}
