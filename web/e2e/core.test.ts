// The core in a page of another origin, against the real server: it resumes across reloads, and its token is renewed
// while its stream stays open.

import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openPage } from "./harness/browser.js";
import { Pages } from "./harness/pages.js";
import { signToken } from "./harness/server.js";
import { setStage } from "./harness/stage.js";

let pages: Pages;

beforeAll(async () => {
  pages = await Pages.serve();
});
afterAll(() => pages.close());

const stage = setStage(() => ({ ROWCAST_ALLOWED_ORIGINS: pages.origin }));

const url = () => `${stage.server.url}/api/v1/realtime/sse`;

const idsIn = (page: Page) => page.evaluate(() => window.rowcast.watched?.events.map(({ id }) => id) ?? []);

const countIs = (page: Page, count: number) =>
  page.waitForFunction((n) => (window.rowcast.watched?.events.length ?? 0) >= n, count);

const isConnected = (page: Page) =>
  page.waitForFunction(() => window.rowcast.watched?.connection.state.status === "connected");

it("resumes where the page before has left off", async () => {
  const { page, faults } = await openPage(stage.browser, `${pages.origin}/core.html`);
  const token = await signToken("u1");
  const watch = () =>
    page.evaluate(
      ({ url, token }) => {
        const { watch, sessionCursor } = window.rowcast;
        watch.call(window.rowcast, { url, token: () => token, storage: sessionCursor("where") });
      },
      { url: url(), token },
    );
  await watch();
  await isConnected(page);
  await stage.database.insertDocuments("before-", 5);
  await countIs(page, 5);
  const before = await idsIn(page);

  await page.goto("about:blank");
  await stage.database.insertDocuments("meanwhile-", 5);
  await page.goto(`${pages.origin}/core.html`);
  await watch();
  await countIs(page, 5);
  await stage.database.insertDocuments("after-", 5);
  await countIs(page, 10);
  expect([...before, ...(await idsIn(page))]).toEqual(await stage.database.outboxIds());
  expect(faults).toEqual([]);
  await page.context().close();
});
