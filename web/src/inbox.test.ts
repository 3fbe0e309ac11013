import { describe, expect, it, vi } from "vitest";
import { pass, setClient } from "./testing/client.js";
import { connectedFrame, eventFrame, statusFrame } from "./testing/server.js";

const client = setClient();

describe("what the server says", () => {
  it("connected: who is streaming what", async () => {
    await client.open();
    expect(client.connection.state.status).toBe("connecting");
    await client.server.last.stream(connectedFrame("10", ["org-1", "org-2"]));
    expect(client.connection.state).toMatchObject({
      status: "connected",
      connectionId: "c-1",
      organizations: ["org-1", "org-2"],
      cursor: "10",
      error: null,
    });
  });

  it("reset: handed out as the wish to fetch again, and the stream goes on from there", async () => {
    await client.open({ lastEventId: "500" });
    const reset = statusFrame({ status: "reset", reason: "cursor_ahead" }, "20");
    await client.server.last.stream(connectedFrame("500") + reset + eventFrame("21", "21"));
    expect(client.resets).toEqual(["cursor_ahead"]);
    expect(client.received).toEqual(["21"]);
    expect(client.connection.state.cursor).toBe("21");
  });

  it("an epoch: ids that were given out again are other events", async () => {
    await client.open({ lastEventId: "10" });
    await client.server.last.stream(connectedFrame("10") + eventFrame("11", "11"));
    const beat = "id: 11@1\nevent: cursor\ndata: {}\n\n";
    await client.server.last.send(statusFrame({ status: "degraded" }) + beat + eventFrame("12", "12@1"));
    await client.server.last.end();
    await pass(1000);
    await client.server.last.stream(connectedFrame("12@1") + eventFrame("13", "13@1"));
    expect([client.received, client.resets]).toEqual([["11", "12", "13"], []]);
  });

  it("an epoch, after a stream that broke between an event and its cursor: the event may be lost", async () => {
    await client.open({ lastEventId: "10" });
    await client.server.last.stream(connectedFrame("10") + eventFrame("11"));
    await client.server.last.end();
    await pass(1000);
    await client.server.last.stream(connectedFrame("10@1"));
    expect(client.resets).toEqual([]);
    await client.server.last.send(eventFrame("11") + eventFrame("12", "12@1") + eventFrame("13", "13@1"));
    expect([client.received, client.resets]).toEqual([["11", "11", "12", "13"], ["cursor_ahead"]]);
  });

  it("an epoch, and the same said by the server: one reset", async () => {
    await client.open({ lastEventId: "10" });
    await client.server.last.stream(connectedFrame("10") + eventFrame("11"));
    await client.server.last.end();
    await pass(1000);
    const reset = statusFrame({ status: "reset", reason: "cursor_ahead" }, "9@1");
    await client.server.last.stream(connectedFrame("9@1") + reset + eventFrame("10", "10@1"));
    expect([client.received, client.resets]).toEqual([["11", "10"], ["cursor_ahead"]]);
  });

  it("access_changed: what the stream covers from now on", async () => {
    await client.open();
    const changed = { status: "access_changed", subscriptions: ["user_activity"] };
    await client.server.last.stream(connectedFrame("10") + statusFrame(changed));
    expect(client.connection.state).toMatchObject({ subscriptions: ["user_activity"], organizations: null });
  });

  it("degraded and recovered: the stream stays", async () => {
    await client.open();
    await client.server.last.stream(connectedFrame("10") + statusFrame({ status: "degraded" }));
    expect(client.connection.state).toMatchObject({ status: "connected", degraded: true });
    await client.server.last.send(statusFrame({ status: "recovered" }));
    expect(client.connection.state.degraded).toBe(false);
  });

  it("closing: comes back exactly when it was told to, the server having drawn the delay", async () => {
    client.server.environment.random = () => 0;
    await client.open();
    await client.server.last.stream(
      `${connectedFrame("10")}retry: 2718\n${statusFrame({ status: "closing", reason: "unavailable" })}`,
    );
    await client.server.last.end();
    await pass(2717);
    expect(client.server.exchanges).toHaveLength(1);
    await pass(1);
    expect(client.server.exchanges).toHaveLength(2);
  });
});

describe("the lag", () => {
  it("is an event's age on arrival, by the server's clock", async () => {
    vi.setSystemTime("2026-11-23T09:05:00.000Z");
    await client.open();
    // The server says that it is nine o'clock, as do its events.
    await client.server.last.stream(connectedFrame("10"));
    expect(client.connection.state.lag).toBeNull();
    await pass(1_500);
    await client.server.last.send(eventFrame("11", "11"));
    expect(client.connection.state.lag).toBe(1_500);
  });
});

describe("being disconnected by somebody", () => {
  it("is final, until the app asks again", async () => {
    await client.open();
    const closing = statusFrame({ status: "closing", reason: "disconnected" });
    await client.server.last.stream(`${connectedFrame("10")}retry: 1000\n${closing}`);
    await client.server.last.end();
    expect(client.connection.state).toMatchObject({
      status: "error",
      error: { kind: "disconnected" },
      retryAt: null,
    });
    await pass(60_000);
    await client.server.wake();
    expect(client.server.exchanges).toHaveLength(1);
    client.connection.reconnect();
    await pass(0);
    expect(client.server.exchanges).toHaveLength(2);
    expect(client.server.last.headers.get("last-event-id")).toBe("10");
    await client.server.last.stream(connectedFrame("10"));
    await client.server.last.end();
    expect(client.connection.state).toMatchObject({ status: "reconnecting" });
  });
});
