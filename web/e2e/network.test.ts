// What stands between the core and the server: a proxy that holds streams back, a network that goes, a line that goes
// dead.

import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { Pages } from "./harness/pages.js";
import { Line, Middleman } from "./harness/proxy.js";
import { signToken } from "./harness/server.js";
import { setStage } from "./harness/stage.js";
import { Watched } from "./harness/watched.js";

let pages: Pages;
let watched: Watched;
let between: { close(): void } | undefined;

beforeAll(async () => {
  pages = await Pages.serve();
});
afterAll(() => pages.close());
afterEach(async () => {
  between?.close();
  between = undefined;
  await watched.close();
});

const stage = setStage(() => ({ ROWCAST_ALLOWED_ORIGINS: pages.origin }));

async function connect(server: string): Promise<void> {
  watched = await Watched.open(stage.browser, pages);
  await watched.page.clock.install();
  await watched.connect({ server, tokens: [await signToken("u1")] });
}

it("polls behind a proxy that holds streams back, and streams again when it no longer does", async () => {
  const proxy = await Middleman.before(stage.server.url);
  between = proxy;
  proxy.buffering = true;
  await connect(proxy.url);
  await watched.page.waitForFunction(() => window.rowcast.watched?.connection.state.heardAt);
  await watched.page.clock.fastForward(10_000);
  await watched.is({ status: "connected", transport: "poll" });
  await stage.database.insertDocuments("polled-", 5);
  await watched.countIs(5);
  expect(await watched.state()).toMatchObject({ transport: "poll", error: null });

  proxy.buffering = false;
  await watched.changeNetwork();
  await watched.is({ status: "connected", transport: "stream" });
  await stage.database.insertDocuments("streamed-", 5);
  await watched.countIs(10);
  expect(await watched.ids()).toEqual(await stage.database.outboxIds());
});

it("says that the network is gone, and has lost nothing when it is back", async () => {
  await connect(stage.server.url);
  await watched.is({ status: "connected" });
  await stage.database.insertDocuments("before-", 5);
  await watched.countIs(5);

  await watched.page.context().setOffline(true);
  await watched.is({ status: "reconnecting" });
  expect((await watched.state()).error?.message).toBe("there is no network");
  await stage.database.insertDocuments("meanwhile-", 5);

  await watched.page.context().setOffline(false);
  await watched.is({ status: "connected" });
  await stage.database.insertDocuments("after-", 5);
  await watched.countIs(15);
  expect(await watched.ids()).toEqual(await stage.database.outboxIds());
  expect((await watched.state()).reconnects).toBe(1);
});

it("notices a line that is dead without a word", async () => {
  const line = await Line.before(stage.server.url);
  between = line;
  await connect(line.url);
  await watched.is({ status: "connected" });
  await stage.database.insertDocuments("before-", 5);
  await watched.countIs(5);

  line.die();
  await stage.database.insertDocuments("meanwhile-", 5);
  await watched.page.clock.fastForward(45_000);
  await watched.page.waitForFunction(() =>
    window.rowcast.watched?.states.some(({ error }) => error?.kind === "silent"),
  );
  expect(await watched.ids()).toHaveLength(5);

  line.heal();
  await watched.changeNetwork();
  await watched.countIs(10);
  await stage.database.insertDocuments("after-", 5);
  await watched.countIs(15);
  expect(await watched.ids()).toEqual(await stage.database.outboxIds());
});
