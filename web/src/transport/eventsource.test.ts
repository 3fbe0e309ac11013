import { beforeEach, describe, expect, it } from "vitest";
import { pass, setClient } from "../testing/client.js";
import { eventOf, statusOf } from "../testing/server.js";
import { FakeSource } from "../testing/source.js";

const client = setClient();
let sources: FakeSource[];

beforeEach(() => {
  sources = [];
  client.server.environment.streams = () => false;
  client.server.environment.openEventSource = (url) => {
    const source = new FakeSource(url);
    sources.push(source);
    return source;
  };
});

const last = (): FakeSource => {
  const source = sources.at(-1);
  if (!source) throw new Error("no EventSource was opened");
  return source;
};

const ticket = () =>
  client.server.last.answer(200, {
    body: JSON.stringify({ success: true, ticket: "a ticket", expiresAt: "" }),
  });

const connected = {
  status: "connected",
  connectionId: "c-1",
  subscriptions: ["document_processing", "invoice_paid"],
  organizations: ["org-1"],
};

async function openStream(): Promise<void> {
  await client.open({ lastEventId: "10" });
  await ticket();
  last().open();
  last().say("connection_status", statusOf(connected), "10");
  await pass(0);
}

describe("an EventSource", () => {
  it("is opened with a ticket, which the token has paid for", async () => {
    await client.open({ lastEventId: "10", subscriptions: ["document_processing"] });
    expect(client.server.last).toMatchObject({ method: "POST", url: "/api/v1/realtime/ticket" });
    expect(client.server.last.headers.get("authorization")).toBe("Bearer t1");
    await ticket();
    expect(last().url).toBe(
      "/api/v1/realtime/sse?ticket=a+ticket&lastEventId=10&subscriptions=document_processing",
    );
  });

  it("brings what `connected` has named, an app's own types included", async () => {
    await openStream();
    last().say("document_processing", eventOf("11"), "10");
    last().say("invoice_paid", eventOf("12", {}, "invoice_paid"), "12");
    last().say("cursor", {}, "15");
    expect(client.received).toEqual(["11", "12"]);
    expect(client.connection.state).toMatchObject({
      status: "connected",
      transport: "eventsource",
      connectionId: "c-1",
      cursor: "15",
    });
  });

  it("that ends comes back with a new ticket, by the cursor", async () => {
    await openStream();
    last().say("document_processing", eventOf("11"), "11");
    last().fail();
    await pass(0);
    expect(last().isClosed).toBe(true);
    expect(client.connection.state).toMatchObject({ status: "reconnecting", error: { kind: "unavailable" } });
    await pass(1_000);
    await ticket();
    expect(last().url).toContain("lastEventId=11");
    last().say("connection_status", statusOf(connected), "11");
    last().say("document_processing", eventOf("11"), "11");
    expect(client.received).toEqual(["11"]);
  });

  it("that is refused does not say why, but a poll does", async () => {
    client.token.mockReturnValueOnce("t1").mockReturnValueOnce("t2");
    await client.open({ subscriptions: ["system_health"] });
    for (const token of ["t1", "t2"]) {
      expect(client.server.last.headers.get("authorization")).toBe(`Bearer ${token}`);
      await ticket();
      last().fail();
      await pass(0);
      expect(client.server.last.url).toContain("/events?wait=0&limit=1&subscriptions=system_health");
      await client.server.last.answer(403, {
        body: JSON.stringify({ success: false, error: { code: "permission_required", message: "no" } }),
      });
    }
    expect(client.connection.state).toMatchObject({
      status: "error",
      error: { kind: "forbidden", code: "permission_required" },
    });
  });

  it("without a ticket waits as long as it is told to", async () => {
    await client.open();
    await client.server.last.answer(429, { headers: { "retry-after": "9" } });
    await pass(9_999);
    expect(client.server.exchanges).toHaveLength(1);
    await pass(1);
    expect(client.server.exchanges).toHaveLength(2);
    expect(sources).toHaveLength(0);
  });

  it("that is accepted and says nothing is held back: polls take over", async () => {
    await client.open({ lastEventId: "10" });
    await ticket();
    last().open();
    await pass(10_000);
    expect(last().isClosed).toBe(true);
    expect(client.server.last.url).toContain("/events?after=10");
  });

  it("is closed with the connection", async () => {
    await openStream();
    client.connection.close();
    expect(last().isClosed).toBe(true);
    last().say("document_processing", eventOf("11"), "11");
    expect(client.received).toEqual([]);
  });

  it("is opened anew for other types, of which it would not hear", async () => {
    await client.open({ subscriptions: ["document_processing"], lastEventId: "10" });
    await ticket();
    last().say("connection_status", statusOf(connected), "10");
    const done = client.connection.want({ subscriptions: ["document_processing", "user_activity"] });
    await pass(0);
    await ticket();
    expect(last().url).toContain("user_activity");
    last().say("connection_status", statusOf(connected), "10");
    await done;
    expect(client.server.exchanges.every(({ url }) => url.endsWith("/ticket"))).toBe(true);
  });

  it("that is closing without a word of when comes back at a random time", async () => {
    client.server.environment.random = () => 0.5;
    await openStream();
    last().say("connection_status", statusOf({ status: "closing", reason: "unavailable" }), "10");
    last().fail();
    await pass(499);
    expect(client.server.exchanges).toHaveLength(1);
    await pass(1);
    expect(client.server.exchanges).toHaveLength(2);
  });
});

it("keeps its cursor when it is sent away before it was greeted", async () => {
  await client.open({ lastEventId: "10" });
  await ticket();
  last().open();
  // The server's goodbye has no id, and this `EventSource` has heard of none.
  last().say("connection_status", statusOf({ status: "closing", reason: "unavailable" }), "");
  last().fail();
  await pass(5_000);
  await ticket();
  expect(client.connection.state.cursor).toBe("10");
  expect(last().url).toContain("lastEventId=10");
});
