// The leader's seat: a lock that one tab holds and all others wait for. The browser hands it on when its holder closes
// or crashes.

import type { Locks } from "./environment.js";

export class Seat {
  readonly #locks: Locks;
  readonly #name: string;
  readonly #onWon: () => void;
  readonly #onLost: () => void;
  /** Ends the waiting or the holding; absent while there is neither. */
  #leave: (() => void) | undefined;

  /** `onLost`: another tab has taken it, thinking that this one is dead. */
  constructor(locks: Locks, name: string, onWon: () => void, onLost: () => void) {
    this.#locks = locks;
    this.#name = name;
    this.#onWon = onWon;
    this.#onLost = onLost;
  }

  /** Waits for it. */
  stand(): void {
    if (!this.#leave) this.#request(false);
  }

  /** Takes it from whoever holds it. */
  steal(): void {
    this.leave();
    this.#request(true);
  }

  leave(): void {
    this.#leave?.();
    this.#leave = undefined;
  }

  #request(steal: boolean): void {
    const waiting = new AbortController();
    let release = (): void => {};
    let hasLeft = false;
    let hasWon = false;
    const leave = (): void => {
      hasLeft = true;
      waiting.abort();
      release();
    };
    this.#leave = leave;
    // What is stolen is had at once, so there is no waiting to be ended.
    const options = steal ? { steal } : { signal: waiting.signal };
    this.#locks
      .request(this.#name, options, () => {
        if (hasLeft) return Promise.resolve();
        const held = new Promise<void>((resolve) => {
          release = resolve;
        });
        hasWon = true;
        this.#onWon();
        return held;
      })
      .catch(() => {
        if (hasLeft) return;
        if (hasWon) {
          this.#leave = undefined;
          this.#onLost();
          // A page without an origin gets no locks, and nobody hears it either: it leads itself.
        } else this.#onWon();
      });
  }
}
