// What comes from the server: the generated definitions, and around them what only TypeScript can say.

import type {
  ConnectionStatus,
  ConnectionStatusEvent,
  EnvelopeHead,
  Payload,
  PollPosition,
} from "./generated.js";

export type * from "./generated.js";

/** What every event carries around its data. A field that does not apply is absent, never null. */
export interface Envelope<Type extends string, Data> extends EnvelopeHead {
  type: Type;
  data: Data;
}

/** The data of each built-in event type. */
export type BuiltInEventData = { [BuiltIn in Payload as BuiltIn["type"]]: BuiltIn["data"] };

/**
 * The data of each type that the outbox holds. An app with types of its own adds them here, and every signature of
 * this package knows them:
 *
 *     declare module "@rowcast/client" {
 *       interface EventData { invoice_paid: { invoiceId: string; amount: string } }
 *     }
 */
export interface EventData extends BuiltInEventData {}

/** A type that can be subscribed to. */
export type EventType = keyof EventData;

/** An event of the outbox: `switch (event.type)` narrows `event.data`. */
export type OutboxEvent = EventOf<EventType>;

/** The events of these types alone. */
export type EventOf<Types extends EventType> = { [Type in Types]: Envelope<Type, EventData[Type]> }[Types];

/** What a stream covers. */
export type Coverage = Omit<Extract<ConnectionStatus, { status: "access_changed" }>, "status">;

/** Everything that comes on a stream. */
export type RowcastEvent = OutboxEvent | ConnectionStatusEvent;

/** What a poll is answered. */
export interface PollAnswer extends PollPosition {
  /** The same as on a stream, in the same order. */
  events: OutboxEvent[];
}
