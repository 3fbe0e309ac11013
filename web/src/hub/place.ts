// One consumer's place among all who share a stream: which events are its own, and from where on.

import type { ConnectionState, ConnectOptions, Interest } from "../connection.js";
import { type Cursor, parseCursor } from "../cursor.js";
import { concerns } from "../interest.js";
import type { EventType, OutboxEvent, ResetReason } from "../protocol.js";
import { had, within } from "./recent.js";

/** Somebody who wants events, and what it would like the connection to be when it is opened. */
export interface Consumer
  extends Interest,
    Pick<ConnectOptions, "reconnectDelay" | "maxReconnectAttempts" | "debug"> {
  /**
   * A cursor, as of `rowcast.current_cursor()`: what is shown already. Events after it are handed out, those that came
   * before joining too. Where they can no longer be had, `onReset` is called.
   */
  since?: string | undefined;
  /** Every event that it is interested in, once and as it comes. */
  onEvent?: ((event: OutboxEvent) => void) | undefined;
  /** Events were missed that can no longer be had: fetch again what is shown, now. */
  onReset?: ((reason: ResetReason) => void) | undefined;
  /** The connection as this consumer has it: `error` when it alone may not see what it wants. */
  onState?: ((state: ConnectionState) => void) | undefined;
}

/** From where on it is owed events of some types. */
export interface Start {
  /** Absent: all of them. */
  readonly types: readonly EventType[] | undefined;
  readonly since: string;
  /** Null when it cannot be read. */
  readonly cursor: Cursor | null;
  /** What came before it joined has not been handed out yet, so nothing else may be. */
  pending: boolean;
}

export class Place {
  readonly consumer: Consumer;
  interest: Interest;
  #starts: Start[] = [];
  #left = false;
  readonly #reportError: (error: unknown) => void;

  constructor(consumer: Consumer, reportError: (error: unknown) => void) {
    this.consumer = consumer;
    this.#reportError = reportError;
    const { subscriptions, organizationId, since } = consumer;
    this.interest = { subscriptions, organizationId };
    if (since !== undefined) this.begin(subscriptions, since);
  }

  /** It has a start that nobody has seen to. */
  get isNew(): boolean {
    return this.#starts.some(({ pending }) => pending);
  }

  get left(): boolean {
    return this.#left;
  }

  leave(): void {
    this.#left = true;
  }

  begin(types: readonly EventType[] | undefined, since: string): void {
    if (types?.length === 0) return;
    this.#starts.push({ types, since, cursor: parseCursor(since), pending: true });
  }

  /** Where it begins, if that has not been seen to; from now on it has. */
  takeStarts(): readonly Start[] {
    const starts = this.#starts.filter(({ pending }) => pending);
    for (const start of starts) start.pending = false;
    return starts;
  }

  /** The stream is here: what it brings from now on is new to everybody whose start lies behind. */
  pass(cursor: Cursor): void {
    this.#starts = this.#starts.filter(
      (start) => start.pending || !start.cursor || !within(start.cursor, cursor),
    );
  }

  /** Hands out the event, if it is one of its own. */
  offer(event: OutboxEvent): void {
    if (this.#left || !concerns(this.interest, event)) return;
    for (const { types, pending, cursor } of this.#starts) {
      const isOfIt = types?.includes(event.type) ?? true;
      if (isOfIt && (pending || (cursor && had(cursor, event)))) return;
    }
    this.#call(() => this.consumer.onEvent?.(event));
  }

  /** Says that events were missed; cursors from before mean nothing any more. */
  reset(reason: ResetReason): void {
    this.#starts = this.#starts.filter(({ pending }) => pending);
    if (!this.#left) this.#call(() => this.consumer.onReset?.(reason));
  }

  tell(state: ConnectionState): void {
    if (!this.#left) this.#call(() => this.consumer.onState?.(state));
  }

  /** What one consumer throws is no reason for the others to miss anything. */
  #call(call: () => void): void {
    try {
      call();
    } catch (thrown) {
      this.#reportError(thrown);
    }
  }
}
