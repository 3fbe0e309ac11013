// How long to wait before the next attempt, and waiting.

import type { Environment } from "./environment.js";

/** Nobody should look at a page for longer than this before it tries again. */
export const MAX_DELAY = 30_000;
/** Milliseconds that the doubling begins with at the least: nothing doubled stays nothing. */
const LEAST_BASE = 100;
/** A server that asks for more than this has made a mistake. */
export const LONGEST = 3_600_000;

/**
 * Exponential back-off with full jitter (after the AWS Architecture Blog, "Exponential Backoff And Jitter"): anywhere
 * between nothing and the doubled delay, so that ten thousand clients of a restarted server do not come back in step.
 */
export function backoff(attempt: number, base: number, random: () => number, most = MAX_DELAY): number {
  return random() * Math.min(most, Math.max(base, LEAST_BASE) * 2 ** Math.min(attempt - 1, 20));
}

/** Resolves after so many milliseconds, or when it is cut short; never by itself when they are infinite. */
export function pause(ms: number, signal: AbortSignal, environment: Environment): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      environment.clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = Number.isFinite(ms) ? environment.setTimeout(done, ms) : undefined;
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
