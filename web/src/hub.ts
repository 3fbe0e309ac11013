// One connection for everybody on a page who wants events: opens with the first, closes with the last, and gives each what
// it asked for, as it comes. Framework-free.

import { connect as connectAlone } from "./connect.js";
import { type Connection, type ConnectionState, type ConnectOptions, initialState } from "./connection.js";
import { browser, type Environment } from "./environment.js";
import type { EventType, OutboxEvent, ResetReason } from "./protocol.js";

/** What somebody wants to be told of. Absent: everything that the user may see. */
export interface Interest {
  subscriptions?: readonly EventType[] | undefined;
  organizationId?: string | undefined;
}

export interface Consumer extends Interest {
  /** A cursor: what is shown already. Events from there on are handed out, those before joining too. */
  since?: string | undefined;
  /** Every event that it is interested in, as it comes: nothing is batched or left out. */
  onEvent?: ((event: OutboxEvent) => void) | undefined;
  onReset?: ((reason: ResetReason) => void) | undefined;
  onState?: ((state: ConnectionState) => void) | undefined;
}

/** A consumer's place in the hub. */
export interface Seat {
  /** Changes what the consumer wants. Resolves once that is in force. */
  want(interest: Interest, options?: { since?: string | undefined }): Promise<void>;
  leave(): void;
}

export interface Hub {
  readonly state: ConnectionState;
  join(consumer: Consumer): Seat;
  /** Follows the state without holding the connection open. */
  watch(onState: (state: ConnectionState) => void): () => void;
  reconnect(): void;
  /** Ends the connection until `reconnect`, or until everybody has left. */
  disconnect(): void;
}

/** Makes a hub; nothing is requested before somebody joins. */
export function createHub(
  options: Omit<ConnectOptions, "lastEventId">,
  {
    connect = connectAlone,
    environment = browser,
  }: { connect?: typeof connectAlone; environment?: Environment } = {},
): Hub {
  const consumers = new Set<Consumer>();
  const watchers = new Set<(state: ConnectionState) => void>();
  let connection: Connection | undefined;
  let stopped = false;

  const handlers = {
    onState(state: ConnectionState) {
      for (const watcher of [...watchers]) watcher(state);
      for (const consumer of [...consumers]) consumer.onState?.(state);
    },
    onEvent(event: OutboxEvent) {
      for (const consumer of [...consumers]) if (matches(consumer, event)) consumer.onEvent?.(event);
    },
    onReset(reason: ResetReason) {
      for (const consumer of [...consumers]) consumer.onReset?.(reason);
    },
  };
  const reconnect = (): void => {
    stopped = false;
    if (connection) connection.reconnect();
    else if (consumers.size > 0) connection = connect(options, handlers, environment);
  };

  return {
    get state() {
      return connection?.state ?? initialState;
    },
    join(consumer) {
      let current: Consumer = { ...consumer };
      consumers.add(current);
      if (!connection && !stopped) reconnect();
      return {
        async want(interest) {
          consumers.delete(current);
          current = {
            ...current,
            subscriptions: interest.subscriptions,
            organizationId: interest.organizationId,
          };
          consumers.add(current);
        },
        leave() {
          consumers.delete(current);
          // Not at once: React's strict mode lets go and takes hold again in the same breath.
          queueMicrotask(() => {
            if (consumers.size > 0) return;
            connection?.close();
            connection = undefined;
            stopped = false;
          });
        },
      };
    },
    watch(onState) {
      watchers.add(onState);
      return () => watchers.delete(onState);
    },
    reconnect,
    disconnect() {
      stopped = true;
      connection?.close();
    },
  };
}

function matches({ subscriptions, organizationId }: Interest, event: OutboxEvent): boolean {
  if (subscriptions && !subscriptions.includes(event.type)) return false;
  return (
    organizationId === undefined ||
    event.organizationId === undefined ||
    event.organizationId === organizationId
  );
}
