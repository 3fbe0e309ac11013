// A value that follows a stream: inputs are collected and folded into it at most once a frame, so that two hundred events
// a second are sixty renders, and every input counts though not every value is shown. Fits `useSyncExternalStore`.

import { nextFrame, type Schedule } from "./frame.js";

/** Past this many waiting inputs it folds at once, so that nothing can pile up in a page that draws no frames. */
const MAX_WAITING = 1_000;

/** A value that follows a stream of events, and tells of itself at most once for each turn of its schedule. */
export class Fold<Value, Input> {
  #value: Value;
  #waiting: Input[] = [];
  #scheduled = false;
  readonly #step: (value: Value, inputs: readonly Input[]) => Value;
  readonly #schedule: Schedule;
  readonly #listeners = new Set<() => void>();

  /** `step` is pure: it returns a new value, or the old one when nothing changed. */
  constructor(initial: Value, step: (value: Value, inputs: readonly Input[]) => Value, schedule = nextFrame) {
    this.#value = initial;
    this.#step = step;
    this.#schedule = schedule;
  }

  push(input: Input): void {
    this.#waiting.push(input);
    if (this.#waiting.length >= MAX_WAITING) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      this.#schedule(() => {
        this.#scheduled = false;
        this.flush();
      });
    }
  }

  /** Folds what waits, now. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const inputs = this.#waiting;
    this.#waiting = [];
    const value = this.#step(this.#value, inputs);
    if (value === this.#value) return;
    this.#value = value;
    for (const listener of this.#listeners) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  readonly getSnapshot = (): Value => this.#value;
}
