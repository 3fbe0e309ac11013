// The hub on the real connection, with a server that refuses: what one may not see takes nothing from the others.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ConnectionState } from "../connection.js";
import { FakeServer, statusFrame } from "../testing/server.js";
import { createHub } from "./hub.js";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const settle = async () => {
  await vi.dynamicImportSettled();
  await vi.advanceTimersByTimeAsync(0);
};

it("asks for everything when a list is refused", async () => {
  const server = new FakeServer();
  const hub = createHub({ token: () => "t1" }, server.environment);
  let denied: ConnectionState | undefined;
  hub.join({ subscriptions: ["document_processing"] });
  hub.join({
    subscriptions: ["system_health"],
    onState: (state) => {
      denied = state;
    },
  });
  await settle();
  expect(server.last.url).toContain("subscriptions=document_processing%2Csystem_health");
  const body = JSON.stringify({ success: false, error: { code: "permission_required", message: "no" } });
  await server.last.answer(403, { body });
  await settle();
  // The token may have been the reason, so it is asked for once more.
  await settle();
  expect(server.last.url).not.toContain("subscriptions");
  const connected = { status: "connected", connectionId: "c", subscriptions: ["document_processing"] };
  await server.last.stream(statusFrame(connected, "1"));
  expect(hub.state.status).toBe("connected");
  expect(denied).toMatchObject({ status: "error", error: { code: "permission_required" } });
});
