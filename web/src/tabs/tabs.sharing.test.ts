// Which tabs share a stream, and what it covers then.

import { describe, expect, it } from "vitest";
import { pass } from "../testing/browser.js";
import { setTabs } from "../testing/tabs.js";

const world = setTabs();
const { open, write, roles, statuses, received, every } = world;

describe("sharing", () => {
  it("takes one stream for all, and each has each event once", async () => {
    for (let n = 0; n < 8; n += 1) await open();
    await write(3);
    expect(world.server.streams.size).toBe(1);
    expect(statuses()).toEqual(every("connected"));
    expect(roles()).toEqual(["leader", ...Array(7).fill("follower")]);
    expect(received()).toEqual(every([1, 2, 3]));
    expect(world.apps.map(({ connection }) => connection.state.cursor)).toEqual(every("3"));
    expect([world.server.polls, world.server.opened]).toEqual([0, 1]);
  });

  it("is of one user and one endpoint", async () => {
    await open({ tabs: "u1" });
    await open({ tabs: "u2" });
    await open({ tabs: "u1", url: "https://other.example/sse" });
    expect(world.server.streams.size).toBe(3);
  });

  it("goes by whom the token names, and never opens the stream of one user for another", async () => {
    const token = (sub: string) => `e30.${btoa(JSON.stringify({ sub }))}.sig`;
    let user = "u1";
    const named = { tabs: undefined, token: () => token(user) };
    await open(named);
    await open(named);
    expect(world.server.streams.size).toBe(1);
    user = "u2";
    await open(named);
    expect(world.server.streams.size).toBe(2);
    world.server.cut();
    await pass(1_500);
    expect(statuses()).toEqual(["error", "error", "connected"]);
    expect(world.apps[0]?.connection.state.error?.message).toMatch(/another user/);
  });

  it("is of one user also where a page gives all of them the same name", async () => {
    const token = (sub: string) => `e30.${btoa(JSON.stringify({ sub }))}.sig`;
    let user = "u1";
    const named = { tabs: "the app", token: () => token(user) };
    await open(named);
    await open(named);
    user = "u2";
    await open(named);
    expect([world.server.streams.size, roles()]).toEqual([2, ["leader", "follower", "leader"]]);
    world.server.cut();
    await pass(1_500);
    expect(statuses()).toEqual(["error", "error", "connected"]);
  });

  it("goes by the name alone where the token does not say whose it is", async () => {
    await open({ token: () => "opaque" });
    await open({ token: () => "another" });
    expect([world.server.streams.size, roles()]).toEqual([1, ["leader", "follower"]]);
  });

  it("is not possible without a name for the user: each has its own stream", async () => {
    await open({ tabs: undefined });
    await open({ tabs: undefined, token: () => "opaque" });
    await open({ tabs: undefined, token: () => Promise.reject(new Error("offline")) });
    expect(roles()).toEqual(every("alone"));
    expect(world.server.streams.size).toBe(2);
  });

  it("covers what any tab wants, and each is told what it wants", async () => {
    await open({ subscriptions: ["system_health"] });
    await open({ subscriptions: ["user_activity", "system_health"] });
    await open({ subscriptions: ["error_notification"] });
    expect(statuses()).toEqual(every("connected"));
    for (const type of ["system_health", "user_activity", "error_notification", "chatbot_metrics"] as const)
      world.server.write(type);
    await pass(20);
    expect(received()).toEqual([[1], [1, 2], [3]]);
    expect(world.server.streams.size).toBe(1);
  });

  it("covers no more once the tabs that wanted it have gone", async () => {
    await open({ subscriptions: ["system_health"] });
    const other = await open({ subscriptions: ["user_activity"] });
    const crashed = await open({ subscriptions: ["error_notification"] });
    other.connection.close();
    crashed.page.crash();
    await pass(31_000);
    expect([...world.server.streams].map(({ types }) => types)).toEqual(["system_health"]);
  });
});

it("says that it is connecting while nobody knows yet whose stream it is", async () => {
  const app = await open({ tabs: undefined, token: () => new Promise(() => {}) });
  expect(app.states.at(-1)?.status).toBe("connecting");
  app.connection.close();
  expect(app.states.at(-1)?.status).toBe("disconnected");
});

it("takes no name for the name of nobody", async () => {
  await open({ tabs: "" });
  await open({ tabs: "" });
  expect([roles(), world.server.streams.size]).toEqual([["alone", "alone"], 2]);
});
