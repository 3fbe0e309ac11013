import { beforeEach, expect, it } from "vitest";
import type { OutboxEvent } from "../../protocol.js";
import { isFiltering, matcher, noFilter } from "./filter.js";
import { KEPT, LogStore, MAX_WAITING } from "./log.js";

const event = (id: number, more: Partial<OutboxEvent> = {}): OutboxEvent => ({
  id: String(id),
  type: "user_activity",
  timestamp: "2026-11-26T15:00:00.000Z",
  organizationId: "o1",
  priority: "medium",
  operation: "EMIT",
  data: { userId: "ann", action: "login" },
  ...(more as object),
});

let log: LogStore;
beforeEach(() => {
  log = new LogStore((callback) => callback());
});
const push = (first: number, last: number): void => {
  for (let id = first; id <= last; id += 1) log.push({ event: event(id) });
};
const ids = (): number[] => log.getSnapshot().events.map(({ id }) => Number(id));

it("keeps the last events and counts all", () => {
  push(1, KEPT + 5);
  expect(ids()).toHaveLength(KEPT);
  expect(ids().at(0)).toBe(6);
  expect(log.getSnapshot().counts).toEqual({ user_activity: KEPT + 5 });
});

it("loses nothing to a pause", () => {
  push(1, 3);
  log.push("pause");
  push(4, KEPT + 10);
  expect(ids()).toEqual([1, 2, 3]);
  expect(log.getSnapshot().waiting).toHaveLength(KEPT + 7);
  log.push("pause");
  expect(log.getSnapshot().waiting).toHaveLength(KEPT + 7);
  log.push("resume");
  expect(log.getSnapshot().waiting).toBeNull();
  expect(ids().at(0)).toBe(4);
  expect(ids().at(-1)).toBe(KEPT + 10);
  expect(ids()).toHaveLength(KEPT + 7);
});

it("says what a pause that was too long has cost", () => {
  let flush = (): void => {};
  log = new LogStore((callback) => {
    flush = callback;
  });
  log.push("pause");
  push(1, MAX_WAITING + 7);
  flush();
  expect(log.getSnapshot().dropped).toBe(7);
  log.push("resume");
  flush();
  expect(log.getSnapshot().dropped).toBe(0);
  expect(ids().at(0)).toBe(8);
});

it("forgets on request, paused or not, but not how many there were", () => {
  push(1, 3);
  log.push("pause");
  push(4, 5);
  log.push("clear");
  expect(log.getSnapshot()).toMatchObject({ events: [], waiting: [], counts: { user_activity: 5 } });
});

it.each([
  [{}, true],
  [{ type: "user_activity" }, true],
  [{ type: "system_health" }, false],
  [{ organization: "o1" }, true],
  [{ organization: "o2" }, false],
  [{ organization: "" }, false],
  [{ text: "LOGIN ann" }, true],
  [{ text: "login ben" }, false],
  [{ text: "#7" }, true],
  [{ text: "#70" }, false],
  [{ text: "#" }, true],
  [{ text: "  " }, true],
])("filters by %j", (change, shown) => {
  expect(matcher({ ...noFilter, ...change })(event(7))).toBe(shown);
});

it("tells platform-wide events from an organization's", () => {
  const { organizationId: _, ...platform } = event(7);
  expect(matcher({ ...noFilter, organization: "" })(platform as OutboxEvent)).toBe(true);
});

it("knows whether it filters", () => {
  expect(isFiltering(noFilter)).toBe(false);
  expect(isFiltering({ ...noFilter, organization: "" })).toBe(true);
  expect(isFiltering({ ...noFilter, text: " x" })).toBe(true);
});
