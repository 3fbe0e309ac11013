import { expect, it } from "vitest";
import { course, type Lag, LagStore, measure, noLag, quantile, WINDOW } from "./lag.js";

const lagOf = (...values: [ms: number, now: number][]): Lag =>
  values.reduce((lag, [ms, now]) => measure(lag, ms, now), noLag);

it("ranks what came in the last minute", () => {
  const lag = lagOf(
    ...Array.from({ length: 100 }, (_, n): [number, number] => [100 - n, 1_000_000 + n * 100]),
  );
  expect(quantile(lag, 0.5, 1_010_000)).toBe(50);
  expect(quantile(lag, 0.95, 1_010_000)).toBe(95);
  expect(quantile(lag, 1, 1_010_000)).toBe(100);
});

it("forgets what is older than a minute", () => {
  const lag = lagOf([900, 1_000_000], [5, 1_030_000]);
  expect(quantile(lag, 1, 1_059_999)).toBe(900);
  expect(quantile(lag, 1, 1_060_000)).toBe(5);
  expect(quantile(lag, 1, 1_090_000)).toBeNull();
  expect(measure(lag, 1, 2_000_000).seconds).toHaveLength(1);
});

it("has a value for each second, or none", () => {
  const lag = lagOf([3, 1_000_000], [9, 1_000_500], [4, 1_002_000]);
  const seconds = course(lag, 0.95, 1_002_900);
  expect(seconds).toHaveLength(WINDOW);
  expect(seconds.slice(-3)).toEqual([9, null, 4]);
});

it("is bounded", () => {
  let lag = noLag;
  for (let n = 0; n < 100_000; n += 1) lag = measure(lag, n, 1_000_000 + n * 2);
  expect(lag.seconds.length).toBeLessThanOrEqual(WINDOW);
  expect(Math.max(...lag.seconds.map(({ values }) => values.length))).toBeLessThanOrEqual(100);
});

it("measures what a read brought once, and with its own lag", () => {
  const frames: (() => void)[] = [];
  const store = new LagStore((frame) => frames.push(frame));
  const now = 1_000_000;
  store.onState({ lag: null }, now);
  store.onEvent();
  store.onEvent();
  store.onState({ lag: 110 }, now);
  // A heartbeat.
  store.onState({ lag: 110 }, now + 500);
  store.onEvent();
  store.onState({ lag: 3 }, now + 900);
  for (const frame of frames) frame();
  expect(store.getSnapshot().seconds).toEqual([{ at: 1000, values: [3, 110] }]);
});
