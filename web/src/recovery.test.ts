import { describe, expect, it, vi } from "vitest";
import { pass, setClient } from "./testing/client.js";
import { connectedFrame, statusFrame } from "./testing/server.js";

const client = setClient();

describe("coming back", () => {
  it("doubles the delay up to thirty seconds, and says when", async () => {
    await client.open({ reconnectDelay: 1000 });
    const delays: number[] = [];
    for (let attempt = 1; attempt <= 7; attempt += 1) {
      await client.server.last.fail();
      expect(client.connection.state.status).toBe("reconnecting");
      delays.push((client.connection.state.retryAt ?? 0) - Date.now());
      await pass(delays.at(-1) ?? 0);
    }
    expect(delays).toEqual([1000, 2000, 4000, 8000, 16000, 30000, 30000]);
    expect(client.server.exchanges).toHaveLength(8);
  });

  it("draws the delay from the whole range, so that clients do not come back in step", async () => {
    client.server.environment.random = () => 0.25;
    await client.open({ reconnectDelay: 1000 });
    await client.server.last.fail();
    await pass(250);
    expect(client.server.exchanges).toHaveLength(2);
  });

  it("starts from the server's retry", async () => {
    await client.open();
    await client.server.last.stream(`retry: 3000\n${connectedFrame("10")}`);
    await client.server.last.end();
    expect((client.connection.state.retryAt ?? 0) - Date.now()).toBe(3000);
  });

  it("takes a retry of years for a mistake", async () => {
    await client.open();
    const closing = statusFrame({ status: "closing", reason: "unavailable" });
    await client.server.last.stream(`${connectedFrame("10")}retry: 99999999999\n${closing}`);
    await client.server.last.end();
    expect((client.connection.state.retryAt ?? 0) - Date.now()).toBe(3_600_000);
  });

  it("counts attempts anew only after a stream that lasted", async () => {
    await client.open();
    await client.server.last.fail();
    await pass(1000);
    await client.server.last.stream(connectedFrame("10"));
    await client.server.last.end();
    expect(client.connection.state.attempt).toBe(2);
    await pass(2000);
    await client.server.last.stream(connectedFrame("10"));
    await pass(5000);
    await client.server.last.end();
    expect(client.connection.state.attempt).toBe(1);
  });

  it.each([
    ["seconds", "7"],
    ["a date", new Date(7000).toUTCString()],
  ])("waits for Retry-After in %s, and wakes for nothing before it", async (_, retryAfter) => {
    vi.setSystemTime(0);
    await client.open({ reconnectDelay: 100 });
    await client.server.last.answer(503, { headers: { "retry-after": retryAfter } });
    await client.server.wake();
    await pass(7000);
    expect(client.server.exchanges).toHaveLength(1);
    await pass(100);
    expect(client.server.exchanges).toHaveLength(2);
  });

  it("tries at once when the network returns or the page is looked at", async () => {
    await client.open();
    await client.server.last.fail();
    await client.server.wake();
    expect(client.server.exchanges).toHaveLength(2);
  });

  it("gives up after as many attempts as allowed, until it is woken", async () => {
    await client.open({ maxReconnectAttempts: 1 });
    await client.server.last.fail();
    await pass(1000);
    await client.server.last.fail();
    expect(client.connection.state.status).toBe("error");
    await pass(3_600_000);
    expect(client.server.exchanges).toHaveLength(2);
    await client.server.wake();
    expect(client.server.exchanges).toHaveLength(3);
  });

  it("tries at once when asked to", async () => {
    await client.open();
    await client.server.last.fail();
    client.connection.reconnect();
    await pass(0);
    expect(client.server.exchanges).toHaveLength(2);
  });

  it("takes a page that is not an event stream for a server that is away", async () => {
    await client.open();
    await client.server.last.stream("<html>", { headers: { "content-type": "text/html" } });
    expect(client.connection.state).toMatchObject({ status: "reconnecting", error: { kind: "protocol" } });
  });
});

describe("silence", () => {
  it("of 45 seconds ends a stream, heartbeats keep it", async () => {
    await client.open();
    await client.server.last.stream(connectedFrame("10"));
    await pass(30_000);
    await client.server.last.send("id: 11\nevent: cursor\ndata: {}\n\n");
    await pass(44_999);
    expect(client.connection.state.status).toBe("connected");
    await pass(1);
    expect(client.server.exchanges[0]?.aborted).toBe(true);
    expect(client.connection.state).toMatchObject({
      status: "reconnecting",
      error: { kind: "silent" },
      cursor: "11",
    });
  });

  it("is noticed at once after a sleep, during which no timer ran", async () => {
    await client.open();
    await client.server.last.stream(connectedFrame("10"));
    vi.setSystemTime(Date.now() + 60_000);
    await client.server.wake();
    expect(client.connection.state.error?.kind).toBe("silent");
  });

  it("also ends a request that is never answered", async () => {
    await client.open();
    await pass(45_000);
    expect(client.connection.state).toMatchObject({ status: "reconnecting", error: { kind: "silent" } });
  });
});

describe("without a network", () => {
  it("the stream ends at once, and nothing is tried until it is back", async () => {
    await client.open();
    await client.server.last.stream(connectedFrame("10"));
    await client.server.cut();
    expect(client.connection.state).toMatchObject({ status: "reconnecting", error: { kind: "network" } });
    await pass(29_999);
    expect(client.server.exchanges).toHaveLength(1);
    client.server.isOnline = true;
    await client.server.wake();
    expect(client.server.exchanges).toHaveLength(2);
    expect(client.server.last.headers.get("last-event-id")).toBe("10");
  });

  it("attempts are few and do not count, in case the browser is mistaken", async () => {
    await client.open({ maxReconnectAttempts: 2 });
    await client.server.cut();
    for (let turn = 0; turn < 5; turn += 1) {
      await pass(30_000);
      await client.server.last.fail();
    }
    expect(client.server.exchanges).toHaveLength(6);
    expect(client.connection.state).toMatchObject({ status: "reconnecting", attempt: 1 });
  });
});

describe("a server that says `retry: 0`", () => {
  it("is not asked all the time when it is away", async () => {
    await client.open();
    await client.server.last.stream(`retry: 0\n${connectedFrame("10")}`);
    await client.server.last.fail();
    for (let ms = 0; ms < 60_000; ms += 100) {
      await pass(100);
      if (!client.server.last.aborted) await client.server.last.fail();
    }
    expect(client.server.exchanges.length).toBeLessThan(15);
  });

  it("is not asked all the time when it closes each stream", async () => {
    await client.open();
    for (let ms = 0; ms < 10_000; ms += 100) {
      if (!client.server.last.aborted) {
        await client.server.last.stream(
          `retry: 0\n${statusFrame({ status: "closing", reason: "unavailable" })}`,
        );
        await client.server.last.end();
      }
      await pass(100);
    }
    expect(client.server.exchanges.length).toBeLessThan(25);
  });
});

it("notices silence also when the clock was set back meanwhile", async () => {
  await client.open();
  await client.server.last.stream(connectedFrame("10"));
  vi.setSystemTime(Date.now() - 3_600_000);
  await pass(95_000);
  expect(client.server.exchanges.length).toBeGreaterThan(1);
});
