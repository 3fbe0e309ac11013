// What tabs say to each other. Most of it are facts: "whoever has had all up to here, and these events, has had all up
// to there". A fact is true whoever tells it and however late it comes, so nothing depends on there being one leader at
// every moment, nor on every message arriving.

import type { ConnectionState, Interest } from "../connection.js";
import { RowcastError } from "../errors.js";
import type { OutboxEvent } from "../protocol.js";

/** Part of the channel's name: tabs that still run another version of this package keep to themselves. */
export const VERSION = 1;

/** A piece of a stream. */
export interface Fact {
  /** Whoever has had all that this claims; empty at the beginning of a stream that began at the head. */
  readonly from: string;
  readonly to: string;
  readonly events: readonly OutboxEvent[];
  /** Changes when the server has said that a cursor was of no use: then each tab has to ask about its own. */
  readonly life: string;
  /** What the stream covers: to whoever wants more it is no fact. */
  readonly covers: Interest;
}

/** An error as it can be posted. */
export type Trouble = Pick<RowcastError, "kind" | "message" | "code" | "retryAfter">;

/** What is true of the stream, and not of the tab that looks at it. */
export type StreamState = Omit<ConnectionState, "error" | "cursor" | "role"> & {
  readonly error: Trouble | null;
};

export type Message =
  /** The leader, to all: a piece of the stream, and how it is. Every `hello` is answered by one. */
  | { readonly kind: "news"; readonly leader: string; readonly fact: Fact; readonly state: StreamState }
  /** A tab, to the leader: it is there, and wants this. */
  | { readonly kind: "hello"; readonly tab: string; readonly interest: Interest }
  | { readonly kind: "bye"; readonly tab: string }
  /** The leader, to one tab: the server does not give it that. */
  | { readonly kind: "refused"; readonly tab: string; readonly interest: Interest; readonly error: Trouble }
  /** A tab, to the leader: do not wait for the next attempt. */
  | { readonly kind: "again" }
  /** The leader, to all: the user's streams were ended by somebody. */
  | { readonly kind: "stopped"; readonly error: Trouble };

export function toTrouble({ kind, message, code, retryAfter }: RowcastError): Trouble {
  return { kind, message, code, retryAfter };
}

export function fromTrouble(trouble: Trouble): RowcastError {
  return Object.assign(new RowcastError(trouble.kind, trouble.message), trouble);
}
