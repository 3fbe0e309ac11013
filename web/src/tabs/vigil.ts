// Notices a leader that holds its seat and says nothing: a page that was suspended or hangs keeps its lock. It is asked
// first, and only whoever is being looked at takes the seat away.

import type { Environment } from "../environment.js";
import { MAX_SILENCE } from "../transport/watchdog.js";

/** Milliseconds in which a leader that lives answers. */
const MAX_ANSWER = 5_000;

export class Vigil {
  readonly #environment: Environment;
  readonly #isVisible: () => boolean;
  readonly #ask: () => void;
  readonly #onDead: () => void;
  readonly #stopWaking: () => void;
  #heardAt: number;
  #timer: unknown;
  #isAsking = true;

  /** Begins as if it had asked: whoever joins does. */
  constructor(environment: Environment, isVisible: () => boolean, ask: () => void, onDead: () => void) {
    this.#environment = environment;
    this.#isVisible = isVisible;
    this.#ask = ask;
    this.#onDead = onDead;
    this.#heardAt = environment.now();
    this.#stopWaking = environment.onWake(() => this.#look());
    this.#arm(this.#patience());
  }

  /** The leader lives. */
  touch(): void {
    this.#heardAt = this.#environment.now();
    if (!this.#isAsking) return;
    this.#isAsking = false;
    this.#arm(MAX_SILENCE);
  }

  stop(): void {
    this.#environment.clearTimeout(this.#timer);
    this.#stopWaking();
  }

  /** Timers stand still while a machine sleeps, so it is also called on waking; wall time does not. */
  #look(): void {
    if (this.#isAsking) return;
    // A clock set back must not stretch the wait beyond one full silence.
    this.#heardAt = Math.min(this.#heardAt, this.#environment.now());
    const silence = this.#environment.now() - this.#heardAt;
    if (silence < MAX_SILENCE) this.#arm(MAX_SILENCE - silence);
    // If nobody looks, it is asked when somebody does, on waking.
    else if (this.#isVisible()) {
      this.#isAsking = true;
      this.#arm(this.#patience());
      this.#ask();
    }
  }

  /** Not all tabs at the same moment. */
  #patience(): number {
    return MAX_ANSWER * (1 + this.#environment.random());
  }

  #arm(ms: number): void {
    this.#environment.clearTimeout(this.#timer);
    this.#timer = this.#environment.setTimeout(() => {
      if (!this.#isAsking) this.#look();
      else if (this.#isVisible()) this.#onDead();
      else {
        this.#isAsking = false;
        this.#heardAt = Number.NEGATIVE_INFINITY;
      }
    }, ms);
  }
}
