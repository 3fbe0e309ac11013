// What one consumer remembers of a stream: its state, the last events, how many of each type. Framework-free; `subscribe`
// and `getSnapshot` are what `useSyncExternalStore` and its kin in other frameworks ask for.

import { type ConnectionState, initialState } from "./connection.js";
import { Fold, nextFrame, type Schedule } from "./fold.js";
import type { Hub, Interest, Seat } from "./hub.js";
import type { EventOf, EventType, ResetReason } from "./protocol.js";

export interface StreamStats {
  /** Events since the store was made, those no longer kept included. */
  readonly received: number;
  readonly byType: Readonly<Record<string, number>>;
}

export interface Snapshot<Types extends EventType = EventType> {
  readonly connection: ConnectionState;
  /** The last events, oldest first. */
  readonly events: readonly EventOf<Types>[];
  readonly stats: StreamStats;
}

export interface StreamListener<Types extends EventType = EventType> {
  /** Every event, as it comes: nothing is batched or left out. */
  onEvent?: ((event: EventOf<Types>) => void) | undefined;
  /** Events were missed that can no longer be had: fetch again what is shown, now. */
  onReset?: ((reason: ResetReason) => void) | undefined;
}

export interface StoreOptions<Types extends EventType = EventType> extends StreamListener<Types> {
  /** Absent: every type that the user may see. */
  subscriptions?: readonly Types[] | undefined;
  /** Absent: every organization of the user. */
  organizationId?: string | undefined;
  /** A cursor: what is shown already. */
  since?: string | undefined;
  /** Events that it does not hold for are left out. */
  filter?: ((event: EventOf<Types>) => boolean) | undefined;
  /** How many events are kept. 100. */
  maxEvents?: number | undefined;
}

export interface Store<Types extends EventType = EventType> {
  subscribe(listener: () => void): () => void;
  getSnapshot(): Snapshot<Types>;
  /** Joins the hub until what it returns is called. */
  open(): () => void;
  /** Adds types to what it is told of. Resolves once they are in force. */
  add(types: readonly EventType[], options?: { since?: string | undefined }): Promise<void>;
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
  const maxEvents = options.maxEvents ?? 100;
  const fold = new Fold<Snapshot<Types>, Input<Types>>(
    initialSnapshot,
    (was, inputs) => step(was, inputs, maxEvents),
    schedule,
  );
  let types: readonly EventType[] | undefined = options.subscriptions;
  let without: readonly EventType[] = [];
  let seat: Seat | undefined;
  const { organizationId, since } = options;

  const interest = (): Interest => ({ subscriptions: types, organizationId });

  return {
    subscribe: fold.subscribe,
    getSnapshot: fold.getSnapshot,
    open() {
      const joined = hub.join({
        ...interest(),
        since,
        onState: (state) => fold.push({ state }),
        onEvent(received) {
          // The hub hands out what was asked for: events of these types.
          const event = received as EventOf<Types>;
          if (without.includes(event.type) || options.filter?.(event) === false) return;
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
      without = without.filter((type) => !added.includes(type));
      if (types) types = [...new Set([...types, ...added])];
      await seat?.want(interest(), wish);
    },
    async remove(removed) {
      without = [...new Set([...without, ...removed])];
      types = types?.filter((type) => !removed.includes(type));
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
