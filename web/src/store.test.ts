import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createHub, type Hub } from "./hub/hub.js";
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

it("counts types whatever they are called", async () => {
  await server.last.stream(connectedFrame("0"));
  const types = ["constructor", "__proto__", "constructor"];
  for (const [index, type] of types.entries())
    await server.last.send(eventFrame(`${index + 1}`, `${index + 1}`, {}, type));
  expect(Object.entries(store.getSnapshot().stats.byType)).toEqual([
    ["constructor", 2],
    ["__proto__", 1],
  ]);
});

it("keeps nothing when it is asked for nothing", async () => {
  const counter = createStore(hub, { maxEvents: 0 }, (callback) => callback());
  const close = counter.open();
  await server.last.stream(connectedFrame("0") + eventFrame("1") + eventFrame("2", "2"));
  expect(counter.getSnapshot()).toMatchObject({ events: [], stats: { received: 2 } });
  close();
});

it("goes on where it was when it is opened again, as by a page that hides a part of itself", async () => {
  await server.last.stream(connectedFrame("5"));
  const shown = createStore(hub, { since: "5" }, (callback) => callback());
  const hide = shown.open();
  await vi.advanceTimersByTimeAsync(0);
  await server.last.send(eventFrame("6", "6") + eventFrame("7", "7"));
  hide();
  await server.last.send(eventFrame("8", "8"));
  const close = shown.open();
  await vi.advanceTimersByTimeAsync(0);
  await server.last.send(eventFrame("9", "9"));
  expect(shown.getSnapshot().events.map(({ id }) => id)).toEqual(["6", "7", "8", "9"]);
  close();
});
