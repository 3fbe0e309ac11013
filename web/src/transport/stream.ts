// One stream by `fetch`, from its request to its end: bytes are parsed as they come, and silence ends it.

import { RowcastError, toRowcastError } from "../errors.js";
import { SseParser } from "../parse.js";
import { ask, urlOf } from "./request.js";
import { arrivalOf, type ReadEvents } from "./transport.js";
import { MAX_GREETING, MAX_SILENCE, Watchdog } from "./watchdog.js";

export const readStream: ReadEvents = async (request, abort, environment, onRead) => {
  const { signal } = abort;
  const { cursor, token } = request;
  const watchdog = new Watchdog(environment, abort);
  try {
    // A cursor stays as it is. Of what is none, and might not fit into a header, the server says so.
    const lastEventId = { "last-event-id": encodeURI(cursor) };
    const headers = { accept: "text/event-stream", ...(cursor !== "" && lastEventId) };
    const response = await ask(urlOf(request), token, { headers, signal }, environment);
    // A captive portal, or a proxy that answers for a server that is away.
    if (!response.headers.get("content-type")?.startsWith("text/event-stream") || !response.body)
      return new RowcastError("protocol", "the answer is not an event stream");
    watchdog.expect(MAX_GREETING);
    onRead({ transport: "stream", arrivals: [], cursor });
    const reader = response.body.getReader();
    const parser = new SseParser(cursor);
    let greeted = false;
    for (;;) {
      const { done, value } = await reader.read();
      if (signal.aborted) throw signal.reason;
      if (done) return new RowcastError("unavailable", "the server ended the stream");
      watchdog.touch();
      const messages = parser.push(value);
      if (!greeted && messages.length > 0) {
        greeted = true;
        watchdog.expect(MAX_SILENCE);
      }
      const arrivals = messages.map((message) => arrivalOf(message, environment));
      onRead({ transport: "stream", arrivals, cursor: parser.lastEventId, retry: parser.retry });
    }
  } catch (thrown) {
    return toRowcastError(signal.aborted ? signal.reason : thrown);
  } finally {
    watchdog.stop();
    // Lets go of the connection when it was our side that gave up, on a message too long for instance.
    abort.abort();
  }
};
