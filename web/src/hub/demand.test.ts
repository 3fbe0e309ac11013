import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { initialState } from "../connection.js";
import type { EventType } from "../protocol.js";
import { FakeServer } from "../testing/server.js";
import { Demand } from "./demand.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("asks for nothing more once it is closed, whatever was under way", async () => {
  const one: EventType[] = ["user_activity"];
  const both: EventType[] = ["system_health", "user_activity"];
  const want = vi.fn(() => Promise.resolve());
  const handlers = { onAsk() {}, onSettled() {}, onRefused() {} };
  const demand = new Demand({ subscriptions: one }, want, new FakeServer().environment, handlers);
  demand.follow({ ...initialState, status: "connected" });
  demand.need({ subscriptions: both });
  demand.need({ subscriptions: one });
  demand.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(want).toHaveBeenCalledTimes(1);
});
