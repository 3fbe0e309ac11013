import { describe, expect, it } from "vitest";
import { pass, setClient } from "./testing/client.js";
import { connectedFrame } from "./testing/server.js";

const client = setClient();

describe("refusals", () => {
  const body = JSON.stringify({
    success: false,
    error: { code: "invalid_token", message: "the token has expired" },
  });

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
