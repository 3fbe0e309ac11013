// Tries now and then, beside polls, whether a stream passes again. What the first one that does has brought is not lost.

import { follow } from "../abort.js";
import { backoff, pause } from "../backoff.js";
import type { Environment } from "../environment.js";
import { type RowcastError, toRowcastError } from "../errors.js";
import { BY_ITSELF, isGreeting, type Read } from "./transport.js";

/** Each attempt costs a connection, in vain where the proxy stays as it is. Milliseconds, as below. */
const FIRST = 30_000;
const MOST = 600_000;
type OnRead = (read: Read) => void;

export interface Probed {
  open(abort: AbortController, onRead: OnRead): Promise<RowcastError>;
  /** Whether a greeting proves nothing; then it takes something that comes by itself after it. */
  greetingsPass(): boolean;
  /** Called when it passes, before anything that it has brought is told. */
  onPass(): void;
  onRead: OnRead;
}

export class Probe {
  readonly #environment: Environment;
  /** How many attempts were in vain. */
  #failures = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** Opens streams until one passes, and returns its end; nothing when `signal` is aborted before. */
  async run(stream: Probed, signal: AbortSignal): Promise<RowcastError | undefined> {
    const { now } = this.#environment;
    while (!signal.aborted) {
      await this.#wait(signal);
      if (signal.aborted) return;
      const held: Read[] = [];
      let greetedAt = Number.POSITIVE_INFINITY;
      let passed = false;
      const opened = stream.open(follow(signal), (read) => {
        held.push(read);
        if (isGreeting(read)) greetedAt = now();
        const passes = now() - greetedAt >= (stream.greetingsPass() ? BY_ITSELF : 0);
        if (!passed && passes) stream.onPass();
        passed ||= passes;
        if (passed) for (const each of held.splice(0)) stream.onRead(each);
      });
      // A part of the client that could not be loaded is one more attempt in vain.
      const end = await opened.catch(toRowcastError);
      this.#failures = passed ? 0 : this.#failures + 1;
      if (passed) return end;
    }
  }

  /** Another network may have another proxy, or none. */
  async #wait(signal: AbortSignal): Promise<void> {
    const cut = follow(signal);
    const stopWaking = this.#environment.onWake(() => cut.abort());
    await pause(
      backoff(this.#failures + 1, FIRST, this.#environment.random, MOST),
      cut.signal,
      this.#environment,
    );
    stopWaking();
    cut.abort();
  }
}
