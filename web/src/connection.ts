// The names and shapes of a connection, apart from how it works: whatever carries events, one `fetch` stream or one tab
// that shares its stream with others, takes these options and speaks to these handlers.

import type { Environment } from "./environment.js";
import type { RowcastError } from "./errors.js";
import type { EventType, OutboxEvent, ResetReason } from "./protocol.js";

/** How a connection is, in one word. */
export type Status = "disconnected" | "connecting" | "connected" | "reconnecting" | "error";

/** How events come: one `fetch` that goes on, one request after the other, or the browser's own `EventSource`. */
export type Transport = "stream" | "poll" | "eventsource";

/** Whose stream it is: this page's own, one that it shares with other tabs, or that of another tab. */
export type Role = "alone" | "leader" | "follower";

/** What somebody wants to be told of. */
export interface Interest {
  /** Absent: every type that the user may see. */
  subscriptions?: readonly EventType[] | undefined;
  /** Absent: every organization of the user. */
  organizationId?: string | undefined;
}

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
  readonly transport: Transport;
  /**
   * Milliseconds from the last event's timestamp to its arrival, corrected by what `connected` told of the server's
   * clock; null before the first event. A replay shows how far behind it is.
   */
  readonly lag: number | null;
  /** When the token ends, and the stream with it, as far as the server has said: RFC 3339. */
  readonly expiresAt: string | null;
  readonly role: Role;
}

/** What is known of a connection before it has begun. */
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
  transport: "stream",
  lag: null,
  expiresAt: null,
  role: "alone",
};

/** Why a token is asked for. */
export interface TokenRequest {
  /** The token that the server has just turned down, or null. */
  readonly refused: string | null;
  /** The one in use ends within a minute: a new one, if it can be had, keeps the stream open. */
  readonly expiring: boolean;
}

/**
 * Called for every attempt, and when the token in use is about to end. After a refusal a new token gets one more
 * attempt; the same one, or null, ends the connection. While one is expiring, the same one, null or a failure only
 * mean that the stream ends with it, and that the next attempt asks again.
 */
export type TokenSource = (request: TokenRequest) => string | null | Promise<string | null>;

/** Where a cursor outlives the page. What it throws is reported and does not end the stream. */
export interface CursorStorage {
  read(): string | null;
  /** About once a second, and when the page is left. Never ahead of what was handed out. */
  write(cursor: string): void;
}

export interface ConnectOptions extends Interest {
  /** Absent: the browser sends the server's cookie (`ROWCAST_TOKEN_COOKIE`), to its own origin. */
  token?: TokenSource | undefined;
  /** Where the stream is: `/api/v1/realtime/sse` unless another server has it. */
  url?: string | undefined;
  /** A cursor to resume from; absent: begin at the head. */
  lastEventId?: string | undefined;
  /** Milliseconds that the back-off starts from, until the server says `retry:`; at least 100. 1000. */
  reconnectDelay?: number | undefined;
  /** Resumes across reloads of the page; `lastEventId` counts more. `sessionCursor` makes one. */
  storage?: CursorStorage | undefined;
  /** Attempts in a row before it gives up until it is woken. No limit. */
  maxReconnectAttempts?: number | undefined;
  debug?: ((message: string, detail?: unknown) => void) | undefined;
}

/** Who is told of what happens. */
export interface ConnectionHandlers {
  /** Each event exactly once, in the order of the stream. */
  onEvent(event: OutboxEvent): void;
  onState?(state: ConnectionState): void;
  /** Events were missed that can no longer be had: fetch again what is shown, now. The stream goes on. */
  onReset(reason: ResetReason): void;
}

/** A connection as long as it is wanted. */
export interface Connection {
  readonly state: ConnectionState;
  /** Begins, or begins again at once, whatever it is waiting for. */
  reconnect(): void;
  /** Ends it, at once: nothing more is handed out. `reconnect` would resume where it was. */
  close(): void;
  /**
   * Changes what the stream covers. Types are changed on the open stream; another organization, or all types where
   * there was a list, opens it anew from the cursor. Resolves once that is in force, at the latest with the next
   * `connected`. Rejects with a `RowcastError` when the server refuses it, and then nothing has changed. Trouble that
   * passes is waited out.
   */
  want(interest: Interest, options?: WantOptions): Promise<void>;
}

/** How what is wanted is brought into force. */
export interface WantOptions {
  /** A cursor, as of `rowcast.current_cursor()`: the types that are added begin there. Absent: from now on. */
  since?: string | undefined;
}

/** What makes a connection: `connect`, or another that keeps the same promise. */
export type Connect = (
  options: ConnectOptions,
  handlers: ConnectionHandlers,
  environment?: Environment,
) => Connection;
