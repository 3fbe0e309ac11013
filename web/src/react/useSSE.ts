// Events in a component, with what it remembers of them: a thin adapter of the store.

import { useEffect, useInsertionEffect, useMemo, useRef, useSyncExternalStore } from "react";
import type { ConnectionState, Status } from "../connection.js";
import type { RowcastError } from "../errors.js";
import type { EventOf, EventType } from "../protocol.js";
import { createStore, initialSnapshot, type StoreOptions, type StreamStats } from "../store.js";
import { usePage } from "./RowcastProvider.js";

export interface UseSSEOptions<Types extends EventType = EventType> extends StoreOptions<Types> {
  /** Absent: every chatbot. */
  chatbotId?: string | undefined;
  /** Come back when the stream ends. True. Like the next three, a wish to the page's one connection: the most patient wins. */
  autoReconnect?: boolean | undefined;
  /** Milliseconds that the back-off starts from. 1000. */
  reconnectDelay?: number | undefined;
  /** Attempts in a row before the status is `error`. 10. */
  maxReconnectAttempts?: number | undefined;
  /** Says on the console why streams end. */
  debug?: boolean | undefined;
}

export interface UseSSEResult<Types extends EventType = EventType> {
  status: Status;
  /** The last events, oldest first. For every event, whatever is kept, give `onEvent`. */
  events: readonly EventOf<Types>[];
  lastEvent: EventOf<Types> | null;
  error: RowcastError | null;
  stats: StreamStats;
  connection: ConnectionState;
  reconnect: () => void;
  disconnect: () => void;
  subscribe: (types: readonly EventType[], options?: { since?: string | undefined }) => Promise<void>;
  unsubscribe: (types: readonly EventType[]) => Promise<void>;
  clearEvents: () => void;
}

/** Follows the page's stream while the component is mounted. `filter`, `onEvent` and `onReset` may change at any time. */
export function useSSE<Types extends EventType = EventType>(
  options: UseSSEOptions<Types> = {},
): UseSSEResult<Types> {
  const page = usePage();
  const { hub } = page;
  const latest = useRef(options);
  useInsertionEffect(() => {
    latest.current = options;
  });

  const { chatbotId, since, maxEvents, organizationId = page.organizationId } = options;
  const types = options.subscriptions?.join();
  const store = useMemo(
    () =>
      createStore<Types>(hub, {
        subscriptions: types?.split(",") as Types[] | undefined,
        organizationId,
        since,
        maxEvents,
        filter: (event) =>
          (chatbotId === undefined || event.chatbotId === chatbotId) &&
          (latest.current.filter?.(event) ?? true),
        onEvent: (event) => latest.current.onEvent?.(event),
        onReset: (reason) => latest.current.onReset?.(reason),
      }),
    [hub, types, organizationId, chatbotId, since, maxEvents],
  );
  useEffect(() => store.open(), [store]);

  const { connection, events, stats } = useSyncExternalStore(
    store.subscribe,
    store.getSnapshot,
    () => initialSnapshot,
  );
  return {
    status: connection.status,
    error: connection.error,
    connection,
    stats,
    events,
    lastEvent: events.at(-1) ?? null,
    reconnect: hub.reconnect,
    disconnect: hub.disconnect,
    subscribe: store.add,
    unsubscribe: store.remove,
    clearEvents: store.clearEvents,
  };
}
