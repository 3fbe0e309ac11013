// What one consumer remembers of a stream: its state, the last events, how many of each type. Framework-free; `subscribe`
// and `getSnapshot` are what `useSyncExternalStore` and its kin in other frameworks ask for.

import {
  type ConnectionState,
  type ConnectOptions,
  type Interest,
  initialState,
  type WantOptions,
} from "./connection.js";
import { Fold } from "./fold.js";
import { nextFrame, type Schedule } from "./frame.js";
import type { Hub, Seat } from "./hub/hub.js";
import type { EventOf, EventType, ResetReason } from "./protocol.js";

/** How many events came. */
export interface StreamStats {
  /** Events since the store was made, those no longer kept included. */
  readonly received: number;
  readonly byType: Readonly<Record<string, number>>;
}

/** What a store remembers. Replaced, never changed in place. */
export interface Snapshot<Types extends EventType = EventType> {
  readonly connection: ConnectionState;
  /** The last events, oldest first. */
  readonly events: readonly EventOf<Types>[];
  readonly stats: StreamStats;
}

/** What a store is for. */
export interface StoreOptions<Types extends EventType = EventType>
  extends Pick<ConnectOptions, "reconnectDelay" | "maxReconnectAttempts" | "debug"> {
  /** Absent: every type that the user may see. */
  readonly subscriptions?: readonly Types[] | undefined;
  /** Absent: every organization of the user. */
  readonly organizationId?: string | undefined;
  /** A cursor, as of `rowcast.current_cursor()`: what is shown already. Events after it are handed out. */
  readonly since?: string | undefined;
  /** How many events are kept. 100. */
  readonly maxEvents?: number | undefined;
  /** Events that it does not hold for are left out. */
  readonly filter?: ((event: EventOf<Types>) => boolean) | undefined;
  /** Every event, once and as it comes: nothing is batched or left out. */
  readonly onEvent?: ((event: EventOf<Types>) => void) | undefined;
  /** Events were missed that can no longer be had: fetch again what is shown, now. The stream goes on. */
  readonly onReset?: ((reason: ResetReason) => void) | undefined;
}

/** Events as state, for whatever shows them. */
export interface Store<Types extends EventType = EventType> {
  subscribe(listener: () => void): () => void;
  getSnapshot(): Snapshot<Types>;
  /** Joins the hub until what it returns is called. */
  open(): () => void;
  /** Adds types. Resolves once the stream has them; rejects with a `RowcastError`, and then nothing has changed. */
  add(types: readonly EventType[], options?: WantOptions): Promise<void>;
  /** Takes types away, at once. */
  remove(types: readonly EventType[]): Promise<void>;
  clearEvents(): void;
}

type Input<Types extends EventType> = { state: ConnectionState } | { event: EventOf<Types> } | "clear";

/** Of a store that has not been opened, and of every store while a server renders. */
export const initialSnapshot: Snapshot<never> = {
  connection: initialState,
  events: [],
  stats: { received: 0, byType: {} },
};

/** Makes a store; it joins the hub when it is opened. */
export function createStore<Types extends EventType = EventType>(
  hub: Hub,
  options: StoreOptions<Types> = {},
  schedule: Schedule = nextFrame,
): Store<Types> {
  const { organizationId, since, maxEvents = 100 } = options;
  const fold = new Fold<Snapshot<Types>, Input<Types>>(
    initialSnapshot,
    (was, inputs) => step(was, inputs, maxEvents),
    schedule,
  );
  /** Absent: all but `without`. */
  let types: readonly EventType[] | undefined = options.subscriptions;
  let without: ReadonlySet<EventType> = new Set();
  let seat: Seat | undefined;
  /** Where it was last: opened again, by a page that had hidden it, it goes on from there. */
  let reached: string | undefined;
  const interest = (): Interest => ({ subscriptions: types, organizationId });

  return {
    subscribe: fold.subscribe,
    getSnapshot: fold.getSnapshot,
    open() {
      const joined = hub.join({
        ...interest(),
        since: reached ?? since,
        reconnectDelay: options.reconnectDelay,
        maxReconnectAttempts: options.maxReconnectAttempts,
        // It may be switched on and off.
        get debug() {
          return options.debug;
        },
        onState(state) {
          if (state.status === "connected") reached = state.cursor;
          fold.push({ state });
        },
        onEvent(received) {
          if (without.has(received.type)) return;
          // The hub hands out what was asked for: events of these types.
          const event = received as EventOf<Types>;
          if (options.filter?.(event) === false) return;
          fold.push({ event });
          options.onEvent?.(event);
        },
        onReset: (reason) => options.onReset?.(reason),
      });
      seat = joined;
      fold.push({ state: hub.state });
      return () => {
        joined.leave();
        if (seat === joined) seat = undefined;
      };
    },
    async add(added, wish) {
      const fresh = new Set(added.filter((type) => without.has(type) || types?.includes(type) === false));
      without = new Set([...without].filter((type) => !fresh.has(type)));
      if (types) types = [...types, ...fresh];
      try {
        await seat?.want(interest(), { ...wish, types: [...fresh] });
      } catch (refusal) {
        types = types?.filter((type) => !fresh.has(type));
        throw refusal;
      }
    },
    async remove(removed) {
      if (types) types = types.filter((type) => !removed.includes(type));
      else without = new Set([...without, ...removed]);
      await seat?.want(interest());
    },
    clearEvents: () => fold.push("clear"),
  };
}

function step<Types extends EventType>(
  was: Snapshot<Types>,
  inputs: readonly Input<Types>[],
  maxEvents: number,
): Snapshot<Types> {
  let { connection } = was;
  const events = [...was.events];
  // Types are called as an app likes, `constructor` included.
  const byType: Record<string, number> = Object.assign(Object.create(null), was.stats.byType);
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
  if (!changed) return connection === was.connection ? was : { ...was, connection };
  return {
    connection,
    events: events.slice(Math.max(events.length - maxEvents, 0)),
    stats: { received, byType },
  };
}
