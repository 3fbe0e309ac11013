// What a tab wants while others share its stream: when it is in force, and that they lose nothing by it.

import { describe, expect, it } from "vitest";
import { pass } from "../testing/browser.js";
import { setTabs } from "../testing/tabs.js";

const world = setTabs();
const { open, write, statuses, received, every } = world;

describe("want", () => {
  it("of a follower is in force once it resolves, and other tabs notice nothing", async () => {
    await open({ subscriptions: ["system_health"] });
    const app = await open({ subscriptions: ["system_health"] });
    const seen = world.apps[0]?.states.length ?? 0;
    const done = app.connection.want({ subscriptions: ["system_health", "user_activity"] });
    await pass(20);
    await done;
    world.server.write("user_activity");
    await write(1);
    expect(received()).toEqual([[2], [1, 2]]);
    expect(world.apps[0]?.states.slice(seen).map(({ status }) => status)).not.toContain("reconnecting");
    await app.connection.want({ subscriptions: ["user_activity"] });
    world.server.write("user_activity");
    await write(1);
    expect(received()).toEqual([
      [2, 4],
      [1, 2, 3],
    ]);
  });

  it("since a cursor begins there, repeats nothing, and keeps the order of a row", async () => {
    for (const _ of [0, 1]) await open({ subscriptions: ["system_health"] });
    for (let n = 0; n < 5; n += 1) world.server.write(n % 2 ? "system_health" : "user_activity", 7);
    await pass(20);
    const wide = { subscriptions: ["system_health", "user_activity"] } as const;
    for (const { connection } of world.apps) void connection.want(wide, { since: "1" });
    world.server.write("user_activity", 7);
    await pass(20);
    await write(1);
    expect(received()).toEqual(every([2, 4, 3, 5, 6, 7]));
  });

  it("that is refused changes nothing", async () => {
    world.server.forbidden = ["user_activity"];
    for (const _ of [0, 1]) await open({ subscriptions: ["system_health"] });
    for (const { connection } of world.apps) {
      const refused = expect(connection.want({ subscriptions: ["user_activity"] })).rejects.toThrow("403");
      await pass(20);
      await refused;
    }
    await write(1);
    expect(received()).toEqual(every([1]));
    expect(statuses()).toEqual(every("connected"));
  });

  it("survives a change of the leader", async () => {
    await open({ subscriptions: ["system_health"] });
    const app = await open({ subscriptions: ["system_health"] });
    await open({ subscriptions: ["system_health"] });
    world.server.status = 503;
    const done = app.connection.want({ subscriptions: ["user_activity"] });
    await pass(20);
    world.apps[0]?.page.crash();
    world.server.status = undefined;
    await pass(5_000);
    await done;
    world.server.write("user_activity");
    await write(1);
    expect(received()).toEqual([[], [1], [2]]);
  });
});

it("refuses what cannot be wanted, as a connection of its own would", async () => {
  const { connection } = await open();
  await expect(connection.want({ subscriptions: [] })).rejects.toMatchObject({ kind: "refused" });
  await expect(connection.want({}, { since: "yesterday" })).rejects.toMatchObject({ kind: "refused" });
});

it("says that a wish is in force when the stream is there, and not before", async () => {
  await open({ subscriptions: ["system_health", "user_activity"] });
  const other = await open({ subscriptions: ["system_health"] });
  world.server.status = 503;
  world.server.cut();
  await pass(20);
  let isInForce = false;
  void other.connection.want({ subscriptions: ["user_activity"] }).then(() => {
    isInForce = true;
  });
  await pass(10_000);
  expect(isInForce).toBe(false);
  world.server.status = undefined;
  await pass(30_000);
  expect([isInForce, statuses()]).toEqual([true, ["connected", "connected"]]);
});
