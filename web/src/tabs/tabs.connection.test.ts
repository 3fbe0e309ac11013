// A tab to its app is a connection like any other: it is closed, opened again, and asked to try again.

import { expect, it } from "vitest";
import type { ConnectionState } from "../connection.js";
import { pass } from "../testing/browser.js";
import { setTabs } from "../testing/tabs.js";
import { connectTabs } from "./connect.js";

const world = setTabs();
const { open, write, received, every } = world;

it("ends when the app closes it, and goes on where it was", async () => {
  await open();
  const app = await open();
  await write(1);
  app.connection.close();
  expect(app.connection.state).toMatchObject({ status: "disconnected", cursor: "1" });
  await write(2);
  app.connection.reconnect();
  await pass(20);
  expect(received()).toEqual(every([1, 2, 3]));
});

it("may be asked to try again by an app that is told of its failure", async () => {
  await open({ maxReconnectAttempts: 0 });
  const page = world.browser.open();
  let [asked, within, deepest] = [0, 0, 0];
  const onState = ({ status }: ConnectionState) => {
    if (status !== "error" || asked > 50) return;
    asked += 1;
    within += 1;
    deepest = Math.max(deepest, within);
    if (asked === 3) world.server.status = undefined;
    connection.reconnect();
    within -= 1;
  };
  const handlers = { onEvent() {}, onState, onReset() {} };
  const connection = connectTabs({ tabs: "u1" }, handlers, page.environment, page.tabs);
  await pass(20);
  world.server.status = 503;
  world.server.cut();
  await pass(5_000);
  expect(deepest).toBe(1);
  expect(connection.state.status).toBe("connected");
  connection.close();
});

it("hands out nothing once it is closed, and what is left when it is opened again", async () => {
  const writer = await open();
  const page = world.browser.open();
  const ids: number[] = [];
  const onEvent = ({ id }: { id: string }) => {
    ids.push(Number(id));
    if (ids.length === 1) connection.close();
  };
  const handlers = { onEvent, onState() {}, onReset() {} };
  const connection = connectTabs({ tabs: "u1" }, handlers, page.environment, page.tabs);
  await pass(20);
  world.server.splits = true;
  await write(3);
  world.server.heartbeat();
  await pass(20);
  expect([ids, writer.ids]).toEqual([[1], [1, 2, 3]]);
  connection.reconnect();
  await pass(5_000);
  await write(1);
  world.server.heartbeat();
  await pass(5_000);
  expect(ids).toEqual([1, 2, 3, 4]);
  connection.close();
});
