// The names and shapes of a connection, apart from how it works: whatever carries events, one `fetch` stream or one tab
// that shares its stream with others, takes these options and speaks to these handlers.

import type { RowcastError } from "./errors.js";
import type { EventType, OutboxEvent, ResetReason } from "./protocol.js";

export type Status = "disconnected" | "connecting" | "connected" | "reconnecting" | "error";

/** What is known about the connection. Replaced, never changed in place. */
export interface ConnectionState {
  readonly status: Status;
  /** Why it is not connected; null once it is. */
  readonly error: RowcastError | null;
  /** Failed attempts in a row. */
  readonly attempt: number;
  /** When the next attempt is due, in milliseconds of wall time; null when none is planned. */
  readonly retryAt: number | null;
  /** How often a stream was established again. */
  readonly reconnects: number;
  /** The position to resume from; empty before the first stream. */
  readonly cursor: string;
  readonly connectionId: string | null;
  /** The types that this stream covers, as the server says. Empty until the first stream. */
  readonly subscriptions: readonly string[];
  /** The organizations that it covers; null for all of them, and until the first stream. */
  readonly organizations: readonly string[] | null;
  /** The server has lost its database; the stream stays open and catches up. */
  readonly degraded: boolean;
  /** Events that came again and were dropped. */
  readonly duplicates: number;
  /** When the last bytes came, in milliseconds of wall time; null before the first. */
  readonly heardAt: number | null;
}

export const initialState: ConnectionState = {
  status: "disconnected",
  error: null,
  attempt: 0,
  retryAt: null,
  reconnects: 0,
  cursor: "",
  connectionId: null,
  subscriptions: [],
  organizations: null,
  degraded: false,
  duplicates: 0,
  heardAt: null,
};

/**
 * Called for every attempt. `refused` is the token that the server has just turned down: a new one gets one more
 * attempt; the same one, or null, ends the connection.
 */
export type TokenSource = (request: { refused: string | null }) => string | null | Promise<string | null>;

export interface ConnectOptions {
  token: TokenSource;
  /** Where the stream is: `/api/v1/realtime/sse` unless another server has it. */
  url?: string | undefined;
  /** Absent: every type that the user may see. */
  subscriptions?: readonly EventType[] | undefined;
  /** Absent: every organization of the user. */
  organizationId?: string | undefined;
  /** A cursor to resume from; absent: begin at the head. */
  lastEventId?: string | undefined;
  /** Milliseconds that the back-off starts from, until the server says `retry:`. 1000. */
  reconnectDelay?: number | undefined;
  /** Attempts in a row before it gives up until it is woken. No limit. */
  maxReconnectAttempts?: number | undefined;
  debug?: ((message: string, detail?: unknown) => void) | undefined;
}

export interface ConnectionHandlers {
  /** Each event exactly once, in the order of the stream. */
  onEvent(event: OutboxEvent): void;
  onState(state: ConnectionState): void;
  /** Events were missed that can no longer be had: fetch again what is shown, now. The stream goes on. */
  onReset(reason: ResetReason): void;
}

export interface Connection {
  readonly state: ConnectionState;
  /** Begins, or begins again at once, whatever it is waiting for. */
  reconnect(): void;
  /** Ends it; `reconnect` would resume where it was. */
  close(): void;
}
