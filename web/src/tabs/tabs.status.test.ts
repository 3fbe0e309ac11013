// What the server says of the one stream, and which of the tabs it concerns.

import { describe, expect, it } from "vitest";
import { pass } from "../testing/browser.js";
import { setTabs } from "../testing/tabs.js";

const world = setTabs();
const { open, write, statuses, received, every } = world;

describe("what the server says", () => {
  it("ends all of them when the user's streams were ended", async () => {
    for (let n = 0; n < 3; n += 1) await open();
    world.server.say({ status: "closing", reason: "disconnected" });
    await pass(0);
    world.server.cut();
    await pass(200_000);
    expect(statuses()).toEqual(every("error"));
    expect(world.apps.map(({ connection }) => connection.state.error?.kind)).toEqual(every("disconnected"));
    expect(world.server.opened).toBe(1);
    world.apps[1]?.connection.reconnect();
    await pass(20);
    expect(statuses()).toEqual(["error", "connected", "error"]);
  });

  it("is refused to the tab that asked for it alone", async () => {
    world.server.forbidden = ["user_activity"];
    await open({ subscriptions: ["system_health"] });
    const greedy = await open({ subscriptions: ["user_activity"] });
    expect(statuses()).toEqual(["connected", "error"]);
    const { opened } = world.server;
    for (let n = 0; n < 10; n += 1) {
      await pass(15_000);
      world.server.heartbeat();
    }
    // It is told once, and nobody asks again.
    expect([greedy.connection.state.error?.kind, world.server.opened - opened]).toEqual(["forbidden", 0]);
    world.server.forbidden = [];
    greedy.connection.reconnect();
    await pass(20);
    world.server.write("user_activity");
    await write(1);
    expect(received()).toEqual([[2], [1]]);
  });

  it("does not take a stream from all when what one of them wants is forbidden from now on", async () => {
    await open({ subscriptions: ["system_health"] });
    await open({ subscriptions: ["user_activity"] });
    await open({ subscriptions: ["system_health"] });
    world.server.forbidden = ["user_activity"];
    world.server.cut();
    await pass(3_000);
    expect(statuses()).toEqual(["connected", "error", "connected"]);
    await write(1);
    expect(received()).toEqual([[1], [], [1]]);
  });

  it("resets each tab that has missed what is gone, and no other", async () => {
    await open();
    await open();
    await write(4);
    const [leader, follower] = world.apps;
    leader?.page.freeze();
    world.server.cut(leader?.page);
    if (follower) follower.connection.reconnect();
    await pass(70_000);
    await write(3);
    world.server.expired = 6;
    leader?.page.thaw();
    await pass(2_000);
    await write(1);
    expect(world.apps.map(({ resets }) => resets)).toEqual([["history_expired"], []]);
    expect(received()).toEqual([
      [1, 2, 3, 4, 8],
      [1, 2, 3, 4, 5, 6, 7, 8],
    ]);
  });

  it("is degraded and recovered for all", async () => {
    await open();
    await open();
    world.server.say({ status: "degraded" });
    await pass(20);
    expect(world.apps.map(({ connection }) => connection.state.degraded)).toEqual(every(true));
  });
});
