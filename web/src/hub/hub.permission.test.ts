// What one consumer may not see takes nothing from the others, and comes once it may be seen.

import { describe, expect, it } from "vitest";
import { setHub } from "../testing/hub.js";

const page = setHub();
const { sitDown } = page;

describe("what may not be seen", () => {
  it.each(["from the beginning", "later"])("takes nothing from the others: %s", async (when) => {
    page.feed.forbidden.add("system_health");
    const allowed = sitDown({ subscriptions: ["user_activity"] });
    if (when === "later") await page.feed.settle();
    const denied = sitDown({ subscriptions: ["system_health"] });
    await page.feed.settle();
    page.feed.emit("user_activity");
    expect(allowed.ids).toEqual(["1"]);
    expect([page.hub.state.status, allowed.state()?.status]).toEqual(["connected", "connected"]);
    expect(denied.state()).toMatchObject({ status: "error", error: { code: "permission_required" } });
  });

  it("comes by itself once it may be seen", async () => {
    page.feed.forbidden.add("system_health");
    const { ids, state } = sitDown({ subscriptions: ["system_health"] });
    await page.feed.settle();
    page.feed.forbidden.clear();
    page.feed.last.set({ subscriptions: ["system_health"] });
    page.feed.emit("system_health");
    expect([ids, state()?.status]).toEqual([["1"], "connected"]);
  });

  it("is an error when a type is lost while the stream is away", async () => {
    const { ids, state } = sitDown({ subscriptions: ["system_health", "user_activity"] });
    await page.feed.settle();
    page.feed.forbidden.add("system_health");
    page.hub.reconnect();
    await page.feed.settle();
    page.feed.emit("user_activity");
    expect([ids, state()?.status]).toEqual([["1"], "connected"]);
  });

  it("includes organizations of others", async () => {
    const [own, foreign] = [sitDown({ organizationId: "o1" }), sitDown({ organizationId: "o9" })];
    await page.feed.settle();
    expect(own.state()?.status).toBe("connected");
    expect(foreign.state()).toMatchObject({ status: "error", error: { code: "not_a_member" } });
  });
});
