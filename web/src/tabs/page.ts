// The way from a cursor up to now, a page at a time: by the long-poll endpoint without the wait, which opens no stream.

import { follow } from "../abort.js";
import type { Interest, TokenSource } from "../connection.js";
import { Credentials } from "../credentials.js";
import type { Environment } from "../environment.js";
import { RowcastError, toRowcastError } from "../errors.js";
import type { OutboxEvent, ResetReason } from "../protocol.js";
import { ask, urlOf } from "../transport/request.js";
import { Watchdog } from "../transport/watchdog.js";

export interface Page {
  readonly events: readonly OutboxEvent[];
  /** Behind the events, and behind all that was not asked for. */
  readonly cursor: string;
  /** The cursor that was asked with was of no use. */
  readonly reset?: ResetReason;
}

/** Throws a {@link RowcastError}. */
export type AskPage = (want: Interest, after: string, signal: AbortSignal) => Promise<Page>;

/** Asks the server that has the stream at `url`. A token that is turned down is replaced once. */
export function pagesOf(url: string, source: TokenSource | undefined, environment: Environment): AskPage {
  const credentials = new Credentials(source);
  const page = async (want: Interest, after: string, signal: AbortSignal): Promise<Page> => {
    const token = await credentials.next();
    const { subscriptions, organizationId } = want;
    const request = { url, subscriptions, organizationId, token, cursor: after };
    const address = urlOf(request, "events", { after, wait: "0", limit: "1000" });
    const abort = follow(signal);
    // A network that vanished gives no answer, and no error either.
    const watchdog = new Watchdog(environment, abort);
    try {
      const response = await ask(address, token, { signal: abort.signal }, environment);
      const answer: Partial<Page> | null = await response.json().catch(() => null);
      if (typeof answer?.cursor === "string" && answer.events) return answer as Page;
      throw abort.signal.reason ?? new RowcastError("protocol", "the answer is not that of a poll");
    } finally {
      watchdog.stop();
      abort.abort();
    }
  };
  return (want, after, signal) => {
    credentials.forgive();
    return page(want, after, signal).catch((thrown) => {
      const error = toRowcastError(thrown);
      if (error.kind === "unauthorized" && credentials.refuse(error)) return page(want, after, signal);
      throw error;
    });
  };
}
