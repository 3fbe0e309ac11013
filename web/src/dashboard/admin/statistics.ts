// The statistics over all servers, kept fresh while somebody looks.

import { backoff } from "../../backoff.js";
import { type RowcastError, toRowcastError } from "../../errors.js";
import type { Statistics } from "../../protocol.js";
import type { ask } from "../ask.js";

export interface StatisticsState {
  readonly data: Statistics | null;
  /** Why the last question was not answered; what was known before is still there. */
  readonly error: RowcastError | null;
  /** When it is asked again, in milliseconds of wall time; null while it waits for somebody to look, or for good. */
  readonly nextAt: number | null;
}

export interface Clock {
  now(): number;
  random(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Whether somebody looks, and a call back when that changes; returns what ends it. */
  isVisible(): boolean;
  onVisibility(callback: () => void): () => void;
}

const browser: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  isVisible: () => document.visibilityState === "visible",
  onVisibility(callback) {
    document.addEventListener("visibilitychange", callback);
    return () => document.removeEventListener("visibilitychange", callback);
  },
};

/** As often as servers tell each other. */
export const INTERVAL = 5_000;

interface Source {
  readonly token: () => string | null;
  readonly organization: string | null;
  readonly ask: typeof ask<Statistics>;
}

/** Asks at once and then every few seconds, until it is stopped or refused for good. Rests while nobody looks. */
export function follow(
  source: Source,
  onState: (state: StatisticsState) => void,
  clock: Clock = browser,
): { refresh(): void; stop(): void } {
  let state: StatisticsState = { data: null, error: null, nextAt: null };
  let failures = 0;
  let timer: unknown;
  let asking: AbortController | null = null;
  let stopped = false;

  const set = (change: Partial<StatisticsState>): void => {
    state = { ...state, ...change };
    onState(state);
  };
  const wait = (ms: number): void => {
    set({ nextAt: clock.now() + ms });
    timer = clock.setTimeout(refresh, ms);
  };
  const refresh = (): void => {
    clock.clearTimeout(timer);
    asking?.abort();
    if (stopped) return;
    if (!clock.isVisible()) {
      set({ nextAt: null });
      return;
    }
    void once();
  };
  const once = async (): Promise<void> => {
    const abort = new AbortController();
    asking = abort;
    try {
      const parameters = { organizationId: source.organization };
      const data = await source.ask({
        name: "stats",
        parameters,
        token: source.token(),
        signal: abort.signal,
      });
      if (abort.signal.aborted) return;
      failures = 0;
      set({ data, error: null });
      wait(INTERVAL);
    } catch (thrown) {
      if (abort.signal.aborted) return;
      const error = toRowcastError(thrown);
      failures += 1;
      set({ error, nextAt: null });
      // A refusal is not cured by asking again; what is shown to somebody who may no longer see it goes.
      if (error.final) set({ data: null });
      else wait((error.retryAfter ?? INTERVAL) + backoff(failures, 1000, clock.random));
    }
  };

  const stopLooking = clock.onVisibility(refresh);
  refresh();
  return {
    refresh,
    stop() {
      stopped = true;
      stopLooking();
      clock.clearTimeout(timer);
      asking?.abort();
    },
  };
}
