// One stream, from its request to its end: bytes are parsed as they come, and silence ends it.

import type { Environment } from "./environment.js";
import { RowcastError, toRowcastError } from "./errors.js";
import { type SseMessage, SseParser } from "./parse.js";
import { openStream, type StreamRequest } from "./request.js";
import { MAX_SILENCE, Watchdog } from "./watchdog.js";

/** What one read brought, and where it left the stream. */
export interface Read {
  readonly messages: readonly SseMessage[];
  readonly lastEventId: string;
  /** What the server said last of when to come back, in milliseconds. */
  readonly retry: number | undefined;
}

/** Reads until the stream ends or `abort` is used; returns why it ended, an abort's reason included. */
export async function readStream(
  request: Omit<StreamRequest, "signal">,
  abort: AbortController,
  environment: Environment,
  onRead: (read: Read) => void,
): Promise<RowcastError> {
  const { signal } = abort;
  const watchdog = new Watchdog(environment, () => {
    abort.abort(new RowcastError("silent", `nothing was heard for ${MAX_SILENCE / 1000} seconds`));
  });
  const stopWaking = environment.onWake(() => watchdog.check());
  try {
    const reader = await openStream({ ...request, signal }, environment);
    const parser = new SseParser(request.cursor);
    for (;;) {
      const { done, value } = await reader.read();
      if (signal.aborted) throw signal.reason;
      if (done) return new RowcastError("unavailable", "the server ended the stream");
      watchdog.touch();
      const messages = parser.push(value);
      onRead({ messages, lastEventId: parser.lastEventId, retry: parser.retry });
    }
  } catch (thrown) {
    return toRowcastError(signal.aborted ? signal.reason : thrown);
  } finally {
    watchdog.stop();
    stopWaking();
    // Lets go of the connection when it was our side that gave up, on a message too long for instance.
    abort.abort();
  }
}
