// Notices a stream that is open but dead: a network that vanished sends no end of stream, so only silence tells.

import type { Environment } from "../environment.js";
import { RowcastError } from "../errors.js";

/** Three heartbeats of the server. */
export const MAX_SILENCE = 45_000;
/** A server greets at once. An answer that has begun and says nothing for so long is held back by somebody in between. */
export const MAX_GREETING = 10_000;

export class Watchdog {
  readonly #environment: Environment;
  readonly #abort: AbortController;
  readonly #stopWaking: () => void;
  #limit = MAX_SILENCE;
  #heardAt: number;
  #timer: unknown;

  /** Aborts with an error of kind `silent`. */
  constructor(environment: Environment, abort: AbortController) {
    this.#environment = environment;
    this.#abort = abort;
    this.#heardAt = environment.now();
    this.#stopWaking = environment.onWake(() => this.#check());
    this.#arm(this.#limit);
  }

  /** Something came. Cheap: no timer is touched. */
  touch(): void {
    this.#heardAt = this.#environment.now();
  }

  /** From now on this is how long it may be silent. */
  expect(limit: number): void {
    this.#limit = limit;
    this.touch();
    this.#check();
  }

  stop(): void {
    this.#environment.clearTimeout(this.#timer);
    this.#stopWaking();
  }

  /** Looks now; timers stand still while a machine sleeps, wall time does not. */
  #check(): void {
    // A clock set back must not stretch the wait beyond one full silence.
    this.#heardAt = Math.min(this.#heardAt, this.#environment.now());
    const silence = this.#environment.now() - this.#heardAt;
    this.#environment.clearTimeout(this.#timer);
    if (silence >= this.#limit)
      this.#abort.abort(new RowcastError("silent", `nothing was heard for ${this.#limit / 1000} seconds`));
    else this.#arm(this.#limit - silence);
  }

  #arm(ms: number): void {
    this.#timer = this.#environment.setTimeout(() => this.#check(), ms);
  }
}
