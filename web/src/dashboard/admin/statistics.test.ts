import { beforeEach, expect, it, vi } from "vitest";
import { RowcastError } from "../../errors.js";
import type { Statistics } from "../../protocol.js";
import { type Clock, follow, INTERVAL, type StatisticsState } from "./statistics.js";

const statistics: Statistics = {
  totalConnections: 3,
  activeConnections: 2,
  connectionsByUser: { ann: 3 },
  connectionsByOrganization: { o1: 3 },
  eventTypes: {},
  deliveryLag: { meanMs: null, maxMs: null },
  timestamp: "2026-11-26T15:00:00Z",
  serverUptime: 9,
  servers: null,
};

let states: StatisticsState[];
let looking: boolean;
let onVisibility: () => void;
let answers: (Statistics | RowcastError)[];
const asked = vi.fn();

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  states = [];
  looking = true;
  answers = [];
  asked.mockReset();
  asked.mockImplementation(async () => {
    const answer = answers.shift() ?? statistics;
    if (answer instanceof RowcastError) throw answer;
    return answer;
  });
  return () => vi.useRealTimers();
});

const clock: Clock = {
  now: () => Date.now(),
  random: () => 0.999_999,
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  isVisible: () => looking,
  onVisibility(callback) {
    onVisibility = callback;
    return () => {
      onVisibility = () => {};
    };
  },
};
const start = () =>
  follow(
    { token: () => "token", organization: "o1", ask: asked },
    (state) => {
      states.push(state);
    },
    clock,
  );
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const last = () => states.at(-1);

it("asks at once, and again every few seconds", async () => {
  const following = start();
  await pass(0);
  expect(asked).toHaveBeenCalledTimes(1);
  expect(asked.mock.calls[0]?.[0]).toMatchObject({
    name: "stats",
    parameters: { organizationId: "o1" },
    token: "token",
  });
  expect(last()).toEqual({ data: statistics, error: null, nextAt: 1_000_000 + INTERVAL });
  await pass(INTERVAL);
  expect(asked).toHaveBeenCalledTimes(2);
  following.stop();
  await pass(INTERVAL * 3);
  expect(asked).toHaveBeenCalledTimes(2);
});

it("rests while nobody looks, and asks at once when somebody does", async () => {
  start();
  await pass(0);
  looking = false;
  onVisibility();
  await pass(INTERVAL * 10);
  expect(asked).toHaveBeenCalledTimes(1);
  expect(last()?.nextAt).toBeNull();
  looking = true;
  onVisibility();
  await pass(0);
  expect(asked).toHaveBeenCalledTimes(2);
});

it("keeps what it knows while the server is away, and asks more and more rarely", async () => {
  start();
  await pass(0);
  const away = new RowcastError("unavailable", "not ready");
  answers = [away, away, away];
  await pass(INTERVAL);
  expect(last()).toMatchObject({ data: statistics, error: away });
  const waits: number[] = [];
  for (let failure = 0; failure < 3; failure += 1) {
    const wait = (last()?.nextAt ?? 0) - Date.now();
    waits.push(wait);
    await pass(wait);
  }
  expect(waits).toEqual(waits.toSorted((a, b) => a - b));
  expect(waits[2]).toBeGreaterThan(waits[0] ?? 0);
  expect(last()).toMatchObject({ data: statistics, error: null });
});

it("comes back no earlier than it is told to", async () => {
  answers = [new RowcastError("limited", "too many", { retryAfter: 30_000 })];
  start();
  await pass(29_999);
  expect(asked).toHaveBeenCalledTimes(1);
  await pass(5_000);
  expect(asked).toHaveBeenCalledTimes(2);
});

it.each(["unauthorized", "forbidden"] as const)("ends when it is refused: %s", async (kind) => {
  const following = start();
  await pass(0);
  answers = [new RowcastError(kind, "no")];
  await pass(INTERVAL);
  expect(last()).toMatchObject({ data: null, nextAt: null });
  await pass(INTERVAL * 100);
  expect(asked).toHaveBeenCalledTimes(2);
  following.refresh();
  await pass(0);
  expect(asked).toHaveBeenCalledTimes(3);
});
