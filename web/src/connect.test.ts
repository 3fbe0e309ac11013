import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { connect } from "./connect.js";
import type { Connection, ConnectOptions, TokenSource } from "./connection.js";
import { connectedFrame, eventFrame, FakeServer, statusFrame } from "./testing/server.js";

let server: FakeServer;
let connection: Connection;
let received: string[];
let resets: string[];
let token: ReturnType<typeof vi.fn<TokenSource>>;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  received = [];
  resets = [];
  token = vi.fn<TokenSource>(() => "t1");
});

afterEach(async () => {
  connection.close();
  await pass(0);
  expect(server.listeners).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

async function open(options: Partial<ConnectOptions> = {}): Promise<void> {
  const handlers = {
    onEvent: (event: { id: string }) => {
      received.push(event.id);
      if (event.id === "666") throw new Error("a fault of the app");
    },
    onState: () => {},
    onReset: (reason: string) => resets.push(reason),
  };
  connection = connect({ token, ...options }, handlers, server.environment);
  await vi.advanceTimersByTimeAsync(0);
}

const status = () => connection.state.status;
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("the request", () => {
  it("carries the token and nothing that was not asked for", async () => {
    await open();
    expect(server.last.url).toBe("/api/v1/realtime/sse");
    expect(server.last.headers.get("authorization")).toBe("Bearer t1");
    expect(server.last.headers.has("last-event-id")).toBe(false);
  });

  it("names types and organization in the URL, and the cursor in the header", async () => {
    await open({
      url: "https://events.example/sse?x=1",
      subscriptions: ["user_activity", "system_health"],
      organizationId: "org 1",
      lastEventId: "7~5",
    });
    expect(server.last.url).toBe(
      "https://events.example/sse?x=1&subscriptions=user_activity%2Csystem_health&organizationId=org+1",
    );
    expect(server.last.headers.get("last-event-id")).toBe("7~5");
  });
});

describe("events", () => {
  it("come once, also when the server repeats them after a reconnect", async () => {
    await open();
    await server.last.stream(connectedFrame("10") + eventFrame("11") + eventFrame("12", "12"));
    await server.last.send(eventFrame("13"));
    await server.last.fail();
    await pass(1000);
    expect(server.last.headers.get("last-event-id")).toBe("12");
    await server.last.stream(connectedFrame("12") + eventFrame("13") + eventFrame("14", "14"));
    expect(received).toEqual(["11", "12", "13", "14"]);
    expect(connection.state).toMatchObject({
      status: "connected",
      reconnects: 1,
      duplicates: 1,
      cursor: "14",
    });
  });

  it("come late when their transaction was late", async () => {
    await open();
    await server.last.stream(connectedFrame("10") + eventFrame("12", "12~11") + eventFrame("11", "12"));
    expect(received).toEqual(["12", "11"]);
  });

  it("do not come from heartbeats, which only move the cursor", async () => {
    await open();
    await server.last.stream(`${connectedFrame("10")}id: 99\nevent: cursor\ndata: {}\n\n`);
    expect(received).toEqual([]);
    expect(connection.state.cursor).toBe("99");
  });

  it("go on when the app throws, or a message is not JSON", async () => {
    await open();
    await server.last.stream(
      `${connectedFrame("10")}event: x\ndata: {broken\n\n${eventFrame("666")}${eventFrame("667", "667")}`,
    );
    expect(received).toEqual(["666", "667"]);
    expect(server.faults.map(String)).toEqual([
      "RowcastError: a message is not JSON",
      "Error: a fault of the app",
    ]);
  });
});

describe("what the server says", () => {
  it("connected: who is streaming what", async () => {
    await open();
    expect(status()).toBe("connecting");
    await server.last.stream(connectedFrame("10", ["org-1", "org-2"]));
    expect(connection.state).toMatchObject({
      status: "connected",
      connectionId: "c-1",
      organizations: ["org-1", "org-2"],
      cursor: "10",
      error: null,
    });
  });

  it("reset: handed out as the wish to fetch again, and the stream goes on from there", async () => {
    await open({ lastEventId: "500" });
    const reset = statusFrame({ status: "reset", reason: "cursor_ahead" }, "20");
    await server.last.stream(connectedFrame("500") + reset + eventFrame("21", "21"));
    expect(resets).toEqual(["cursor_ahead"]);
    expect(received).toEqual(["21"]);
    expect(connection.state.cursor).toBe("21");
  });

  it("an epoch: ids that were given out again are other events", async () => {
    await open({ lastEventId: "10" });
    await server.last.stream(connectedFrame("10") + eventFrame("11", "11"));
    const beat = "id: 11@1\nevent: cursor\ndata: {}\n\n";
    await server.last.send(statusFrame({ status: "degraded" }) + beat + eventFrame("12", "12@1"));
    await server.last.end();
    await pass(1000);
    await server.last.stream(connectedFrame("12@1") + eventFrame("13", "13@1"));
    expect([received, resets]).toEqual([["11", "12", "13"], []]);
  });

  it("an epoch, after a stream that broke between an event and its cursor: the event may be lost", async () => {
    await open({ lastEventId: "10" });
    await server.last.stream(connectedFrame("10") + eventFrame("11"));
    await server.last.end();
    await pass(1000);
    await server.last.stream(connectedFrame("10@1"));
    expect(resets).toEqual([]);
    await server.last.send(eventFrame("11") + eventFrame("12", "12@1") + eventFrame("13", "13@1"));
    expect([received, resets]).toEqual([["11", "11", "12", "13"], ["cursor_ahead"]]);
  });

  it("an epoch, and the same said by the server: one reset", async () => {
    await open({ lastEventId: "10" });
    await server.last.stream(connectedFrame("10") + eventFrame("11"));
    await server.last.end();
    await pass(1000);
    const reset = statusFrame({ status: "reset", reason: "cursor_ahead" }, "9@1");
    await server.last.stream(connectedFrame("9@1") + reset + eventFrame("10", "10@1"));
    expect([received, resets]).toEqual([["11", "10"], ["cursor_ahead"]]);
  });

  it("access_changed: what the stream covers from now on", async () => {
    await open();
    const changed = { status: "access_changed", subscriptions: ["user_activity"] };
    await server.last.stream(connectedFrame("10") + statusFrame(changed));
    expect(connection.state).toMatchObject({ subscriptions: ["user_activity"], organizations: null });
  });

  it("degraded and recovered: the stream stays", async () => {
    await open();
    await server.last.stream(connectedFrame("10") + statusFrame({ status: "degraded" }));
    expect(connection.state).toMatchObject({ status: "connected", degraded: true });
    await server.last.send(statusFrame({ status: "recovered" }));
    expect(connection.state.degraded).toBe(false);
  });

  it("closing: comes back exactly when it was told to, the server having drawn the delay", async () => {
    server.environment.random = () => 0;
    await open();
    await server.last.stream(`${connectedFrame("10")}retry: 2718\n${statusFrame({ status: "closing" })}`);
    await server.last.end();
    await pass(2717);
    expect(server.exchanges).toHaveLength(1);
    await pass(1);
    expect(server.exchanges).toHaveLength(2);
  });
});

describe("being disconnected by somebody", () => {
  it("is final, until the app asks again", async () => {
    await open();
    const closing = statusFrame({ status: "closing", reason: "disconnected" });
    await server.last.stream(`${connectedFrame("10")}retry: 1000\n${closing}`);
    await server.last.end();
    expect(connection.state).toMatchObject({
      status: "error",
      error: { kind: "disconnected" },
      retryAt: null,
    });
    await pass(60_000);
    await server.wake();
    expect(server.exchanges).toHaveLength(1);
    connection.reconnect();
    await pass(0);
    expect(server.exchanges).toHaveLength(2);
    expect(server.last.headers.get("last-event-id")).toBe("10");
    await server.last.stream(connectedFrame("10"));
    await server.last.end();
    expect(connection.state).toMatchObject({ status: "reconnecting" });
  });
});

describe("coming back", () => {
  it("doubles the delay up to thirty seconds, and says when", async () => {
    await open({ reconnectDelay: 1000 });
    const delays: number[] = [];
    for (let attempt = 1; attempt <= 7; attempt += 1) {
      await server.last.fail();
      expect(status()).toBe("reconnecting");
      delays.push((connection.state.retryAt ?? 0) - Date.now());
      await pass(delays.at(-1) ?? 0);
    }
    expect(delays).toEqual([1000, 2000, 4000, 8000, 16000, 30000, 30000]);
    expect(server.exchanges).toHaveLength(8);
  });

  it("draws the delay from the whole range, so that clients do not come back in step", async () => {
    server.environment.random = () => 0.25;
    await open({ reconnectDelay: 1000 });
    await server.last.fail();
    await pass(250);
    expect(server.exchanges).toHaveLength(2);
  });

  it("starts from the server's retry", async () => {
    await open();
    await server.last.stream(`retry: 3000\n${connectedFrame("10")}`);
    await server.last.end();
    expect((connection.state.retryAt ?? 0) - Date.now()).toBe(3000);
  });

  it("counts attempts anew only after a stream that lasted", async () => {
    await open();
    await server.last.fail();
    await pass(1000);
    await server.last.stream(connectedFrame("10"));
    await server.last.end();
    expect(connection.state.attempt).toBe(2);
    await pass(2000);
    await server.last.stream(connectedFrame("10"));
    await pass(5000);
    await server.last.end();
    expect(connection.state.attempt).toBe(1);
  });

  it.each([
    ["seconds", "7"],
    ["a date", new Date(7000).toUTCString()],
  ])("waits for Retry-After in %s, and wakes for nothing before it", async (_, retryAfter) => {
    vi.setSystemTime(0);
    await open({ reconnectDelay: 100 });
    await server.last.answer(503, { headers: { "retry-after": retryAfter } });
    await server.wake();
    await pass(7000);
    expect(server.exchanges).toHaveLength(1);
    await pass(100);
    expect(server.exchanges).toHaveLength(2);
  });

  it("tries at once when the network returns or the page is looked at", async () => {
    await open();
    await server.last.fail();
    await server.wake();
    expect(server.exchanges).toHaveLength(2);
  });

  it("gives up after as many attempts as allowed, until it is woken", async () => {
    await open({ maxReconnectAttempts: 1 });
    await server.last.fail();
    await pass(1000);
    await server.last.fail();
    expect(status()).toBe("error");
    await pass(3_600_000);
    expect(server.exchanges).toHaveLength(2);
    await server.wake();
    expect(server.exchanges).toHaveLength(3);
  });

  it("tries at once when asked to", async () => {
    await open();
    await server.last.fail();
    connection.reconnect();
    await pass(0);
    expect(server.exchanges).toHaveLength(2);
  });

  it("takes a page that is not an event stream for a server that is away", async () => {
    await open();
    await server.last.stream("<html>", { headers: { "content-type": "text/html" } });
    expect(connection.state).toMatchObject({ status: "reconnecting", error: { kind: "protocol" } });
  });
});

describe("silence", () => {
  it("of 45 seconds ends a stream, heartbeats keep it", async () => {
    await open();
    await server.last.stream(connectedFrame("10"));
    await pass(30_000);
    await server.last.send("id: 11\nevent: cursor\ndata: {}\n\n");
    await pass(44_999);
    expect(status()).toBe("connected");
    await pass(1);
    expect(server.exchanges[0]?.aborted).toBe(true);
    expect(connection.state).toMatchObject({
      status: "reconnecting",
      error: { kind: "silent" },
      cursor: "11",
    });
  });

  it("is noticed at once after a sleep, during which no timer ran", async () => {
    await open();
    await server.last.stream(connectedFrame("10"));
    vi.setSystemTime(Date.now() + 60_000);
    await server.wake();
    expect(connection.state.error?.kind).toBe("silent");
  });

  it("also ends a request that is never answered", async () => {
    await open();
    await pass(45_000);
    expect(connection.state).toMatchObject({ status: "reconnecting", error: { kind: "silent" } });
  });
});

describe("refusals", () => {
  const body = JSON.stringify({
    success: false,
    error: { code: "invalid_token", message: "the token has expired" },
  });

  it.each([401, 403])("asks for a new token once, after %d", async (code) => {
    token.mockReturnValueOnce("old").mockReturnValueOnce("new");
    await open();
    await server.last.answer(code, { body });
    expect(token).toHaveBeenLastCalledWith({ refused: "old", expiring: false });
    expect(server.last.headers.get("authorization")).toBe("Bearer new");
    await server.last.answer(code, { body });
    expect(connection.state).toMatchObject({
      status: "error",
      error: { code: "invalid_token", message: "the token has expired" },
    });
    await pass(3_600_000);
    await server.wake();
    expect(server.exchanges).toHaveLength(2);
  });

  it("does not show the same token twice", async () => {
    await open();
    await server.last.answer(401, { body });
    expect(server.exchanges).toHaveLength(1);
    expect(connection.state).toMatchObject({ status: "error", error: { kind: "unauthorized" } });
  });

  it("asks again in a later life of the stream", async () => {
    token.mockReturnValueOnce("a").mockReturnValueOnce("b").mockReturnValueOnce("b").mockReturnValueOnce("c");
    await open();
    await server.last.answer(401);
    await server.last.stream(connectedFrame("10"));
    await server.last.end();
    await pass(1000);
    await server.last.answer(401);
    expect(server.last.headers.get("authorization")).toBe("Bearer c");
  });

  it("ends without a token, and asks for one when told to try again", async () => {
    token.mockReturnValueOnce(null);
    await open();
    expect(connection.state).toMatchObject({ status: "error", error: { kind: "unauthorized" } });
    expect(server.exchanges).toHaveLength(0);
    connection.reconnect();
    await pass(0);
    expect(server.exchanges).toHaveLength(1);
  });

  it("tries again when the token could not be fetched", async () => {
    token.mockRejectedValueOnce(new TypeError("no network"));
    await open();
    expect(status()).toBe("reconnecting");
    await pass(1000);
    expect(server.exchanges).toHaveLength(1);
  });

  it("does not repeat a request that is wrong", async () => {
    await open();
    await server.last.answer(400);
    await pass(3_600_000);
    expect(connection.state).toMatchObject({ status: "error", error: { kind: "refused" } });
    expect(server.exchanges).toHaveLength(1);
  });
});

describe("close", () => {
  it("ends the stream, and reconnect resumes where it was", async () => {
    await open();
    await server.last.stream(connectedFrame("10") + eventFrame("11", "11"));
    connection.close();
    expect(server.last.aborted).toBe(true);
    expect(status()).toBe("disconnected");
    connection.reconnect();
    await pass(0);
    expect(server.last.headers.get("last-event-id")).toBe("11");
  });

  it("while waiting leaves nothing behind", async () => {
    await open();
    await server.last.fail();
    connection.close();
    await pass(3_600_000);
    expect(server.exchanges).toHaveLength(1);
  });
});
