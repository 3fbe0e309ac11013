// Where a page has got to, for the page that comes after it.

import type { CursorStorage } from "./connection.js";
import type { Environment } from "./environment.js";

/** Milliseconds between two writes: storage is slow, and shared by the tabs of an origin. */
const PACE = 1_000;

/** In the `sessionStorage` of this tab, which reloads keep and other tabs do not see. */
export function sessionCursor(key = "rowcast"): CursorStorage {
  return {
    read: () => sessionStorage.getItem(key),
    write: (cursor) => sessionStorage.setItem(key, cursor),
  };
}

/** Writes cursors down as they come, not each of them, but the last one always. */
export class Keeper {
  readonly #storage: CursorStorage | undefined;
  readonly #environment: Environment;
  #cursor = "";
  #written = "";
  #timer: unknown;
  #stop: (() => void) | undefined;

  constructor(storage: CursorStorage | undefined, environment: Environment) {
    this.#storage = storage;
    this.#environment = environment;
  }

  /** What the page before has left; empty when there is none. */
  read(): string {
    try {
      this.#written = this.#cursor = this.#storage?.read() ?? "";
    } catch (thrown) {
      this.#environment.reportError(thrown);
    }
    return this.#cursor;
  }

  keep(cursor: string): void {
    this.#cursor = cursor;
    if (!this.#storage || cursor === this.#written) return;
    this.#stop ??= this.#environment.onHide(() => this.flush());
    this.#timer ??= this.#environment.setTimeout(() => this.flush(), PACE);
  }

  flush(): void {
    this.#environment.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#storage || this.#cursor === this.#written) return;
    this.#written = this.#cursor;
    try {
      this.#storage.write(this.#cursor);
    } catch (thrown) {
      this.#environment.reportError(thrown);
    }
  }

  /** Writes what is left, and listens no more. */
  stop(): void {
    this.flush();
    this.#stop?.();
    this.#stop = undefined;
  }
}
