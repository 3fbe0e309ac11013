// What has been read becomes what the app is told: each event once, and what the server says of the connection.

import type { ConnectionHandlers, ConnectionState } from "./connection.js";
import type { Environment } from "./environment.js";
import { RowcastError } from "./errors.js";
import type { ConnectionStatusEvent } from "./protocol.js";
import { isId, type Seen } from "./seen.js";
import type { Arrival, Read } from "./transport/transport.js";

/** What does not throw: the app's own faults are the app's to see, and no reason to lose the stream. */
export function shield(
  handlers: ConnectionHandlers,
  { reportError }: Environment,
): Required<ConnectionHandlers> {
  const guard = (call: () => void) => {
    try {
      call();
    } catch (thrown) {
      reportError(thrown);
    }
  };
  return {
    onEvent: (event) => guard(() => handlers.onEvent(event)),
    onState: (state) => guard(() => handlers.onState?.(state)),
    onReset: (reason) => guard(() => handlers.onReset(reason)),
  };
}

export class Inbox {
  readonly #seen: Seen;
  readonly #handlers: ConnectionHandlers;
  readonly #environment: Environment;
  readonly #onStatus: (event: ConnectionStatusEvent) => void;
  #duplicates = 0;
  #lag: number | null = null;
  /** Milliseconds that our clock is ahead of the server's, as far as the way of a greeting tells. */
  #ahead = 0;

  /** `handlers` do not throw. `onStatus` is told what the server says, after what concerns the events has been done. */
  constructor(
    seen: Seen,
    handlers: ConnectionHandlers,
    environment: Environment,
    onStatus: (event: ConnectionStatusEvent) => void,
  ) {
    this.#seen = seen;
    this.#handlers = handlers;
    this.#environment = environment;
    this.#onStatus = onStatus;
  }

  /** Hands out what a read brought, until `life` ends, and returns what is known then. */
  take({ arrivals, cursor, transport }: Read, life: AbortSignal): Partial<ConnectionState> {
    for (const arrival of arrivals) {
      if (life.aborted) break;
      this.#dispatch(arrival);
      this.#seen.advance(arrival.cursor);
    }
    if (!life.aborted) this.#seen.advance(cursor);
    // Only now: what is resumed from must never be ahead of what was handed out.
    return {
      cursor: this.#seen.cursor,
      heardAt: this.#environment.now(),
      duplicates: this.#duplicates,
      lag: this.#lag,
      transport,
    };
  }

  #dispatch({ event, cursor }: Arrival): void {
    if (event?.type === "connection_status") {
      this.#heed(event, cursor);
      return;
    }
    // Not at once: the server, which speaks first, may ask for the same.
    if (this.#seen.takeOrphans()) this.#handlers.onReset("cursor_ahead");
    if (!event) this.#seen.beat();
    else if (!isId(event.id))
      this.#environment.reportError(new RowcastError("protocol", "a message is not an event of the outbox"));
    else if (this.#seen.admit(event.id, event.type)) {
      this.#lag = Math.max(0, this.#environment.now() - this.#ahead - Date.parse(event.timestamp));
      this.#handlers.onEvent(event);
    } else this.#duplicates += 1;
  }

  #heed(event: ConnectionStatusEvent, cursor: string): void {
    const { data } = event;
    if (data.status === "connected") {
      // What a poll has said in the server's stead tells nothing of the server's clock.
      if (data.connectionId) this.#ahead = this.#environment.now() - Date.parse(event.timestamp);
      this.#seen.open();
    }
    this.#onStatus(event);
    if (data.status !== "reset") return;
    this.#seen.restart(cursor);
    this.#handlers.onReset(data.reason);
  }
}
