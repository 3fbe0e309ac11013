import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createHub, type Hub } from "./hub.js";
import { createStore, type Store } from "./store.js";
import { connectedFrame, eventFrame, FakeServer, statusFrame } from "./testing/server.js";

const listener = { onEvent: vi.fn(), onReset: vi.fn() };

let server: FakeServer;
let hub: Hub;
let store: Store;
let release: () => void;

beforeEach(async () => {
  vi.useFakeTimers();
  listener.onEvent.mockReset();
  listener.onReset.mockReset();
  server = new FakeServer();
  hub = createHub({ token: () => "t1" }, server.environment);
  store = createStore(hub, { maxEvents: 3, ...listener }, (callback) => callback());
  release = store.open();
  await vi.advanceTimersByTimeAsync(0);
});

afterEach(async () => {
  release();
  await vi.advanceTimersByTimeAsync(0);
  vi.useRealTimers();
});

const ids = () => store.getSnapshot().events.map((event) => event.id);

it("keeps the last events and counts all", async () => {
  await server.last.stream(connectedFrame("0"));
  for (const id of ["1", "2", "3", "4", "5"]) await server.last.send(eventFrame(id, id));
  expect(ids()).toEqual(["3", "4", "5"]);
  expect(store.getSnapshot().stats).toEqual({ received: 5, byType: { document_processing: 5 } });
  store.clearEvents();
  expect(ids()).toEqual([]);
  expect(store.getSnapshot().stats.received).toBe(5);
});

it("hands on every event and reset while it is open", async () => {
  const reset = statusFrame({ status: "reset", reason: "history_expired" }, "5");
  await server.last.stream(connectedFrame("0") + eventFrame("1") + eventFrame("2") + reset);
  const second = createStore(hub, {});
  const keep = second.open();
  release();
  await server.last.send(eventFrame("6", "6"));
  expect(listener.onEvent.mock.calls.map(([event]) => event.id)).toEqual(["1", "2"]);
  expect(listener.onReset.mock.calls).toEqual([["history_expired"]]);
  keep();
});

it("is told of fewer types as soon as it says so, and of more once the stream has them", async () => {
  await server.last.stream(connectedFrame("0"));
  await store.remove(["document_processing"]);
  await server.last.send(eventFrame("1", "1"));
  await store.add(["document_processing"]);
  await server.last.send(eventFrame("2", "2"));
  expect(ids()).toEqual(["2"]);
});

it("leaves out what its filter does not hold for", async () => {
  const picky = createStore(hub, { filter: ({ id }) => id !== "2" }, (callback) => callback());
  const close = picky.open();
  await server.last.stream(connectedFrame("0") + eventFrame("1") + eventFrame("2") + eventFrame("3", "3"));
  expect(picky.getSnapshot().events.map(({ id }) => id)).toEqual(["1", "3"]);
  close();
});

it("does not change when nothing has", () => {
  const before = store.getSnapshot();
  store.clearEvents();
  expect(store.getSnapshot()).toBe(before);
});
