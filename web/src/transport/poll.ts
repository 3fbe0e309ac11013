// The same events by one request after the other, for where something in between holds streams back. Looks from above
// like a stream: it says `connected`, `reset`, `degraded` and `recovered` in the server's stead.

import { backoff, pause } from "../backoff.js";
import { RowcastError, toRowcastError } from "../errors.js";
import type { ConnectionStatus, OutboxEvent, ResetReason } from "../protocol.js";
import { ask, type Request, urlOf } from "./request.js";
import type { Arrival, ReadEvents } from "./transport.js";
import { Watchdog } from "./watchdog.js";

/** Seconds that the server waits for the first event. Less than what most proxies give up after. */
const WAIT = 25;
/** The most events of one answer. */
const LIMIT = 1000;
/** Milliseconds between two requests, unless the answer was full: a busy stream is asked for four times a second. */
const PACE = 250;

interface Answer {
  events: OutboxEvent[];
  cursor: string;
  reset?: ResetReason;
}

export const readPolls: ReadEvents = async (request, abort, environment, onRead) => {
  const { signal } = abort;
  let { cursor } = request;
  let connected = false;
  let failures = 0;
  const arrival = (data: ConnectionStatus): Arrival => {
    const timestamp = new Date(environment.now()).toISOString();
    return { event: { type: "connection_status", timestamp, data }, cursor };
  };
  const tell = (arrivals: Arrival[]): void => {
    signal.throwIfAborted();
    onRead({ transport: "poll", arrivals, cursor });
  };
  try {
    for (;;) {
      signal.throwIfAborted();
      const askedAt = environment.now();
      // The first answer comes at once: it says whether we are let in.
      const wait = connected && failures === 0 ? WAIT : 0;
      let answer: Answer;
      try {
        answer = await poll({ ...request, cursor }, wait);
      } catch (thrown) {
        const error = toRowcastError(thrown);
        // The server has lost its database. A stream would stay open.
        if (!connected || error.code !== "not_ready") throw error;
        failures += 1;
        if (failures === 1) tell([arrival({ status: "degraded" })]);
        await pause(
          (error.retryAfter ?? 0) + backoff(failures, 1000, environment.random),
          signal,
          environment,
        );
        continue;
      }
      const { events, reset } = answer;
      const arrivals = connected ? [] : [arrival({ status: "connected", ...coverageOf(request) })];
      if (failures > 0) arrivals.push(arrival({ status: "recovered" }));
      const before = continued(cursor, answer.cursor);
      // In another life of the database the same ids are other events: first it has to be known.
      if (before !== cursor) arrivals.push({ event: undefined, cursor: before });
      cursor = answer.cursor;
      if (reset) arrivals.push(arrival({ status: "reset", reason: reset }));
      // Only the last one may claim all of them.
      for (const event of events) arrivals.push({ event, cursor: event === events.at(-1) ? cursor : before });
      tell(arrivals);
      connected = true;
      failures = 0;
      if (events.length < LIMIT)
        await pause(PACE - Math.max(environment.now() - askedAt, 0), signal, environment);
    }
  } catch (thrown) {
    return toRowcastError(signal.aborted ? signal.reason : thrown);
  } finally {
    abort.abort();
  }

  async function poll(request: Request, wait: number): Promise<Answer> {
    const watchdog = new Watchdog(environment, abort);
    try {
      const after: Record<string, string> = request.cursor === "" ? {} : { after: request.cursor };
      const url = urlOf(request, "events", { ...after, wait: String(wait), limit: String(LIMIT) });
      const response = await ask(url, request.token, { signal }, environment);
      const answer = (await response.json().catch(() => null)) as Partial<Answer> | null;
      if (typeof answer?.cursor !== "string" || !answer.events)
        throw new RowcastError("protocol", "the answer is not that of a poll");
      return { ...answer, events: answer.events, cursor: answer.cursor };
    } finally {
      watchdog.stop();
    }
  }
};

/** A poll is told nothing of what it covers, so this is what was asked for. */
function coverageOf({ subscriptions = [], organizationId }: Request) {
  const organizations = organizationId === undefined ? undefined : [organizationId];
  return { connectionId: "", subscriptions: [...subscriptions], ...(organizations && { organizations }) };
}

/** The cursor from before the events of an answer, in the life of the database to which they belong. */
function continued(before: string, after: string): string {
  return before.replace(/@\d+$/, "") + (/@\d+$/.exec(after)?.[0] ?? "");
}
