// How long to wait before the next attempt.

/** Nobody should look at a page for longer than this before it tries again. */
const MAX_DELAY = 30_000;
/** A server that asks for more than this has made a mistake. */
const MAX_RETRY_AFTER = 3_600_000;

/**
 * Exponential back-off with full jitter (after the AWS Architecture Blog, "Exponential Backoff And Jitter"): anywhere
 * between nothing and the doubled delay, so that ten thousand clients of a restarted server do not come back in step.
 */
export function backoff(attempt: number, base: number, random: () => number): number {
  return random() * Math.min(MAX_DELAY, base * 2 ** Math.min(attempt - 1, 20));
}

/** `Retry-After` in milliseconds from now: seconds or a date. */
export function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null || value.trim() === "") return undefined;
  const wait = /^\s*\d+\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), MAX_RETRY_AFTER);
}
