// The hooks in a page of an app, against the real server: one stream for all, types added while it is open, and data that
// was loaded before.

import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { type Opened, openPage } from "./harness/browser.js";
import { Pages } from "./harness/pages.js";
import { signToken } from "./harness/server.js";
import { setStage } from "./harness/stage.js";
import type { Part } from "./pages/hooks.js";

let pages: Pages;
let opened: Opened;
let token: string;

beforeAll(async () => {
  pages = await Pages.serve();
});
afterAll(() => pages.close());

const stage = setStage(() => ({ ROWCAST_ALLOWED_ORIGINS: pages.origin }));

beforeEach(async () => {
  await stage.database.query(`
    CREATE TABLE actions (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
    SELECT rowcast.attach('actions', 'user_activity', organization_id => $$'o1'$$,
      data => $$jsonb_build_object('userId', 'u1', 'action', r.name)$$)`);
  token = await signToken("u1");
  opened = await openPage(stage.browser, `${pages.origin}/hooks.html`);
});
afterEach(async () => {
  await opened.page.context().close();
  expect(opened.faults).toEqual([]);
});

const show = (page: Page, parts: readonly Part[]) =>
  page.evaluate(({ url, token, parts }) => window.hooks.show(url, token, parts), {
    url: `${stage.server.url}/api/v1/realtime/sse`,
    token,
    parts,
  });

const isLive = (page: Page) => page.locator("output").getByText("connected", { exact: true }).waitFor();

const calls = (page: Page, name: string) => page.evaluate((of) => window.hooks.calls[of] ?? [], name);

const countIs = (page: Page, name: string, count: number) =>
  page.locator(`[data-part="${name}"]`).getByText(`connected ${count}`, { exact: true }).waitFor();

const insertActions = (count: number) =>
  stage.database.query("INSERT INTO actions (name) SELECT 'a' || n FROM generate_series(1, $1::int) n", [
    count,
  ]);

const cursor = async () => {
  const [row] = await stage.database.query<{ cursor: string }>("SELECT rowcast.current_cursor() AS cursor");
  return row?.cursor ?? "";
};

/** Streams that the server has open. */
const streams = async () => {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${stage.server.url}/api/v1/realtime/stats`, { headers });
  const { data } = (await answer.json()) as { data: { activeConnections: number } };
  return data.activeConnections;
};

const documents: Part = { name: "documents", types: ["document_processing"] };
const actions: Part = { name: "actions", types: ["user_activity"] };

it("share one stream, on which types come and go", async () => {
  const { page } = opened;
  await show(page, [documents]);
  await isLive(page);
  await insertActions(2);
  await stage.database.insertDocuments("d-", 3);
  await countIs(page, "documents", 3);

  await show(page, [documents, actions]);
  await countIs(page, "actions", 0);
  await insertActions(2);
  await stage.database.insertDocuments("e-", 1);
  await countIs(page, "documents", 4);
  await countIs(page, "actions", 2);
  await expect.poll(streams).toBe(1);
  expect(await calls(page, "actions")).toEqual(["6", "7"]);
  expect(await calls(page, "documents")).toEqual(["3", "4", "5", "8"]);
});

it("catch up from where their data was loaded, whether the stream was there or not", async () => {
  const { page } = opened;
  await stage.database.insertDocuments("loaded-", 3);
  const loaded = await cursor();
  await stage.database.insertDocuments("missed-", 2);
  await show(page, [{ ...documents, since: loaded }]);
  await countIs(page, "documents", 2);

  // A type that the stream has not: asked of the server.
  const without = await cursor();
  await insertActions(2);
  await stage.database.insertDocuments("more-", 1);
  await countIs(page, "documents", 3);
  const first = { ...documents, since: loaded };
  await show(page, [first, { ...actions, since: without }]);
  await countIs(page, "actions", 2);

  // Types that it has: remembered.
  await show(page, [
    first,
    { ...actions, since: without },
    { name: "late", types: [...documents.types, ...actions.types], since: without },
  ]);
  await countIs(page, "late", 3);
  await insertActions(1);
  await countIs(page, "late", 4);
  await countIs(page, "actions", 3);

  expect(await calls(page, "documents")).toEqual(["4", "5", "8"]);
  expect(await calls(page, "actions")).toEqual(["6", "7", "9"]);
  expect((await calls(page, "late")).toSorted()).toEqual(["6", "7", "8", "9"]);
  expect(await page.evaluate(() => window.hooks.resets)).toEqual([]);
});

it.each(["at once", "later"])(
  "do not take the stream from each other when one may not be seen: %s",
  async (when) => {
    const { page } = opened;
    await stage.database.query("INSERT INTO rowcast.memberships VALUES ('u2', 'o1', 'member')");
    token = await signToken("u2");
    if (when === "later") {
      await show(page, [documents]);
      await countIs(page, "documents", 0);
    }
    await show(page, [documents, actions]);
    await page.locator('[data-part="actions"]').getByText("error 0", { exact: true }).waitFor();
    await countIs(page, "documents", 0);
    await stage.database.insertDocuments("d-", 1);
    await countIs(page, "documents", 1);

    await stage.database.query("UPDATE rowcast.memberships SET role = 'admin' WHERE user_id = 'u2'");
    await countIs(page, "actions", 0);
    await insertActions(1);
    await countIs(page, "actions", 1);
  },
);

it("hand over ten thousand rows of one statement, each once", async () => {
  const { page } = opened;
  await show(page, [documents]);
  await isLive(page);
  await stage.database.insertDocuments("d-", 10_000);
  await countIs(page, "documents", 10_000);
  expect(await calls(page, "documents")).toEqual(await stage.database.outboxIds());
});
