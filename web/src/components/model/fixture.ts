// Events for tests, whose data may be anything, as an adopter's SQL may make it.

import type { EventType, OutboxEvent } from "../../protocol.js";
import type { Projection } from "./projection.js";

let nextId = 1;

export function event(type: EventType, data: unknown, more: object = {}): OutboxEvent {
  const envelope = {
    id: String(nextId++),
    type,
    timestamp: "2026-11-23T09:00:00Z",
    priority: "low",
    source: "public.t",
    operation: "INSERT",
  };
  return { ...envelope, ...more, data } as OutboxEvent;
}

/** The timestamp of that many seconds after nine. */
export const at = (seconds: number) => ({
  timestamp: new Date(Date.parse("2026-11-23T09:00:00Z") + seconds * 1000).toISOString(),
});

/** What a projection makes of events of its type. */
export function fold<Type extends EventType, Value>(
  { type, empty, apply }: Projection<Type, Value>,
  ...events: OutboxEvent[]
): Value {
  return events.reduce<Value>((value, each) => {
    if (each.type !== type) throw new Error(`an event of type ${each.type} among those of ${type}`);
    return apply(value, each as Parameters<typeof apply>[1]);
  }, empty);
}
