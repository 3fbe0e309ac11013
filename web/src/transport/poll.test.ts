import { beforeEach, describe, expect, it, vi } from "vitest";
import { pass, setClient } from "../testing/client.js";
import { connectedFrame, eventFrame, eventOf } from "../testing/server.js";

const client = setClient();

beforeEach(() => {
  // No streams, and nothing in their stead.
  client.server.environment.streams = () => false;
});

const answer = (cursor: string, ids: string[] = [], more: object = {}) =>
  client.server.last.answer(200, {
    body: JSON.stringify({ events: ids.map((id) => eventOf(id)), cursor, ...more }),
  });

const parameters = () => Object.fromEntries(new URL(client.server.last.url, "http://x").searchParams);

const notReady = {
  body: JSON.stringify({ success: false, error: { code: "not_ready", message: "the database is away" } }),
  headers: { "retry-after": "2" },
};

describe("polls", () => {
  it("begin at the head, with the same token and what is wanted", async () => {
    await client.open({
      url: "https://x.example/api/v1/realtime/sse?a=b/c",
      subscriptions: ["user_activity"],
    });
    expect(client.server.last.url).toMatch(/^https:\/\/x\.example\/api\/v1\/realtime\/events\?a=b\/c&/);
    expect(parameters()).toEqual({
      a: "b/c",
      wait: "0",
      limit: "1000",
      subscriptions: "user_activity",
    });
    expect(client.server.last.headers.get("authorization")).toBe("Bearer t1");
    expect(client.connection.state.status).toBe("connecting");
    await answer("10");
    expect(client.connection.state).toMatchObject({
      status: "connected",
      transport: "poll",
      connectionId: null,
      subscriptions: ["user_activity"],
      cursor: "10",
    });
  });

  it("go on from the answer's cursor, and wait for the next event", async () => {
    await client.open({ lastEventId: "10" });
    await answer("12", ["11", "12"]);
    await pass(249);
    expect(client.server.exchanges).toHaveLength(1);
    await pass(1);
    expect(parameters()).toMatchObject({ after: "12", wait: "25" });
    await answer("12~11", ["12", "13"]);
    expect(client.received).toEqual(["11", "12", "13"]);
    expect(client.connection.state.duplicates).toBe(1);
  });

  it("follow a full answer at once", async () => {
    await client.open({ lastEventId: "0" });
    await answer(
      "1000",
      Array.from({ length: 1000 }, (_, index) => String(index + 1)),
    );
    expect(client.server.exchanges).toHaveLength(2);
    expect(client.received).toHaveLength(1000);
  });

  it("never claim what the app was not given: it sees no cursor that is ahead of its events", async () => {
    await client.open({ lastEventId: "10" });
    await answer("666", ["11", "666"]);
    expect(client.states.filter(({ cursor }) => cursor === "666")).toHaveLength(1);
    expect(client.server.faults.map(String)).toEqual(["Error: a fault of the app"]);
  });

  it("hand on a reset, and go on from there", async () => {
    await client.open({ lastEventId: "500" });
    await answer("20", [], { reset: "cursor_ahead" });
    await pass(250);
    await answer("21", ["21"]);
    expect([client.resets, client.received]).toEqual([["cursor_ahead"], ["21"]]);
  });

  it("know the same ids in another life of the database for other events", async () => {
    client.server.environment.streams = () => true;
    await client.open({ lastEventId: "10" });
    // It ends between an event and its cursor.
    await client.server.last.stream(connectedFrame("10") + eventFrame("11"));
    client.server.environment.streams = () => false;
    await client.server.last.end();
    await pass(1_000);
    await answer("12@1", ["11", "12"]);
    expect(client.received).toEqual(["11", "11", "12"]);
    // Nobody can tell whether the first one was lost.
    expect(client.resets).toEqual(["cursor_ahead"]);
    await pass(250);
    await answer("13@1", ["13"]);
    expect(client.received).toEqual(["11", "11", "12", "13"]);
  });

  it("are degraded while the server has no database, and recover", async () => {
    await client.open({ lastEventId: "10" });
    await answer("10");
    await pass(250);
    await client.server.last.answer(503, notReady);
    expect(client.connection.state).toMatchObject({ status: "connected", degraded: true });
    await pass(2_999);
    expect(client.server.exchanges).toHaveLength(2);
    await pass(1);
    expect(parameters()).toMatchObject({ after: "10", wait: "0" });
    await answer("11", ["11"]);
    expect(client.connection.state).toMatchObject({ status: "connected", degraded: false, reconnects: 0 });
    expect(client.received).toEqual(["11"]);
  });

  it("wait as long as they are told to by a server that is full", async () => {
    await client.open({ lastEventId: "10" });
    await client.server.last.answer(429, { headers: { "retry-after": "5" } });
    expect(client.connection.state).toMatchObject({ status: "reconnecting", error: { kind: "limited" } });
    await pass(5_999);
    expect(client.server.exchanges).toHaveLength(1);
    await pass(1);
    expect(client.server.exchanges).toHaveLength(2);
  });

  it.each([401, 403])("ask for a new token after %d, once", async (status) => {
    client.token.mockReturnValueOnce("t1").mockReturnValueOnce("t2");
    await client.open({ lastEventId: "10" });
    await answer("10");
    await pass(250);
    await client.server.last.answer(status);
    expect(client.server.last.headers.get("authorization")).toBe("Bearer t2");
    expect(parameters()).toMatchObject({ after: "10" });
    await client.server.last.answer(status);
    expect(client.connection.state.status).toBe("error");
  });

  it("end with a server that does not answer", async () => {
    await client.open({ lastEventId: "10" });
    await answer("10");
    await pass(250 + 45_000);
    expect(client.connection.state).toMatchObject({ status: "reconnecting", error: { kind: "silent" } });
  });

  it("take a page that is no answer for a server that is away", async () => {
    await client.open();
    await client.server.last.answer(200, { body: "<html>" });
    expect(client.connection.state).toMatchObject({ status: "reconnecting", error: { kind: "protocol" } });
  });

  it("ask for something else with the next request", async () => {
    await client.open({ lastEventId: "10", subscriptions: ["user_activity"] });
    await answer("10");
    await pass(250);
    const done = client.connection.want({ subscriptions: ["system_health"] });
    await pass(0);
    expect(parameters()).toMatchObject({ subscriptions: "system_health", after: "10", wait: "0" });
    await answer("11");
    await done;
    expect(client.connection.state.status).toBe("connected");
  });

  it("go back for types that begin earlier, and repeat nothing", async () => {
    await client.open({ lastEventId: "10", subscriptions: ["document_processing"] });
    await answer("12", ["11"]);
    await pass(250);
    const done = client.connection.want(
      { subscriptions: ["document_processing", "user_activity"] },
      { since: "8" },
    );
    await pass(0);
    expect(parameters()).toMatchObject({ after: "8" });
    const events = [eventOf("9", {}, "user_activity"), eventOf("11"), eventOf("12", {}, "user_activity")];
    await client.server.last.answer(200, { body: JSON.stringify({ events, cursor: "12" }) });
    await done;
    expect(client.received).toEqual(["11", "9", "12"]);
    expect(client.connection.state.cursor).toBe("12");
  });
});

it("goes on at its pace when the clock is set back", async () => {
  await client.open({ lastEventId: "10" });
  vi.setSystemTime(Date.now() - 3_600_000);
  await answer("11");
  await pass(250);
  expect(parameters().after).toBe("11");
});
