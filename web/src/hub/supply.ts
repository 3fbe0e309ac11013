// One connection, with what is asked of it and what it has brought lately.

import {
  type Connect,
  type Connection,
  type ConnectionHandlers,
  type ConnectionState,
  type ConnectOptions,
  type Interest,
  initialState,
} from "../connection.js";
import { parseCursor } from "../cursor.js";
import type { Environment } from "../environment.js";
import type { RowcastError } from "../errors.js";
import type { OutboxEvent } from "../protocol.js";
import { Demand } from "./demand.js";
import type { Start } from "./place.js";
import { Recent, within } from "./recent.js";

export interface SupplyHandlers extends Required<ConnectionHandlers> {
  /** What was asked for last is in force. */
  onSettled(): void;
  /** What was asked for last was refused; nothing has changed. */
  onRefused(error: RowcastError): void;
}

/** What somebody is owed who begins at a cursor. */
export interface Owed {
  /** What has been handed out already, in the order of the stream. */
  readonly events: readonly OutboxEvent[];
  /** The rest has to be asked for from that cursor on. */
  readonly asks: boolean;
}

export class Supply {
  readonly #connection: Connection;
  readonly #demand: Demand;
  readonly #recent = new Recent();
  #state = initialState;
  #closed = false;

  constructor(request: ConnectOptions, connect: Connect, environment: Environment, handlers: SupplyHandlers) {
    const { subscriptions, organizationId } = request;
    this.#demand = new Demand(
      { subscriptions, organizationId },
      (interest, options) => this.#connection.want(interest, options),
      environment,
      {
        onAsk: (added, since) => {
          if (added) this.#recent.widen(added, since);
          else this.#recent.pause();
        },
        onSettled: () => {
          this.#recent.resume(this.#state.cursor);
          if (!this.#closed) handlers.onSettled();
        },
        onRefused: (error) => {
          this.#recent.resume(this.#state.cursor);
          if (!this.#closed) handlers.onRefused(error);
        },
      },
    );
    this.#connection = connect(
      request,
      {
        onEvent: (event) => {
          if (!this.#closed && this.#recent.add(event)) handlers.onEvent(event);
        },
        onState: (state) => {
          if (this.#closed) return;
          this.#state = state;
          this.#recent.advance(state.cursor);
          handlers.onState(state);
          this.#demand.follow(state);
        },
        onReset: (reason) => {
          if (this.#closed) return;
          this.#recent.forget();
          handlers.onReset(reason);
        },
      },
      environment,
    );
  }

  reconnect(): void {
    this.#connection.reconnect();
  }

  /** Ends the stream; `reconnect` would resume it. */
  disconnect(): void {
    this.#connection.close();
  }

  /** Ends it for good. */
  close(): void {
    this.#demand.close();
    this.#connection.close();
    this.#closed = true;
  }

  /** Sees to it that the stream has all of this, and in the end no more; types that are added begin at `since`. */
  need(needed: Interest, since: string | undefined): void {
    this.#demand.need(needed, since);
  }

  has(interest: Interest): boolean {
    return this.#demand.has(interest);
  }

  /** After a refusal: whether there is another way, which it takes. */
  makeDo(error: RowcastError): boolean {
    return this.#demand.makeDo(error);
  }

  /** The state as somebody has it who wants this: not connected before the stream has it, an error if it may not be seen. */
  stateFor(interest: Interest): ConnectionState {
    const state = this.#state;
    if (state.status !== "connected") return state;
    const error = this.#demand.refusal(interest, state);
    if (error) return { ...state, status: "error", error };
    return this.#demand.has(interest) ? state : { ...state, status: "connecting" };
  }

  /** What somebody is owed who begins there; null when it can no longer be had. All in all, `needed` is about to be. */
  owed({ types, cursor }: Start, organizationId: string | undefined, needed: Interest): Owed | null {
    if (!cursor) return null;
    const missing = this.#demand.missing({ subscriptions: types, organizationId });
    if (missing === null || (missing.length > 0 && this.#demand.missing(needed) === null)) {
      // That takes another stream, which goes on from where this one is.
      const position = parseCursor(this.#state.cursor);
      return position && within(position, cursor) ? { events: [], asks: false } : null;
    }
    const present = types?.filter((type) => !missing.includes(type));
    const reaches =
      present?.length === 0 || this.#recent.reaches(cursor, { subscriptions: present, organizationId });
    // What was brought of the missing types, while somebody wanted them, does not come again.
    if (!reaches || !this.#recent.remembers(cursor, missing)) return null;
    const events = this.#recent.after(cursor, { subscriptions: types, organizationId });
    return { events, asks: missing.length > 0 };
  }
}
