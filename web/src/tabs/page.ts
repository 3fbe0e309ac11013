// The way from a cursor up to now, a page at a time: by the long-poll endpoint without the wait, which opens no stream.

import type { Interest, TokenSource } from "../connection.js";
import type { Environment } from "../environment.js";
import { RowcastError, toRowcastError } from "../errors.js";
import type { OutboxEvent, ResetReason } from "../protocol.js";
import { ask, urlOf } from "../request.js";

export interface Page {
  readonly events: readonly OutboxEvent[];
  /** Behind the events, and behind all that was not asked for. */
  readonly cursor: string;
  /** The cursor that was asked with was of no use. */
  readonly reset?: ResetReason | undefined;
}

/** Throws a {@link RowcastError}. */
export type AskPage = (want: Interest & { after: string }, signal: AbortSignal) => Promise<Page>;

/** Asks the server that has the stream at `url`. A token that is turned down is replaced once. */
export function pagesOf(url: string, token: TokenSource | undefined, environment: Environment): AskPage {
  return async (want, signal) => {
    const first = await bearer(null);
    try {
      return await page(want, first, signal);
    } catch (thrown) {
      const error = toRowcastError(thrown);
      if (error.kind !== "unauthorized" || first === undefined) throw error;
      const second = await bearer(first);
      if (second === first) throw error;
      return page(want, second, signal);
    }
  };

  async function bearer(refused: string | null): Promise<string | undefined> {
    const given = await token?.({ refused, expiring: false });
    if (given === null) throw new RowcastError("unauthorized", "there is no token");
    return given;
  }

  async function page(
    { after, subscriptions, organizationId }: Interest & { after: string },
    bearer: string | undefined,
    signal: AbortSignal,
  ): Promise<Page> {
    const request = { url, subscriptions, organizationId, token: bearer, cursor: after };
    const address = urlOf(request, "events", { after, wait: "0", limit: "1000" });
    const response = await ask(address, bearer, { signal }, environment);
    const answer = (await response.json().catch(() => null)) as Partial<Page> | null;
    if (typeof answer?.cursor !== "string" || !answer.events) {
      throw new RowcastError("protocol", "the answer is not that of a poll");
    }
    return { events: answer.events, cursor: answer.cursor, reset: answer.reset };
  }
}
