// A browser with several pages of one origin, for tests of what they say to each other: locks, channels, pages that
// close, crash, freeze and are put away. Time is vitest's.

import { vi } from "vitest";
import type { Environment } from "../environment.js";
import type { Locks, TabsEnvironment } from "../tabs/environment.js";
import type { Message } from "../tabs/news.js";

interface Holder {
  readonly name: string;
  readonly page: Page;
  readonly whileHeld: () => Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

interface Ear {
  readonly name: string;
  readonly page: Page;
  readonly onMessage: (message: Message) => void;
}

export class FakeBrowser {
  readonly pages: Page[] = [];
  readonly ears = new Set<Ear>();
  readonly held = new Map<string, Holder>();
  /** In the order of their requests. */
  waiting: Holder[] = [];
  /** Messages that are not delivered. */
  drops: (message: Message) => boolean = () => false;

  readonly fetch: (url: string, init: RequestInit, page: Page) => Promise<Response>;

  constructor(fetch: FakeBrowser["fetch"]) {
    this.fetch = fetch;
  }

  open(): Page {
    const page = new Page(this, this.pages.length);
    this.pages.push(page);
    return page;
  }

  request(holder: Holder, steal: boolean): void {
    const { name } = holder;
    if (steal) {
      const robbed = this.held.get(name);
      this.held.delete(name);
      robbed?.page.deliver(() => robbed.reject(new DOMException("it was stolen", "AbortError")));
      this.waiting.unshift(holder);
    } else this.waiting.push(holder);
    this.grant(name);
  }

  /** Lets go of what this was, if it still has it, and hands it on. */
  release(holder: Holder): void {
    if (this.held.get(holder.name) === holder) this.held.delete(holder.name);
    this.waiting = this.waiting.filter((other) => other !== holder);
    this.grant(holder.name);
  }

  grant(name: string): void {
    const holder = this.held.has(name) ? undefined : this.waiting.find((next) => next.name === name);
    if (!holder) return;
    this.waiting = this.waiting.filter((other) => other !== holder);
    this.held.set(name, holder);
    holder.page.deliver(() => {
      void holder.whileHeld().then(() => {
        this.release(holder);
        holder.resolve();
      });
    });
  }
}

export class Page {
  isAlive = true;
  isFrozen = false;
  isVisible = true;
  readonly faults: unknown[] = [];
  #queue: (() => void)[] = [];
  readonly #wakers = new Set<() => void>();
  readonly #suspenders = new Set<{ suspend: () => void; resume: () => void }>();
  readonly #onCrash = new Set<() => void>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #ids = 0;

  readonly browser: FakeBrowser;
  readonly index: number;

  constructor(browser: FakeBrowser, index: number) {
    this.browser = browser;
    this.index = index;
  }

  /** What happens in the page: later while it is frozen, never once it is gone. */
  deliver(task: () => void): void {
    if (!this.isAlive) return;
    if (this.isFrozen) this.#queue.push(task);
    else queueMicrotask(() => this.#run(task));
  }

  #run(task: () => void): void {
    if (this.isFrozen) this.#queue.push(task);
    else if (this.isAlive) task();
  }

  onCrash(callback: () => void): void {
    this.#onCrash.add(callback);
  }

  /** Without a word to the page itself. */
  crash(): void {
    this.isAlive = false;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const callback of this.#onCrash) callback();
    const { browser } = this;
    for (const ear of browser.ears) if (ear.page === this) browser.ears.delete(ear);
    browser.waiting = browser.waiting.filter(({ page }) => page !== this);
    for (const holder of [...browser.held.values()]) if (holder.page === this) browser.release(holder);
  }

  freeze(): void {
    this.isFrozen = true;
  }

  thaw(): void {
    this.isFrozen = false;
    for (const task of this.#queue.splice(0)) this.deliver(task);
    this.wake();
  }

  /** Somebody looks at it. */
  wake(): void {
    for (const waker of [...this.#wakers]) this.deliver(waker);
  }

  /** As when it goes to the back/forward cache. */
  putAway(): void {
    for (const { suspend } of [...this.#suspenders]) suspend();
  }

  bringBack(): void {
    for (const { resume } of [...this.#suspenders]) resume();
  }

  /** What it listens to, for tests that nothing is left. */
  get listeners(): number {
    return this.#wakers.size + this.#suspenders.size + this.#timers.size;
  }

  readonly environment: Environment = {
    fetch: (url, init) => {
      const answer = this.browser.fetch(url, init, this);
      return new Promise((resolve, reject) => {
        answer.then(
          (response) => this.deliver(() => resolve(response)),
          (reason) => this.deliver(() => reject(reason)),
        );
      });
    },
    now: () => Date.now(),
    random: () => ((this.index % 8) + 1) / 9,
    setTimeout: (callback, ms) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.deliver(() => !cancelled.has(timer) && callback());
      }, ms);
      this.#timers.add(timer);
      return timer;
    },
    clearTimeout: (timer) => {
      const known = timer as ReturnType<typeof setTimeout> | undefined;
      if (known === undefined) return;
      cancelled.add(known);
      this.#timers.delete(known);
      clearTimeout(known);
    },
    streams: () => true,
    onWake: (callback) => {
      this.#wakers.add(callback);
      return () => this.#wakers.delete(callback);
    },
    onOffline: () => () => {},
    onHide: () => () => {},
    online: () => true,
    reportError: (error) => this.faults.push(error),
  };

  readonly locks: Locks = {
    request: (name, { steal = false, signal }, whileHeld) =>
      new Promise((resolve, reject) => {
        const holder: Holder = { name, page: this, whileHeld, resolve, reject };
        signal?.addEventListener("abort", () => {
          if (!this.browser.waiting.includes(holder)) return;
          this.browser.release(holder);
          reject(signal.reason);
        });
        this.browser.request(holder, steal);
      }),
    query: async () => ({ held: [...this.browser.held.keys()].map((name) => ({ name })) }),
  };

  readonly tabs: TabsEnvironment = {
    locks: this.locks,
    base: "https://app.example/",
    channel: (name, onMessage) => {
      const ear: Ear = { name, page: this, onMessage };
      this.browser.ears.add(ear);
      return {
        post: (message) => {
          for (const other of this.browser.ears) {
            if (other === ear || other.name !== name || this.browser.drops(message)) continue;
            const copy = structuredClone(message);
            other.page.deliver(() => this.browser.ears.has(other) && other.onMessage(copy));
          }
        },
        close: () => this.browser.ears.delete(ear),
      };
    },
    isVisible: () => this.isVisible,
    onSuspend: (suspend, resume) => {
      const suspender = { suspend, resume };
      this.#suspenders.add(suspender);
      return () => this.#suspenders.delete(suspender);
    },
    newId: () => {
      this.#ids += 1;
      return `${this.index}.${this.#ids}`;
    },
  };
}

const cancelled = new WeakSet<object>();

/** Lets time pass, and everything happen that is due. */
export const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
