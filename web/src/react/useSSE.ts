// Events in a component, with what it remembers of them: a thin adapter of the store.

import { useEffect, useMemo, useSyncExternalStore } from "react";
import type { ConnectionState, Status, WantOptions } from "../connection.js";
import type { RowcastError } from "../errors.js";
import type { EventOf, EventType } from "../protocol.js";
import { createStore, initialSnapshot, type StoreOptions, type StreamStats } from "../store.js";
import { logToConsole, type Persistence, persistenceOf, usePage } from "./page.js";
import { useLatest, useTypes } from "./stable.js";

/**
 * All hooks of a page share one connection. `autoReconnect` and the two below it are taken when it is opened: a hook that
 * says nothing goes by the provider, and where those who are mounted by then differ, the most persistent wins.
 */
export interface UseSSEOptions<Types extends EventType = EventType>
  extends Omit<StoreOptions<Types>, keyof Persistence | "debug">,
    Persistence {
  /** Absent: events with and without a chatbot. */
  readonly chatbotId?: string | undefined;
  /** Says on the console why streams end. False. */
  readonly debug?: boolean | undefined;
}

/** What {@link useSSE} returns. */
export interface UseSSEResult<Types extends EventType = EventType> {
  /**
   * Of the page's connection, as this hook has it: `connecting` until the stream has what it asks for, `error` also when
   * the user may see nothing of that.
   */
  readonly status: Status;
  /** The last events, oldest first. For every event, whatever is kept, give `onEvent`. */
  readonly events: readonly EventOf<Types>[];
  readonly lastEvent: EventOf<Types> | null;
  /** Why it is not connected; null once it is. */
  readonly error: RowcastError | null;
  readonly stats: StreamStats;
  readonly connection: ConnectionState;
  /** Begins, or begins again at once, whatever it is waiting for. For the whole page. */
  readonly reconnect: () => void;
  /** Ends the connection until `reconnect`. For the whole page. */
  readonly disconnect: () => void;
  /**
   * Adds types for this hook. Resolves once the stream has them; rejects with a `RowcastError`, and then nothing has
   * changed. With `since`, a cursor, they begin there. Holds until `subscriptions` or what else the hook covers changes.
   */
  readonly subscribe: (types: readonly EventType[], options?: WantOptions) => Promise<void>;
  /** Takes types away from this hook, at once. */
  readonly unsubscribe: (types: readonly EventType[]) => Promise<void>;
  /** Empties `events`; `stats` go on. */
  readonly clearEvents: () => void;
}

/**
 * Follows the page's stream while the component is mounted, and renders at most once a frame. Callbacks and `filter` may change at
 * any time. With other `subscriptions`, `organizationId`, `chatbotId`, `since` or `maxEvents` its events and stats begin anew.
 */
export function useSSE<Types extends EventType = EventType>(
  options: UseSSEOptions<Types> = {},
): UseSSEResult<Types> {
  const page = usePage();
  const { hub } = page;
  const latest = useLatest({ options, persistence: persistenceOf(options, page) });
  const { chatbotId, since, maxEvents, organizationId = page.organizationId } = options;
  const subscriptions = useTypes(options.subscriptions);

  const store = useMemo(
    () =>
      createStore<Types>(hub, {
        subscriptions,
        organizationId,
        since,
        maxEvents,
        filter: (event) =>
          (chatbotId === undefined || event.chatbotId === chatbotId) &&
          latest.current.options.filter?.(event) !== false,
        onEvent: (event) => latest.current.options.onEvent?.(event),
        onReset: (reason) => latest.current.options.onReset?.(reason),
        get reconnectDelay() {
          return latest.current.persistence.reconnectDelay;
        },
        get maxReconnectAttempts() {
          return latest.current.persistence.maxReconnectAttempts;
        },
        get debug() {
          return latest.current.options.debug ? logToConsole : undefined;
        },
      }),
    [hub, subscriptions, organizationId, chatbotId, since, maxEvents, latest],
  );
  useEffect(() => store.open(), [store]);

  // While a server renders, and while the page takes over what it has rendered, nothing has happened yet.
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
