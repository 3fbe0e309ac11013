import { afterEach, describe, expect, it } from "vitest";
import { connect } from "./connect.js";
import type { Connection, ConnectionHandlers, ConnectionState, ConnectOptions } from "./connection.js";
import type { OutboxEvent } from "./protocol.js";
import { pass, setClient } from "./testing/client.js";
import { connectedFrame, cursorFrame, eventFrame } from "./testing/server.js";

const client = setClient();

describe("the request", () => {
  it("carries the token and nothing that was not asked for", async () => {
    await client.open();
    expect(client.server.last.url).toBe("/api/v1/realtime/sse");
    expect(client.server.last.headers.get("authorization")).toBe("Bearer t1");
    expect(client.server.last.headers.has("last-event-id")).toBe(false);
  });

  it("names types and organization in the URL, and the cursor in the header", async () => {
    await client.open({
      url: "https://events.example/sse?x=1",
      subscriptions: ["user_activity", "system_health"],
      organizationId: "org 1",
      lastEventId: "7~5",
    });
    expect(client.server.last.url).toBe(
      "https://events.example/sse?x=1&subscriptions=user_activity%2Csystem_health&organizationId=org+1",
    );
    expect(client.server.last.headers.get("last-event-id")).toBe("7~5");
  });
});

describe("events", () => {
  it("come once, also when the server repeats them after a reconnect", async () => {
    await client.open();
    await client.server.last.stream(connectedFrame("10") + eventFrame("11") + eventFrame("12", "12"));
    await client.server.last.send(eventFrame("13"));
    await client.server.last.fail();
    await pass(1000);
    expect(client.server.last.headers.get("last-event-id")).toBe("12");
    await client.server.last.stream(connectedFrame("12") + eventFrame("13") + eventFrame("14", "14"));
    expect(client.received).toEqual(["11", "12", "13", "14"]);
    expect(client.connection.state).toMatchObject({
      status: "connected",
      reconnects: 1,
      duplicates: 1,
      cursor: "14",
    });
  });

  it("come late when their transaction was late", async () => {
    await client.open();
    await client.server.last.stream(
      connectedFrame("10") + eventFrame("12", "12~11") + eventFrame("11", "12"),
    );
    expect(client.received).toEqual(["12", "11"]);
  });

  it("do not come from heartbeats, which only move the cursor", async () => {
    await client.open();
    await client.server.last.stream(`${connectedFrame("10")}id: 99\nevent: cursor\ndata: {}\n\n`);
    expect(client.received).toEqual([]);
    expect(client.connection.state.cursor).toBe("99");
  });

  it("go on when the app throws, or a message is not JSON", async () => {
    await client.open();
    await client.server.last.stream(
      `${connectedFrame("10")}event: x\ndata: {broken\n\n${eventFrame("666")}${eventFrame("667", "667")}`,
    );
    expect(client.received).toEqual(["666", "667"]);
    expect(client.server.faults.map(String)).toEqual([
      "RowcastError: a message is not JSON",
      "Error: a fault of the app",
    ]);
  });

  it("are all that an app has to listen for, besides resets", async () => {
    const ids: string[] = [];
    const handlers: ConnectionHandlers = { onEvent: ({ id }) => ids.push(id), onReset: () => {} };
    const connection = connect({ token: () => "t1" }, handlers, client.server.environment);
    await pass(0);
    await client.server.last.stream(connectedFrame("10") + eventFrame("11", "11"));
    connection.close();
    expect([ids, client.server.faults]).toEqual([["11"], []]);
  });
});

describe("close", () => {
  it("ends the stream, and reconnect resumes where it was", async () => {
    await client.open();
    await client.server.last.stream(connectedFrame("10") + eventFrame("11", "11"));
    client.connection.close();
    expect(client.server.last.aborted).toBe(true);
    expect(client.connection.state.status).toBe("disconnected");
    client.connection.reconnect();
    await pass(0);
    expect(client.server.last.headers.get("last-event-id")).toBe("11");
  });

  it("while waiting leaves nothing behind", async () => {
    await client.open();
    await client.server.last.fail();
    client.connection.close();
    await pass(3_600_000);
    expect(client.server.exchanges).toHaveLength(1);
  });
});

describe("an app that acts while it is told", () => {
  /** Opens a connection whose handlers do this. */
  const begin = async (handlers: Partial<ConnectionHandlers>, options: ConnectOptions = {}) => {
    const told = { onEvent() {}, onState() {}, onReset() {}, ...handlers };
    const { server, token } = client;
    connection = connect({ token, ...options }, told, server.environment);
    await pass(0);
  };
  let connection: Connection | undefined;
  afterEach(() => connection?.close());

  it("may close before anything was asked for", async () => {
    await begin({ onState: ({ status }) => status === "reconnecting" && connection?.close() });
    await client.server.last.fail();
    await pass(60_000);
    expect(client.server.exchanges).toHaveLength(1);
    expect(client.server.listeners).toBe(0);
    expect(connection?.state.status).toBe("disconnected");
  });

  it("may close as an attempt begins: nothing is asked, not even for a token", async () => {
    let attempts = 0;
    await begin({
      onState({ status, retryAt }) {
        if (status === "reconnecting" && retryAt === null) attempts += 1;
        if (attempts === 1) connection?.close();
      },
    });
    await client.server.last.fail();
    await pass(60_000);
    expect(client.server.exchanges).toHaveLength(1);
    expect(client.token).toHaveBeenCalledTimes(1);
    expect(client.server.listeners).toBe(0);
  });

  it("may close at an event: that was the last, and those behind it come after `reconnect`", async () => {
    const ids: string[] = [];
    const onEvent = ({ id }: OutboxEvent) => {
      ids.push(id);
      if (id === "11") connection?.close();
    };
    await begin({ onEvent }, { storage: { read: () => null, write: () => {} } });
    await client.server.last.stream(connectedFrame("10") + eventFrame("11") + eventFrame("12", "12"));
    expect(ids).toEqual(["11"]);
    expect(client.server.listeners).toBe(0);
    connection?.reconnect();
    await pass(0);
    expect(client.server.last.headers.get("last-event-id")).toBe("10");
    await client.server.last.stream(connectedFrame("10") + eventFrame("11") + eventFrame("12", "12"));
    expect(ids).toEqual(["11", "12"]);
  });

  it("may try again as soon as it has failed", async () => {
    let errors = 0;
    const onState = ({ status }: ConnectionState) => {
      if (status !== "error") return;
      errors += 1;
      if (errors < 3) connection?.reconnect();
    };
    await begin({ onState });
    for (const _ of [1, 2]) {
      await client.server.last.answer(404);
      await pass(0);
    }
    expect(client.server.exchanges).toHaveLength(3);
    await client.server.last.stream(connectedFrame("10"));
    expect([connection?.state.status, errors]).toEqual(["connected", 2]);
  });
});

it("does not wait for a token that never comes, once it is asked to begin again", async () => {
  client.token.mockReturnValueOnce(new Promise(() => {}));
  await client.open();
  expect(client.server.exchanges).toHaveLength(0);
  client.connection.reconnect();
  await pass(0);
  expect(client.server.last.headers.get("authorization")).toBe("Bearer t1");
});

it("tells the server of a cursor that no header can hold", async () => {
  await client.open({ lastEventId: "10\u2026\n" });
  expect(client.server.exchanges).toHaveLength(1);
  expect(client.server.last.headers.get("last-event-id")).toBe("10%E2%80%A6%0A");
});

it("survives a `debug` that throws", async () => {
  await client.open({
    debug: () => {
      throw new Error("a fault of the app");
    },
  });
  await client.server.last.fail();
  await pass(1_000);
  expect(client.server.exchanges).toHaveLength(2);
  expect(client.server.faults.map(String)).toEqual(["Error: a fault of the app"]);
});

it("has no use for an event without an id of the outbox", async () => {
  await client.open();
  const odd = [
    eventFrame("eleven"),
    eventFrame("11").replace('"id":"11",', ""),
    "data: 5\n\n",
    "data: null\n\n",
  ];
  await client.server.last.stream(connectedFrame("10") + odd.join("") + eventFrame("12", "12"));
  await client.server.last.send(cursorFrame("12@1") + eventFrame("13", "13@1"));
  expect(client.received).toEqual(["12", "13"]);
  expect(client.server.faults).toHaveLength(3);
  expect(client.connection.state).toMatchObject({ status: "connected", cursor: "13@1" });
});
