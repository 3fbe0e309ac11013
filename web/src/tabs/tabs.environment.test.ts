// What the browser loses between tabs, and what it keeps from them.

import { describe, expect, it } from "vitest";
import { pass } from "../testing/browser.js";
import { setTabs } from "../testing/tabs.js";
import { connectTabs } from "./connect.js";

const world = setTabs();
const { open, write, statuses, received, every } = world;

describe("a message that is lost", () => {
  it("is noticed, and what it told is fetched", async () => {
    await open();
    await open();
    await write(1);
    world.browser.drops = () => true;
    await write(2);
    world.browser.drops = () => false;
    await write(1);
    expect(received()).toEqual(every([1, 2, 3, 4]));
    expect(world.server.polls).toBeGreaterThan(0);
  });

  it("is told again when it was what a tab wants", async () => {
    await open({ subscriptions: ["system_health"] });
    world.browser.drops = ({ kind }) => kind === "hello";
    await open({ subscriptions: ["user_activity"] });
    world.browser.drops = () => false;
    await pass(11_000);
    await write(1);
    await pass(20);
    expect(statuses()).toEqual(every("connected"));
    world.server.write("user_activity");
    await pass(20);
    expect(received()).toEqual([[1], [2]]);
  });
});

describe("a browser that keeps things from pages", () => {
  it("has a connection of its own where channels are forbidden", async () => {
    const page = world.browser.open();
    const tabs = {
      ...page.tabs,
      channel: () => {
        throw new DOMException("the operation is insecure", "SecurityError");
      },
    };
    const handlers = { onEvent() {}, onState() {}, onReset() {} };
    const connection = connectTabs({ tabs: "u1" }, handlers, page.environment, tabs);
    await pass(20);
    expect(connection.state).toMatchObject({ status: "connected", role: "alone" });
    connection.close();
    await pass(0);
    expect(page.listeners).toBe(0);
  });

  it("is led without knowing who is there", async () => {
    const app = await open({ subscriptions: ["system_health"] });
    app.page.locks.query = () => Promise.reject(new DOMException("denied", "SecurityError"));
    const other = await open({ subscriptions: ["user_activity"] });
    await pass(31_000);
    expect([...world.server.streams].map(({ types }) => types)).toEqual(["system_health,user_activity"]);
    app.page.locks.query = other.page.locks.query;
    other.connection.close();
    await pass(31_000);
    expect([...world.server.streams].map(({ types }) => types)).toEqual(["system_health"]);
  });
});
