// Where a tab begins that comes when others are there, and how it catches up.

import { describe, expect, it } from "vitest";
import { pass } from "../testing/browser.js";
import { setTabs } from "../testing/tabs.js";
import { connectTabs } from "./connect.js";

const world = setTabs();
const { open, write, statuses, received } = world;

describe("a tab that joins later", () => {
  it("begins now, or where it was", async () => {
    await open();
    await write(3);
    await open();
    await open({ lastEventId: "1" });
    await write(1);
    expect(received()).toEqual([[1, 2, 3, 4], [4], [2, 3, 4]]);
    expect(world.server.streams.size).toBe(1);
  });

  it("reads on where its storage says, and keeps its own place there", async () => {
    let kept = "2";
    await open();
    await write(3);
    await open({ storage: { read: () => kept, write: (cursor) => (kept = cursor) } });
    await write(1);
    await pass(1_000);
    expect([received()[1], kept]).toEqual([[3, 4], "4"]);
  });

  it("waits for a poll that another instance answers which is behind", async () => {
    await open();
    await write(5);
    world.server.behind = 4;
    await open({ lastEventId: "1" });
    await write(1);
    await pass(5_000);
    expect(received()).toEqual([
      [1, 2, 3, 4, 5, 6],
      [2, 3, 4, 5, 6],
    ]);
  });

  it("says so when it cannot catch up, and tries again when asked", async () => {
    await open();
    await write(3);
    world.server.status = 403;
    const late = await open({ lastEventId: "1" });
    expect(statuses()).toEqual(["connected", "error"]);
    await write(1);
    expect(late.connection.state.error?.kind).toBe("forbidden");
    world.server.status = undefined;
    late.connection.reconnect();
    await pass(20);
    expect([late.connection.state.status, late.ids]).toEqual(["connected", [2, 3, 4]]);
  });
});

it("goes on catching up when a page is never answered", async () => {
  await open();
  await write(3);
  let polls = 0;
  const late = world.browser.open();
  const environment = {
    ...late.environment,
    fetch: (url: string, init: RequestInit) => {
      if (url.includes("/events")) polls += 1;
      if (!url.includes("/events") || polls > 1) return late.environment.fetch(url, init);
      return new Promise<Response>((_, reject) =>
        init.signal?.addEventListener("abort", () => reject(init.signal?.reason)),
      );
    },
  };
  const ids: number[] = [];
  const onEvent = ({ id }: { id: string }) => ids.push(Number(id));
  const handlers = { onEvent, onState() {}, onReset() {} };
  const connection = connectTabs({ tabs: "u1", lastEventId: "1" }, handlers, environment, late.tabs);
  await pass(20);
  await write(1);
  await pass(60_000);
  expect(ids).toEqual([2, 3, 4]);
  connection.close();
  expect(late.listeners).toBe(0);
});
