import { describe, expect, it } from "vitest";
import type { RowcastError } from "./errors.js";
import type { EventType } from "./protocol.js";
import { pass, setClient } from "./testing/client.js";
import { connectedFrame, cursorFrame, eventFrame } from "./testing/server.js";

const client = setClient();

const DOCUMENTS: EventType[] = ["document_processing"];
const BOTH: EventType[] = ["document_processing", "user_activity"];
const OTHER: EventType[] = ["user_activity"];

const obeyed = (...eventTypes: string[]) => ({
  body: JSON.stringify({ success: true, eventTypes, expiresAt: "2026-11-23T10:00:00.000Z" }),
});
const refused = (code: string) => ({
  body: JSON.stringify({ success: false, error: { code, message: "no" } }),
});

/** What becomes of it, once it has become of it. */
function outcome(wanted: Promise<void>): { of: string } {
  const outcome = { of: "pending" };
  wanted.then(
    () => {
      outcome.of = "done";
    },
    (error: RowcastError) => {
      outcome.of = `${error.kind} ${error.code}`;
    },
  );
  return outcome;
}

async function openFor(subscriptions: EventType[] | undefined): Promise<void> {
  await client.open({ subscriptions });
  await client.server.last.stream(connectedFrame("10"));
}

const want = (subscriptions: EventType[] | undefined, since?: string) =>
  outcome(client.connection.want({ subscriptions }, { since }));

/** What was asked of the open stream so far. */
const asked = () => client.server.asked("POST").map(({ body }) => body);

describe("other types", () => {
  it("are asked for on the open stream, and in the URL of the next one", async () => {
    await openFor(DOCUMENTS);
    const done = want(OTHER);
    await pass(0);
    expect(done.of).toBe("pending");
    await client.server.last.answer(200, obeyed("document_processing", "user_activity"));
    await pass(0);
    await client.server.last.answer(200, obeyed("user_activity"));
    expect(asked()).toEqual([
      { connectionId: "c-1", action: "subscribe", eventTypes: OTHER },
      { connectionId: "c-1", action: "unsubscribe", eventTypes: DOCUMENTS },
    ]);
    expect(client.server.last.headers.get("authorization")).toBe("Bearer t1");
    expect(done.of).toBe("done");
    expect(client.connection.state).toMatchObject({
      subscriptions: OTHER,
      expiresAt: "2026-11-23T10:00:00.000Z",
      reconnects: 0,
    });
    await client.server.exchanges[0]?.fail();
    await pass(1000);
    expect(client.server.last.url).toMatch(/\?subscriptions=user_activity$/);
  });

  it("that are the same as before ask for nothing", async () => {
    await openFor(BOTH);
    const done = want([...BOTH].reverse());
    await pass(0);
    expect([done.of, asked()]).toEqual(["done", []]);
  });

  it("wanted in one breath are one change", async () => {
    await openFor(DOCUMENTS);
    const all = [want(BOTH), want(["system_health"]), want(BOTH)];
    await pass(0);
    await client.server.last.answer(200, obeyed());
    expect(asked()).toEqual([{ connectionId: "c-1", action: "subscribe", eventTypes: OTHER }]);
    expect(all.map(({ of }) => of)).toEqual(["done", "done", "done"]);
  });

  it("wanted while another change is under way come after it", async () => {
    await openFor(DOCUMENTS);
    const first = want(BOTH);
    await pass(0);
    const second = want(DOCUMENTS);
    await pass(0);
    expect(client.server.asked("POST")).toHaveLength(1);
    await client.server.last.answer(200, obeyed());
    await pass(0);
    expect([first.of, second.of]).toEqual(["done", "pending"]);
    await client.server.last.answer(200, obeyed());
    expect(asked().at(-1)).toMatchObject({ action: "unsubscribe", eventTypes: OTHER });
    expect(second.of).toBe("done");
  });

  it("that are refused change nothing, and the one wanted before counts", async () => {
    await openFor(DOCUMENTS);
    const granted = want(BOTH);
    const tooMuch = want([...BOTH, "system_health"]);
    await pass(0);
    await client.server.last.answer(403, refused("permission_required"));
    expect([granted.of, tooMuch.of]).toEqual(["pending", "forbidden permission_required"]);
    await pass(0);
    expect(asked().at(-1)).toMatchObject({ eventTypes: OTHER });
    await client.server.last.answer(200, obeyed());
    expect(granted.of).toBe("done");
    await client.server.exchanges[0]?.fail();
    await pass(1000);
    expect(client.server.last.url).toContain("subscriptions=document_processing%2Cuser_activity");
  });

  it("of which one half is refused are not had by halves", async () => {
    await openFor(DOCUMENTS);
    const done = want(OTHER);
    await pass(0);
    await client.server.last.answer(200, obeyed());
    await pass(0);
    await client.server.last.answer(400, refused("unknown_event_type"));
    await pass(0);
    expect(client.server.exchanges[0]?.aborted).toBe(true);
    expect(client.server.last.url).toContain("subscriptions=user_activity");
    await client.server.last.answer(403, refused("permission_required"));
    await pass(0);
    expect(done.of).toBe("forbidden permission_required");
    expect(client.server.last.url).toContain("subscriptions=document_processing");
  });

  it.each([
    ["none at all", [], undefined],
    ["from what is no cursor", BOTH, "yesterday"],
  ])("are refused here when they are %s", async (_, subscriptions, since) => {
    await openFor(DOCUMENTS);
    const done = want(subscriptions, since);
    await pass(0);
    expect([done.of, asked()]).toEqual(["refused undefined", []]);
  });
});

describe("trouble while the stream is open", () => {
  it.each([
    [429, "7"],
    [503, "7"],
  ])("%d: waits as long as it is told to", async (status, retryAfter) => {
    await openFor(DOCUMENTS);
    const done = want(BOTH);
    await pass(0);
    await client.server.last.answer(status, { headers: { "retry-after": retryAfter } });
    await pass(6_999);
    expect(client.server.asked("POST")).toHaveLength(1);
    await pass(1);
    await client.server.last.answer(200, obeyed());
    expect([asked().length, done.of]).toEqual([2, "done"]);
  });

  it("no network: tries again", async () => {
    await openFor(DOCUMENTS);
    const done = want(BOTH);
    await pass(0);
    await client.server.last.fail();
    await pass(1000);
    await client.server.last.answer(200, obeyed());
    expect(done.of).toBe("done");
  });

  it("a token that has ended: asks for a new one, once", async () => {
    await openFor(DOCUMENTS);
    const done = want(BOTH);
    await pass(0);
    client.token.mockReturnValue("t2");
    await client.server.last.answer(401, refused("token_expired"));
    expect(client.token).toHaveBeenLastCalledWith({ refused: "t1", expiring: false });
    expect(client.server.last.headers.get("authorization")).toBe("Bearer t2");
    await client.server.last.answer(401, refused("invalid_token"));
    expect(done.of).toBe("unauthorized invalid_token");
  });

  it("its end: the next one has it in its URL", async () => {
    await openFor(DOCUMENTS);
    const done = want(BOTH);
    await pass(0);
    await client.server.exchanges[0]?.end();
    await pass(1000);
    expect(client.server.last.url).toContain("subscriptions=document_processing%2Cuser_activity");
    expect(done.of).toBe("pending");
    await client.server.last.stream(connectedFrame("10"));
    await pass(0);
    expect([done.of, client.server.asked("POST").length]).toEqual(["done", 1]);
  });

  it("its end that only the server knows of: another one is opened at once", async () => {
    await openFor(DOCUMENTS);
    const done = want(BOTH);
    await pass(0);
    await client.server.last.answer(404, refused("connection_not_found"));
    await pass(0);
    expect(client.server.last.url).toContain("user_activity");
    await client.server.last.stream(connectedFrame("10"));
    expect(done.of).toBe("done");
  });
});

describe("what an open stream cannot be told", () => {
  it.each([
    ["all types", DOCUMENTS, undefined],
    ["a list after all types", undefined, DOCUMENTS],
  ])("%s: opens it anew from the cursor", async (_, before, after) => {
    await openFor(before);
    await client.server.exchanges[0]?.send(eventFrame("11", "11"));
    const done = want(after);
    await pass(0);
    expect(client.server.asked("POST")).toHaveLength(0);
    expect(client.server.last.url.includes("subscriptions")).toBe(after !== undefined);
    expect(client.server.last.headers.get("last-event-id")).toBe("11");
    await client.server.last.stream(connectedFrame("11"));
    expect([done.of, client.connection.state.reconnects]).toEqual(["done", 1]);
  });

  it("another organization, which is refused: goes on with the one before", async () => {
    await openFor(DOCUMENTS);
    const done = outcome(client.connection.want({ subscriptions: DOCUMENTS, organizationId: "o2" }));
    await pass(0);
    expect(client.server.last.url).toContain("organizationId=o2");
    client.token.mockReturnValueOnce("t2");
    await client.server.last.answer(403, refused("not_a_member"));
    await client.server.last.answer(403, refused("not_a_member"));
    await pass(0);
    expect(done.of).toBe("forbidden not_a_member");
    expect(client.server.last.url).not.toContain("organizationId");
    await client.server.last.stream(connectedFrame("10"));
    expect(client.connection.state).toMatchObject({ status: "connected", error: null });
  });
});

describe("wants before there is a stream", () => {
  it("are in the URL of the first one that comes after them", async () => {
    await client.open({ subscriptions: DOCUMENTS });
    await client.server.last.fail();
    const done = want(BOTH);
    await pass(1000);
    expect(client.server.last.url).toContain("user_activity");
    await client.server.last.stream(connectedFrame("10"));
    expect(done.of).toBe("done");
  });

  it("cure a connection that was refused for what it wanted", async () => {
    await client.open({ subscriptions: BOTH });
    await client.server.last.answer(403, refused("permission_required"));
    expect(client.connection.state.status).toBe("error");
    const done = want(DOCUMENTS);
    client.token.mockReturnValue("t2");
    await pass(0);
    await client.server.last.stream(connectedFrame("10"));
    expect([done.of, client.connection.state.status]).toEqual(["done", "connected"]);
  });

  it("keep nothing of a connection that is closed", async () => {
    await openFor(DOCUMENTS);
    want(BOTH);
    await pass(0);
    client.connection.close();
    expect(client.server.last.aborted).toBe(true);
    client.connection.reconnect();
    await pass(0);
    expect(client.server.last.url).toContain("user_activity");
  });
});

describe("types that begin earlier", () => {
  const late = (id: string, cursor?: string) => eventFrame(id, cursor, {}, "user_activity");

  it("come from there, and the others are not repeated", async () => {
    await openFor(DOCUMENTS);
    const stream = client.server.last;
    await stream.send(eventFrame("11", "12"));
    const done = want(BOTH, "8");
    await pass(0);
    expect(asked()).toEqual([{ connectionId: "c-1", action: "subscribe", eventTypes: OTHER, since: "8" }]);
    await client.server.last.answer(200, obeyed());
    await stream.send(cursorFrame("8") + late("9") + late("12", "12") + eventFrame("13", "13"));
    expect(done.of).toBe("done");
    expect(client.received).toEqual(["11", "9", "12", "13"]);
    expect(client.connection.state.cursor).toBe("13");
  });

  it.each([
    ["before the server has agreed", false, ""],
    ["before the stream has gone back", true, ""],
    ["on the way", true, cursorFrame("8") + late("9", "9")],
  ])("come once, when the stream breaks %s", async (_, isObeyed, sent) => {
    await openFor(DOCUMENTS);
    const stream = client.server.last;
    await stream.send(eventFrame("11", "12"));
    want(BOTH, "8");
    await pass(0);
    if (isObeyed) await client.server.last.answer(200, obeyed());
    await stream.send(eventFrame("13", "13") + sent);
    await stream.fail();
    await pass(1000);
    const from = Number(client.server.last.headers.get("last-event-id"));
    expect(from).toBe(sent ? 9 : 8);
    const rest = [late("9"), eventFrame("11"), late("12"), eventFrame("13")].slice(sent ? 1 : 0).join("");
    await client.server.last.stream(connectedFrame(String(from)) + rest + cursorFrame("13"));
    expect(client.received.toSorted()).toEqual(["11", "12", "13", "9"]);
    expect(client.connection.state.cursor).toBe("13");
  });

  it("begin ahead of the stream, which does not go back then", async () => {
    await openFor(DOCUMENTS);
    const stream = client.server.last;
    want(BOTH, "20");
    await pass(0);
    await client.server.last.answer(200, obeyed());
    await stream.send(cursorFrame("10") + eventFrame("15", "15"));
    expect(client.connection.state.cursor).toBe("15");
    await stream.send(late("21", "22") + cursorFrame("22"));
    expect(client.received).toEqual(["15", "21"]);
    expect(client.connection.state.cursor).toBe("22");
  });

  it("keep their beginning to themselves, when more is wanted in the same breath", async () => {
    await openFor(DOCUMENTS);
    const both = [want(BOTH, "8"), want([...BOTH, "system_health"])];
    await pass(0);
    await client.server.last.answer(200, obeyed());
    await pass(0);
    await client.server.last.answer(200, obeyed());
    expect(asked()).toEqual([
      { connectionId: "c-1", action: "subscribe", eventTypes: OTHER, since: "8" },
      { connectionId: "c-1", action: "subscribe", eventTypes: ["system_health"] },
    ]);
    expect(both.map(({ of }) => of)).toEqual(["done", "done"]);
  });

  it("are as they were before when they are refused", async () => {
    await openFor(DOCUMENTS);
    const done = want(BOTH, "8");
    await pass(0);
    await client.server.last.answer(403, refused("permission_required"));
    expect([done.of, client.connection.state.cursor]).toEqual(["forbidden permission_required", "10"]);
    await client.server.exchanges[0]?.fail();
    await pass(1000);
    expect(client.server.last.headers.get("last-event-id")).toBe("10");
  });
});

it("is not asked for without a pause, though the server says `Retry-After: 0`", async () => {
  await openFor(DOCUMENTS);
  const done = want(BOTH);
  for (let n = 0; n < 100; n += 1) {
    await pass(100);
    const { last } = client.server;
    if (last.method === "POST") await last.answer(503, { headers: { "retry-after": "0" } });
  }
  expect(client.server.asked("POST").length).toBeLessThan(8);
  client.connection.close();
  expect(done.of).toBe("pending");
});

it("with a new token leaves nothing of the old one's refusal behind", async () => {
  await openFor(DOCUMENTS);
  client.token.mockReturnValue("t2");
  const done = want(BOTH);
  await pass(0);
  await client.server.last.answer(401);
  await pass(0);
  await client.server.last.answer(200, obeyed(...BOTH));
  await pass(0);
  expect(done.of).toBe("done");
  await client.server.exchanges[0]?.fail();
  client.token.mockImplementation(({ refused }) => (refused === "t2" ? "t3" : "t2"));
  await pass(1_000);
  await client.server.last.answer(401);
  await pass(0);
  expect(client.server.last.headers.get("authorization")).toBe("Bearer t3");
});
