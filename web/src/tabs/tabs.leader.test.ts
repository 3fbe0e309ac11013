// When another tab takes the leader's seat, and what the others notice of that.

import { describe, expect, it, vi } from "vitest";
import { pass } from "../testing/browser.js";
import { setTabs } from "../testing/tabs.js";

const world = setTabs();
const { open, write, roles, statuses, received, every } = world;

describe("another tab takes over", () => {
  it.each(["closes", "crashes", "is put away"])("when the leader %s", async (how) => {
    for (let n = 0; n < 4; n += 1) await open();
    await write(2);
    const [leader] = world.apps;
    if (how === "closes") leader?.connection.close();
    else if (how === "crashes") leader?.page.crash();
    else leader?.page.putAway();
    world.server.write("system_health");
    await write(2);
    expect(received()).toEqual([[1, 2], ...Array(3).fill([1, 2, 3, 4, 5])]);
    expect(roles().slice(1)).toEqual(["leader", "follower", "follower"]);
    expect(world.server.streams.size).toBe(1);
    if (how !== "is put away") return;
    leader?.page.bringBack();
    await pass(20);
    expect([received()[0], roles()[0]]).toEqual([[1, 2, 3, 4, 5], "follower"]);
  });

  it("when the leader hangs, and somebody looks; the one who hung follows then", async () => {
    for (let n = 0; n < 3; n += 1) await open();
    await write(1);
    world.apps[0]?.page.freeze();
    for (const { page } of world.apps) page.isVisible = false;
    await pass(200_000);
    expect(world.server.streams.size).toBe(1);
    await write(2);
    const visible = world.apps[2]?.page;
    if (visible) visible.isVisible = true;
    visible?.wake();
    await pass(11_000);
    expect(roles()).toEqual(["leader", "follower", "leader"]);
    await write(1);
    expect(received()).toEqual([[1], [1, 2, 3, 4], [1, 2, 3, 4]]);
    world.apps[0]?.page.thaw();
    await pass(20);
    expect(roles()).toEqual(["follower", "follower", "leader"]);
    await write(1);
    expect(received()).toEqual(every([1, 2, 3, 4, 5]));
    expect(world.server.streams.size).toBe(1);
  });

  it("but not from one that is only waiting for its server", async () => {
    for (let n = 0; n < 3; n += 1) await open();
    world.server.status = 503;
    world.server.cut();
    await pass(600_000);
    expect(roles()).toEqual(["leader", "follower", "follower"]);
    expect(statuses()).toEqual(every("reconnecting"));
    world.server.status = undefined;
    world.apps[2]?.connection.reconnect();
    await pass(20);
    expect(statuses()).toEqual(every("connected"));
  });

  it("when the token of the leader is not good any more, and that of another is", async () => {
    let isGood = true;
    const token = vi.fn(() => (isGood ? "t1" : null));
    await open({ token });
    await open({ token: () => "t2" });
    isGood = false;
    world.server.cut();
    await pass(2_000);
    expect(roles()).toEqual(["follower", "leader"]);
    expect(statuses()).toEqual(every("connected"));
    await write(1);
    expect(received()).toEqual(every([1]));
  });

  it("and if nobody's is, all say so until one is asked to try again", async () => {
    let given: string | null = "t";
    for (let n = 0; n < 3; n += 1) await open({ token: () => given });
    given = null;
    world.server.cut();
    await pass(200_000);
    expect(statuses()).toEqual(every("error"));
    expect(world.apps[1]?.connection.state.error?.kind).toBe("unauthorized");
    given = "t";
    world.apps[1]?.connection.reconnect();
    await pass(20);
    expect(statuses()).toEqual(every("connected"));
    await write(1);
    expect(received()).toEqual(every([1]));
  });
});

it("tries again when somebody looks at a tab, whichever has given up", async () => {
  const leader = await open({ maxReconnectAttempts: 1 });
  const looked = await open({ maxReconnectAttempts: 1 });
  world.server.status = 503;
  world.server.cut();
  await pass(20_000);
  expect(statuses()).toEqual(["error", "error"]);
  leader.page.isVisible = false;
  world.server.status = undefined;
  looked.page.wake();
  await pass(2_000);
  expect(statuses()).toEqual(["connected", "connected"]);
});
