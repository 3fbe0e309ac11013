// One event that no row stands for, written by `rowcast.emit` through whatever client the app has.

import type { EventData, EventType, Priority } from "../protocol.js";
import type { QueryClient } from "./client.js";
import { checkId, checkOneOf, toJson } from "./input.js";

export const PRIORITIES = ["low", "medium", "high", "critical"] as const satisfies readonly Priority[];

/** Whom and what an event is about besides its organization. Null and absent are the same. */
export interface EmitOptions {
  /** Each method has a default of its own; `medium` where it says nothing. */
  priority?: Priority | undefined;
  userId?: string | null | undefined;
  chatbotId?: string | null | undefined;
  sessionId?: string | null | undefined;
}

/** An event to be written. */
export interface Announcement<Type extends EventType> extends EmitOptions {
  type: Type;
  /** Whose event it is. Null, and only null: the whole platform's. */
  organizationId: string | null;
  data: EventData[Type];
}

// The id as text: clients differ in what they make of a bigint. The data by way of text: postgres.js would quote a jsonb parameter once more.
const EMIT =
  "SELECT rowcast.emit($1::text, $2::text, $3::text::jsonb, $4::text, $5::text, $6::text, $7::text)::text AS id";

/**
 * Writes an event of any type, an app's own included. It is delivered when the transaction that the client is in
 * commits, and never if that is rolled back. Data above `max_payload_bytes` (64 KiB) become `{"truncated": true}`.
 *
 * @returns the event's id in the outbox: decimal digits, not a number, because it may pass 2^53.
 * @throws {@link InvalidEventError} before anything is sent; otherwise what the client throws, such as `permission denied
 * for schema rowcast` for a role that may not emit, which inside a transaction has failed the transaction.
 */
export async function emit<Type extends EventType>(
  client: QueryClient,
  { type, organizationId, data, priority = "medium", userId, chatbotId, sessionId }: Announcement<Type>,
): Promise<string> {
  checkId("type", type);
  if (organizationId !== null) checkId("organizationId", organizationId);
  checkOneOf("priority", priority, PRIORITIES);
  const about = { userId: userId ?? null, chatbotId: chatbotId ?? null, sessionId: sessionId ?? null };
  for (const [field, id] of Object.entries(about)) if (id !== null) checkId(field, id);
  const parameters = [
    type,
    organizationId,
    toJson(data),
    priority,
    about.userId,
    about.chatbotId,
    about.sessionId,
  ];
  const { rows } = await client.query(EMIT, parameters);
  return idOf(rows[0]);
}

function idOf(row: unknown): string {
  if (typeof row === "object" && row !== null && "id" in row && typeof row.id === "string") return row.id;
  throw new TypeError(
    "the client's query() answered without a row that has an id: give rows as objects, { rows: [{ id }] }",
  );
}
