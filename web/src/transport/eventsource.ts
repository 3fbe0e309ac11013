// One stream by the browser's own `EventSource`, for browsers whose `fetch` cannot read answers while they come. It sets
// no headers, so a ticket stands for the token; and it is closed at its first error, since coming back is done elsewhere.

import { RowcastError, toRowcastError } from "../errors.js";
import type { RowcastEvent } from "../protocol.js";
import { ask, urlOf } from "./request.js";
import { arrivalOf, type ReadEvents } from "./transport.js";
import { MAX_GREETING, MAX_SILENCE, Watchdog } from "./watchdog.js";

/** It hears only of what it is asked to listen for. `connected` names the rest. */
const ALWAYS = ["connection_status", "cursor"];

export const readEventSource: ReadEvents = async (request, abort, environment, onRead) => {
  const { signal } = abort;
  const { token, cursor } = request;
  const watchdog = new Watchdog(environment, abort);
  try {
    const answer = await ask(urlOf(request, "ticket"), token, { method: "POST", signal }, environment);
    const { ticket } = (await answer.json()) as { ticket: string };
    signal.throwIfAborted();
    const url = urlOf(request, undefined, { ticket, ...(cursor !== "" && { lastEventId: cursor }) });
    const isOpened = await listen(url);
    if (isOpened) return new RowcastError("unavailable", "the server ended the stream");
    // It does not say why it was refused. A poll is refused for the same.
    await ask(urlOf(request, "events", { wait: "0", limit: "1" }), token, { signal }, environment);
    return new RowcastError("unavailable", "the stream could not be opened");
  } catch (thrown) {
    return toRowcastError(signal.aborted ? signal.reason : thrown);
  } finally {
    watchdog.stop();
    abort.abort();
  }

  /** Reads until it ends; returns whether anything was heard. */
  function listen(url: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const source = environment.openEventSource?.(url);
      if (!source) throw new RowcastError("protocol", "this browser has no EventSource");
      let heard = false;
      const names = new Set<string>();
      const add = (name: string) => {
        if (!names.has(name)) source.addEventListener(name, onMessage);
        names.add(name);
      };
      const onMessage = ({ type, data, lastEventId }: MessageEvent<string>) => {
        if (heard) watchdog.touch();
        else watchdog.expect(MAX_SILENCE);
        heard = true;
        // It knows of no id before the first one; a goodbye that comes instead of a greeting has none.
        const id = lastEventId || cursor;
        const arrival = arrivalOf({ event: type, data, lastEventId: id }, environment);
        for (const name of namedBy(arrival.event)) add(name);
        onRead({ transport: "eventsource", arrivals: [arrival], cursor: id });
      };
      const end = () => {
        source.close();
        signal.removeEventListener("abort", onAbort);
      };
      const onAbort = () => {
        end();
        reject(signal.reason);
      };
      for (const name of [...ALWAYS, ...(request.subscriptions ?? [])]) add(name);
      source.addEventListener("open", () => {
        watchdog.expect(MAX_GREETING);
        onRead({ transport: "eventsource", arrivals: [], cursor });
      });
      source.addEventListener("error", () => {
        end();
        resolve(heard);
      });
      signal.addEventListener("abort", onAbort);
    });
  }
};

function namedBy(event: RowcastEvent | undefined): readonly string[] {
  if (event?.type !== "connection_status") return [];
  const { data } = event;
  return data.status === "connected" || data.status === "access_changed" ? data.subscriptions : [];
}
