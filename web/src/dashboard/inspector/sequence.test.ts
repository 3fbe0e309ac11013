import { expect, it } from "vitest";
import type { OutboxEvent } from "../../protocol.js";
import { neighboursOf } from "./sequence.js";

const event = (id: string): OutboxEvent => ({
  id,
  type: "user_activity",
  timestamp: "2026-11-26T15:00:00.000Z",
  priority: "medium",
  operation: "EMIT",
  data: { userId: "ann", action: "login" },
});
const shown = ["12", "10", "9", "4"].map(event);

it.each([
  ["12", null, "10", [1, 4]],
  ["10", "12", "9", [2, 4]],
  ["4", "9", null, [4, 4]],
  ["11", "12", "10", null],
  ["100", null, "12", null],
  ["1", "4", null, null],
] as const)("%s stands between %s and %s", (id, newer, older, place) => {
  const found = neighboursOf(event(id), shown);
  expect([found.newer?.id ?? null, found.older?.id ?? null, found.place]).toEqual([newer, older, place]);
});

it("stands alone in an empty log", () => {
  expect(neighboursOf(event("1"), [])).toEqual({ newer: null, older: null, place: null });
});
