// How late events are: what was measured in the last minute, second by second.

import type { ConnectionState } from "../../connection.js";
import { Fold } from "../../fold.js";
import { nextFrame, type Schedule } from "../../frame.js";

/** Seconds that are kept. */
export const WINDOW = 60;
/** Measurements of one second that are kept; beyond that the sample is good enough. */
const MAX_A_SECOND = 100;

export interface LagSecond {
  /** Whole seconds of wall time. */
  readonly at: number;
  /** Milliseconds; ascending. */
  readonly values: readonly number[];
}

export interface Lag {
  readonly seconds: readonly LagSecond[];
}

export const noLag: Lag = { seconds: [] };

/** One more measurement, in milliseconds, taken at `now`. What is older than the window goes. */
export function measure(lag: Lag, ms: number, now: number): Lag {
  const at = Math.floor(now / 1000);
  const kept = lag.seconds.filter((second) => second.at > at - WINDOW && second.at < at);
  const values = lag.seconds.find((second) => second.at === at)?.values ?? [];
  if (values.length >= MAX_A_SECOND) return lag;
  return { seconds: [...kept, { at, values: [...values, ms].sort((a, b) => a - b) }] };
}

/** The nearest-rank quantile of everything in the window that ends at `now`; null when nothing came. */
export function quantile(lag: Lag, share: number, now: number): number | null {
  const since = Math.floor(now / 1000) - WINDOW;
  const values = lag.seconds.filter(({ at }) => at > since).flatMap((second) => second.values);
  return rank(
    values.sort((a, b) => a - b),
    share,
  );
}

/** A quantile for each second of the window, oldest first; null for seconds in which nothing came. */
export function course(lag: Lag, share: number, now: number): (number | null)[] {
  const last = Math.floor(now / 1000);
  return Array.from({ length: WINDOW }, (_, index) => {
    const at = last - WINDOW + 1 + index;
    return rank(lag.seconds.find((second) => second.at === at)?.values ?? [], share);
  });
}

interface Measured {
  readonly ms: number;
  /** In milliseconds of wall time. */
  readonly at: number;
}

/**
 * The lag as it is told: first events, then the state that has their lag. Other news of the connection has that lag again
 * and is no measurement.
 */
export class LagStore extends Fold<Lag, Measured> {
  #hasCome = false;

  constructor(schedule: Schedule = nextFrame) {
    super(noLag, (was, all) => all.reduce((lag, { ms, at }) => measure(lag, ms, at), was), schedule);
  }

  onEvent(): void {
    this.#hasCome = true;
  }

  onState({ lag }: Pick<ConnectionState, "lag">, now = Date.now()): void {
    if (!this.#hasCome || lag === null) return;
    this.#hasCome = false;
    this.push({ ms: lag, at: now });
  }
}

function rank(ascending: readonly number[], share: number): number | null {
  return ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)] ?? null;
}
