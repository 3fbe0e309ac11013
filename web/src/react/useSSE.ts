// The stream in a component: a thin adapter of the store, one stream for each set of options.

import { useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import type { ConnectionState, Status, TokenSource } from "../connection.js";
import type { RowcastError } from "../errors.js";
import type { EventType, OutboxEvent } from "../protocol.js";
import { createStore, type StreamListener, type StreamStats } from "../store.js";

export interface UseSSEOptions extends StreamListener {
  token: TokenSource;
  url?: string;
  /** Absent: every type that the user may see. */
  subscriptions?: readonly EventType[];
  /** Absent: every organization of the user. */
  organizationId?: string;
  /** Come back when the stream ends. True. */
  autoReconnect?: boolean;
  /** Milliseconds that the back-off starts from. 1000. */
  reconnectDelay?: number;
  /** Attempts in a row before the status is `error`. 10. */
  maxReconnectAttempts?: number;
  /** How many events are kept. 100. */
  maxEvents?: number;
  /** Says on the console why streams end. */
  debug?: boolean;
}

export interface UseSSEResult {
  status: Status;
  /** The last events, oldest first. For every event, whatever is kept, give `onEvent`. */
  events: readonly OutboxEvent[];
  lastEvent: OutboxEvent | null;
  error: RowcastError | null;
  stats: StreamStats;
  connection: ConnectionState;
  reconnect: () => void;
  disconnect: () => void;
  clearEvents: () => void;
}

/** Opens a stream while the component is mounted. `token`, `onEvent` and `onReset` may change at any time. */
export function useSSE(options: UseSSEOptions): UseSSEResult {
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });

  const { url, organizationId, maxEvents, reconnectDelay } = options;
  const { debug = false, autoReconnect = true } = options;
  const maxReconnectAttempts = autoReconnect ? (options.maxReconnectAttempts ?? 10) : 0;
  const types = options.subscriptions?.join();
  const store = useMemo(
    () =>
      createStore({
        token: (request) => latest.current.token(request),
        url,
        organizationId,
        maxEvents,
        reconnectDelay,
        maxReconnectAttempts,
        subscriptions: types?.split(",") as EventType[] | undefined,
        debug: debug ? logToConsole : undefined,
      }),
    [url, organizationId, maxEvents, reconnectDelay, maxReconnectAttempts, types, debug],
  );
  useEffect(() => {
    const stop = store.listen({
      onEvent: (event) => latest.current.onEvent?.(event),
      onReset: (reason) => latest.current.onReset?.(reason),
    });
    const release = store.open();
    return () => {
      release();
      stop();
    };
  }, [store]);

  const { connection, events, stats } = useSyncExternalStore(
    store.subscribe,
    store.getSnapshot,
    store.getSnapshot,
  );
  return {
    status: connection.status,
    error: connection.error,
    connection,
    stats,
    events,
    lastEvent: events.at(-1) ?? null,
    reconnect: store.reconnect,
    disconnect: store.disconnect,
    clearEvents: store.clearEvents,
  };
}

function logToConsole(message: string, detail?: unknown): void {
  // biome-ignore lint/suspicious/noConsole: this is what `debug` asks for.
  console.debug(`rowcast: ${message}`, detail);
}
