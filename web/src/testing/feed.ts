// A world in miniature for tests of whoever uses a connection: a log of events, and connections to it that keep the
// promises of the real one. Nothing happens to a connection before `settle`.

import {
  type Connect,
  type Connection,
  type ConnectionHandlers,
  type ConnectionState,
  type ConnectOptions,
  type Interest,
  initialState,
  type WantOptions,
} from "../connection.js";
import { RowcastError } from "../errors.js";
import { concerns } from "../interest.js";
import type { EventType, OutboxEvent } from "../protocol.js";

export class Feed {
  readonly log: OutboxEvent[] = [];
  readonly connections: FeedConnection[] = [];
  /** Types that the user may not see. */
  readonly forbidden = new Set<EventType>();
  readonly organizations = ["o1", "o2"];

  readonly connect: Connect = (options, handlers) => {
    const connection = new FeedConnection(this, options, handlers);
    this.connections.push(connection);
    return connection;
  };

  get head(): number {
    return this.log.length;
  }

  get open(): FeedConnection[] {
    return this.connections.filter(({ state }) => state.status !== "disconnected");
  }

  get last(): FeedConnection {
    const connection = this.connections.at(-1);
    if (!connection) throw new Error("nothing was connected");
    return connection;
  }

  /** Something happens; open streams bring it at once. */
  emit(type: EventType, organizationId?: string): OutboxEvent {
    const scope = organizationId === undefined ? {} : { organizationId };
    const event = { ...scope, id: `${this.head + 1}`, type, data: {} } as unknown as OutboxEvent;
    this.log.push(event);
    for (const connection of this.open) connection.read();
    return event;
  }

  /** Lets everything come to rest. */
  async settle(): Promise<void> {
    for (let round = 0; round < 6; round += 1) {
      for (const connection of this.open) connection.step();
      for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
    }
  }

  refuses({ subscriptions = [] }: Interest): RowcastError | null {
    if (!subscriptions.some((type) => this.forbidden.has(type))) return null;
    return new RowcastError("forbidden", "a type may not be seen", { code: "permission_required" });
  }
}

interface Want {
  interest: Interest;
  since: string | undefined;
  resolve: () => void;
  reject: (error: RowcastError) => void;
}

export class FeedConnection implements Connection {
  state: ConnectionState;
  readonly options: ConnectOptions;
  readonly wants: Interest[] = [];
  readonly #feed: Feed;
  readonly #handlers: ConnectionHandlers;
  #interest: Interest;
  #pending: Want[] = [];
  readonly #had = new Set<string>();

  constructor(feed: Feed, options: ConnectOptions, handlers: ConnectionHandlers) {
    this.#feed = feed;
    this.options = options;
    this.#handlers = handlers;
    this.#interest = { subscriptions: options.subscriptions, organizationId: options.organizationId };
    this.state = { ...initialState, cursor: options.lastEventId ?? "" };
    this.set({ status: "connecting" });
  }

  /** What the stream covers. */
  get interest(): Interest {
    return this.#interest;
  }

  want(interest: Interest, { since }: WantOptions = {}): Promise<void> {
    this.wants.push(interest);
    return new Promise((resolve, reject) => this.#pending.push({ interest, since, resolve, reject }));
  }

  reconnect(): void {
    this.set({ status: "reconnecting" });
  }

  close(): void {
    this.set({ status: "disconnected" });
  }

  /** What it is about to do: answer wishes, and connect. */
  step(): void {
    for (const { interest, since, resolve, reject } of this.#pending.splice(0)) {
      const refusal = this.#feed.refuses(interest);
      if (refusal) {
        reject(refusal);
        continue;
      }
      if (since !== undefined) this.#replay(interest, since);
      this.#interest = interest;
      resolve();
      if (this.state.status === "error") this.set({ status: "reconnecting" });
    }
    if (this.state.status !== "connecting" && this.state.status !== "reconnecting") return;
    const error = this.#feed.refuses(this.#interest);
    if (error) {
      this.set({ status: "error", error });
      return;
    }
    const { organizationId } = this.#interest;
    const types: EventType[] = ["document_processing", "user_activity", "system_health", "performance_alert"];
    this.set({
      status: "connected",
      error: null,
      cursor: this.state.cursor || `${this.#feed.head}`,
      subscriptions: this.#interest.subscriptions ?? types.filter((type) => !this.#feed.forbidden.has(type)),
      organizations: organizationId === undefined ? this.#feed.organizations : [organizationId],
    });
    this.read();
  }

  /** One read of the stream: all that is new. */
  read(): void {
    if (this.state.status !== "connected") return;
    for (const event of this.#feed.log.slice(Number(this.state.cursor))) {
      if (concerns(this.#interest, event) && !this.#feed.forbidden.has(event.type)) this.#hand(event);
    }
    this.set({ cursor: `${this.#feed.head}` });
  }

  reset(): void {
    this.#handlers.onReset("history_expired");
    this.set({ cursor: `${this.#feed.head}` });
  }

  set(change: Partial<ConnectionState>): void {
    this.state = { ...this.state, ...change };
    this.#handlers.onState?.(this.state);
  }

  #replay({ subscriptions, organizationId }: Interest, since: string): void {
    const added = subscriptions?.filter((type) => this.#interest.subscriptions?.includes(type) === false);
    for (const event of this.#feed.log.slice(Number(since), Number(this.state.cursor))) {
      if (concerns({ subscriptions: added, organizationId }, event)) this.#hand(event);
    }
  }

  #hand(event: OutboxEvent): void {
    if (this.#had.has(event.id)) return;
    this.#had.add(event.id);
    this.#handlers.onEvent(event);
  }
}
