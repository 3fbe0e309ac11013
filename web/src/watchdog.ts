// Notices a stream that is open but dead: a network that vanished sends no end of stream, so only silence tells.

import type { Environment } from "./environment.js";

/** Three heartbeats of the server. */
export const MAX_SILENCE = 45_000;

export class Watchdog {
  readonly #environment: Environment;
  readonly #onSilence: () => void;
  #heardAt: number;
  #timer: unknown;

  constructor(environment: Environment, onSilence: () => void) {
    this.#environment = environment;
    this.#onSilence = onSilence;
    this.#heardAt = environment.now();
    this.#arm(MAX_SILENCE);
  }

  /** Something came. Cheap: no timer is touched. */
  touch(): void {
    this.#heardAt = this.#environment.now();
  }

  /** Looks now; timers stand still while a machine sleeps, wall time does not. */
  check(): void {
    const silence = this.#environment.now() - this.#heardAt;
    this.stop();
    if (silence >= MAX_SILENCE) this.#onSilence();
    // A clock set back must not stretch the wait beyond one full silence.
    else this.#arm(Math.min(MAX_SILENCE - silence, MAX_SILENCE));
  }

  stop(): void {
    this.#environment.clearTimeout(this.#timer);
  }

  #arm(ms: number): void {
    this.#timer = this.#environment.setTimeout(() => this.check(), ms);
  }
}
