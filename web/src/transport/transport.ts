// What every way by which events come has in common: it is asked once, tells what it reads, and ends for a reason.

import type { Transport } from "../connection.js";
import type { Environment } from "../environment.js";
import { RowcastError } from "../errors.js";
import type { SseMessage } from "../parse.js";
import type { RowcastEvent } from "../protocol.js";
import type { Request } from "./request.js";

/** One message, and what the app has had once it has been handed out. */
export interface Arrival {
  /** Absent: a heartbeat, or nothing that could be read; only the cursor counts. */
  readonly event: RowcastEvent | undefined;
  readonly cursor: string;
}

/** What one read brought, and where it left off. The first one of a stream brings nothing: it was accepted. */
export interface Read {
  readonly transport: Transport;
  readonly arrivals: readonly Arrival[];
  readonly cursor: string;
  /** What the server said last of when to come back, in milliseconds. */
  readonly retry?: number | undefined;
}

/** Reads until it ends or `abort` is used; returns why it ended, an abort's reason included. */
export type ReadEvents = (
  request: Request,
  abort: AbortController,
  environment: Environment,
  onRead: (read: Read) => void,
) => Promise<RowcastError>;

/** What a message of a stream says. One that cannot be read is reported, and does not end the stream. */
export function arrivalOf(message: SseMessage, environment: Environment): Arrival {
  const arrival = { event: undefined, cursor: message.lastEventId };
  if (message.event === "cursor") return arrival;
  try {
    return { ...arrival, event: JSON.parse(message.data) as RowcastEvent };
  } catch (cause) {
    environment.reportError(new RowcastError("protocol", "a message is not JSON", { cause }));
    return arrival;
  }
}

/** Milliseconds. What comes so long after the greeting came by itself, and was not pushed along with it. */
export const BY_ITSELF = 5_000;

/** Whether it brings the first word of a server that has let us in. */
export function isGreeting({ arrivals }: Read): boolean {
  return arrivals.some(
    ({ event }) => event?.type === "connection_status" && event.data.status === "connected",
  );
}
