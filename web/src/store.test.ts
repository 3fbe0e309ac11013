import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createHub, type Hub } from "./hub.js";
import { createStore, type Store } from "./store.js";
import { connectedFrame, eventFrame, FakeServer, statusFrame } from "./testing/server.js";

let server: FakeServer;
let hub: Hub;
let store: Store;
const listener = { onEvent: vi.fn(), onReset: vi.fn() };
let release: () => void;

beforeEach(async () => {
  vi.useFakeTimers();
  server = new FakeServer();
  listener.onEvent.mockReset();
  listener.onReset.mockReset();
  hub = createHub({ token: () => "t1" }, { environment: server.environment });
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

it("hands every event and reset to its listeners", async () => {
  const reset = statusFrame({ status: "reset", reason: "history_expired" }, "5");
  await server.last.stream(connectedFrame("0") + eventFrame("1") + eventFrame("2") + reset);
  release();
  await server.last.send(eventFrame("6", "6"));
  expect(listener.onEvent.mock.calls.map(([event]) => event.id)).toEqual(["1", "2"]);
  expect(listener.onReset).toHaveBeenCalledWith("history_expired");
});

it("holds one stream for all who opened it, and ends it with the last", async () => {
  const releaseSecond = store.open();
  release();
  await vi.advanceTimersByTimeAsync(0);
  expect([server.exchanges.length, server.last.aborted]).toEqual([1, false]);
  releaseSecond();
  await vi.advanceTimersByTimeAsync(0);
  expect(server.last.aborted).toBe(true);
  expect(store.getSnapshot().connection.status).toBe("disconnected");
});

it("keeps its stream when it is let go and opened in the same breath", async () => {
  release();
  release = store.open();
  await vi.advanceTimersByTimeAsync(0);
  expect([server.exchanges.length, server.last.aborted]).toEqual([1, false]);
});

it("stays disconnected until asked to reconnect", async () => {
  await server.last.stream(connectedFrame("7"));
  hub.disconnect();
  expect(store.getSnapshot().connection.status).toBe("disconnected");
  hub.reconnect();
  await vi.advanceTimersByTimeAsync(0);
  expect(server.last.headers.get("last-event-id")).toBe("7");
});
