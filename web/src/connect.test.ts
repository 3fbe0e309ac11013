import { describe, expect, it } from "vitest";
import { connect } from "./connect.js";
import type { ConnectionHandlers } from "./connection.js";
import { pass, setClient } from "./testing/client.js";
import { connectedFrame, eventFrame } from "./testing/server.js";

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
