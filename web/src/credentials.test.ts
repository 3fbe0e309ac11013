import { describe, expect, it } from "vitest";
import { pass, setClient } from "./testing/client.js";
import { connectedFrame, statusFrame } from "./testing/server.js";

const client = setClient();

const body = JSON.stringify({
  success: false,
  error: { code: "invalid_token", message: "the token has expired" },
});

describe("refusals", () => {
  it.each([401, 403])("asks for a new token once, after %d", async (code) => {
    client.token.mockReturnValueOnce("old").mockReturnValueOnce("new");
    await client.open();
    await client.server.last.answer(code, { body });
    expect(client.token).toHaveBeenLastCalledWith({ refused: "old", expiring: false });
    expect(client.server.last.headers.get("authorization")).toBe("Bearer new");
    await client.server.last.answer(code, { body });
    expect(client.connection.state).toMatchObject({
      status: "error",
      error: { code: "invalid_token", message: "the token has expired" },
    });
    await pass(3_600_000);
    await client.server.wake();
    expect(client.server.exchanges).toHaveLength(2);
  });

  it("does not show the same token twice", async () => {
    await client.open();
    await client.server.last.answer(401, { body });
    expect(client.server.exchanges).toHaveLength(1);
    expect(client.connection.state).toMatchObject({ status: "error", error: { kind: "unauthorized" } });
  });

  it("asks again in a later life of the stream", async () => {
    client.token
      .mockReturnValueOnce("a")
      .mockReturnValueOnce("b")
      .mockReturnValueOnce("b")
      .mockReturnValueOnce("c");
    await client.open();
    await client.server.last.answer(401);
    await client.server.last.stream(connectedFrame("10"));
    await client.server.last.end();
    await pass(1000);
    await client.server.last.answer(401);
    expect(client.server.last.headers.get("authorization")).toBe("Bearer c");
  });

  it("ends without a token, and asks for one when told to try again", async () => {
    client.token.mockReturnValueOnce(null);
    await client.open();
    expect(client.connection.state).toMatchObject({ status: "error", error: { kind: "unauthorized" } });
    expect(client.server.exchanges).toHaveLength(0);
    client.connection.reconnect();
    await pass(0);
    expect(client.server.exchanges).toHaveLength(1);
  });

  it("tries again when the token could not be fetched", async () => {
    client.token.mockRejectedValueOnce(new TypeError("no network"));
    await client.open();
    expect(client.connection.state.status).toBe("reconnecting");
    await pass(1000);
    expect(client.server.exchanges).toHaveLength(1);
  });

  it("does not repeat a request that is wrong", async () => {
    await client.open();
    await client.server.last.answer(400);
    await pass(3_600_000);
    expect(client.connection.state).toMatchObject({ status: "error", error: { kind: "refused" } });
    expect(client.server.exchanges).toHaveLength(1);
  });
});

describe("a cookie", () => {
  it("says who asks when there is no token", async () => {
    await client.open({ token: undefined });
    expect(client.server.last.headers.has("authorization")).toBe(false);
    expect(client.server.last.credentials).toBe("same-origin");
    await client.server.last.stream(connectedFrame("10"));
    expect(client.connection.state.status).toBe("connected");
  });

  it("that is refused ends it, and the app is told what to do", async () => {
    await client.open({ token: undefined });
    await client.server.last.answer(401, { body });
    expect(client.connection.state).toMatchObject({ status: "error", error: { code: "invalid_token" } });
    expect(client.connection.state.error?.message).toBe(
      "the token has expired: sign in for a new cookie, or give the connection a token",
    );
    await pass(3_600_000);
    expect(client.server.exchanges).toHaveLength(1);
  });
});

describe("a token that is about to end", () => {
  const expiring = statusFrame({ status: "token_expiring", expiresAt: "2026-11-23T09:01:00Z" });
  const renewed = {
    body: JSON.stringify({ success: true, eventTypes: ["user_activity"], expiresAt: "2026-11-23T10:00:00Z" }),
  };

  async function expire(): Promise<void> {
    await client.open();
    await client.server.last.stream(connectedFrame("10") + expiring);
    await pass(0);
  }

  it("is renewed on the open stream", async () => {
    client.token.mockReturnValueOnce("t1").mockReturnValueOnce("t2");
    await expire();
    expect(client.token).toHaveBeenLastCalledWith({ refused: null, expiring: true });
    expect(client.server.last.body).toEqual({ connectionId: "c-1", action: "renew", token: "t2" });
    expect(client.server.last.headers.get("authorization")).toBe("Bearer t2");
    expect(client.connection.state.expiresAt).toBe("2026-11-23T09:01:00Z");
    await client.server.last.answer(200, renewed);
    expect(client.connection.state).toMatchObject({
      status: "connected",
      reconnects: 0,
      expiresAt: "2026-11-23T10:00:00Z",
    });
    expect(client.server.exchanges).toHaveLength(2);
  });

  it("is what commands are sent with afterwards", async () => {
    client.token.mockReturnValueOnce("t1").mockReturnValueOnce("t2");
    await client.open({ subscriptions: ["user_activity"] });
    await client.server.last.stream(connectedFrame("10") + expiring);
    await pass(0);
    await client.server.last.answer(200, renewed);
    client.connection.want({ subscriptions: ["user_activity", "system_health"] });
    await pass(0);
    expect(client.server.last.headers.get("authorization")).toBe("Bearer t2");
  });

  it.each([
    ["the same", () => "t1"],
    ["none", () => null],
    ["a failure", () => Promise.reject(new Error("signed out"))],
  ])("stays as it is when the source has %s; the next attempt asks again", async (_, source) => {
    client.token.mockReturnValueOnce("t1").mockImplementationOnce(source).mockReturnValueOnce("t2");
    await expire();
    expect(client.server.exchanges).toHaveLength(1);
    const closing = statusFrame({ status: "closing", reason: "token_expired" });
    await client.server.last.send(`retry: 100\n${closing}`);
    await client.server.last.end();
    await pass(100);
    expect(client.token).toHaveBeenLastCalledWith({ refused: null, expiring: false });
    expect(client.server.last.headers.get("authorization")).toBe("Bearer t2");
  });

  it("is tried again while the server is busy, and given up with the stream", async () => {
    client.token.mockReturnValueOnce("t1").mockReturnValue("t2");
    await expire();
    await client.server.last.answer(429, { headers: { "retry-after": "3" } });
    await pass(3_000);
    expect(client.server.asked("POST")).toHaveLength(2);
    await client.server.last.fail();
    await client.server.exchanges[0]?.end();
    await pass(1_000);
    expect(client.server.asked("POST")).toHaveLength(2);
    expect(client.server.last.headers.get("authorization")).toBe("Bearer t2");
  });

  it("that is refused for the new one does not end the stream", async () => {
    client.token.mockReturnValueOnce("t1").mockReturnValueOnce("of another user");
    await expire();
    await client.server.last.answer(403, { body });
    expect(client.connection.state.status).toBe("connected");
    expect(client.token).toHaveBeenCalledTimes(2);
  });
});
