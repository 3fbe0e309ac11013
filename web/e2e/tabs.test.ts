// Several tabs of one browser on one stream, against the real server: one connection for all, whoever of them goes away.

import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { Pages } from "./harness/pages.js";
import { signToken } from "./harness/server.js";
import { setStage } from "./harness/stage.js";

let pages: Pages;
let context: BrowserContext;
let faults: string[];

beforeAll(async () => {
  pages = await Pages.serve();
});
afterAll(() => pages.close());

const stage = setStage(() => ({ ROWCAST_ALLOWED_ORIGINS: pages.origin }), {
  // Each tab has a process of its own, so that one can crash alone; and pages are put away as browsers do it.
  args: ["--renderer-process-limit=100"],
  ignoreDefaultArgs: ["--disable-back-forward-cache"],
});

beforeEach(async () => {
  faults = [];
  context = await stage.browser.newContext();
});
afterEach(async () => {
  await context.close();
  expect(faults).toEqual([]);
});

async function openTab(user = "u1"): Promise<Page> {
  const page = await context.newPage();
  page.on("pageerror", ({ message }) => faults.push(message));
  await page.goto(`${pages.origin}/tabs.html`);
  const options = { url: `${stage.server.url}/api/v1/realtime/sse`, token: await signToken(user) };
  await page.evaluate(({ url, token }) => window.watchTab({ url, token: () => token }), options);
  await page.waitForFunction(() => window.tab.connection.state.status === "connected");
  return page;
}

async function openTabs(count: number): Promise<Page[]> {
  const tabs: Page[] = [];
  for (let n = 0; n < count; n += 1) tabs.push(await openTab());
  return tabs;
}

const roleOf = (page: Page) => page.evaluate(() => window.tab.connection.state.role);

const idsIn = (page: Page) => page.evaluate(() => window.tab.events.map(({ id }) => id));

/** Waits until the tab has so many events, and gives it the chance to have too many. */
async function expectEvents(tabs: Page[], expected: string[]): Promise<void> {
  for (const page of tabs) await page.waitForFunction((n) => window.tab.events.length >= n, expected.length);
  for (const page of tabs) expect(await idsIn(page)).toEqual(expected);
}

async function figure(name: string): Promise<number> {
  const text = await (await fetch(`${stage.server.url}/metrics`)).text();
  const value = new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1];
  if (value === undefined) throw new Error(`there is no ${name} in the metrics`);
  return Number(value);
}

/** Writes one row after the other, as long as the task takes and ten rows more. */
async function writeDuring(task: () => Promise<unknown>): Promise<void> {
  let isOver = false;
  const writing = (async () => {
    for (let left = 10; left > 0; left -= isOver ? 1 : 0) await stage.database.insertDocuments("during-", 1);
  })();
  await task();
  isOver = true;
  await writing;
}

const isLed = (tabs: Page[]) =>
  expect
    .poll(async () => (await Promise.all(tabs.map(roleOf))).filter((role) => role === "leader"), {
      timeout: 20_000,
    })
    .toHaveLength(1);

it("takes one connection for eight tabs, and rows reach all of them", async () => {
  const tabs = await openTabs(8);
  expect(await figure("rowcast_connections")).toBe(1);
  expect(await figure("rowcast_connections_opened_total")).toBe(1);
  await stage.database.insertDocuments("row-", 50);
  await expectEvents(tabs, await stage.database.outboxIds());
  expect(await Promise.all(tabs.map(roleOf))).toEqual(["leader", ...Array(7).fill("follower")]);
});

it("goes on when the leading tab is closed while rows are written", async () => {
  const [leader, ...others] = await openTabs(4);
  await stage.database.insertDocuments("before-", 5);
  await writeDuring(async () => {
    await leader?.close();
    await isLed(others);
  });
  await expectEvents(others, await stage.database.outboxIds());
  expect(await figure("rowcast_connections")).toBe(1);
});

it("goes on when the leading tab crashes while rows are written", async () => {
  const [leader, ...others] = await openTabs(3);
  await stage.database.insertDocuments("before-", 5);
  if (!leader) throw new Error("no tab was opened");
  const crashed = leader.waitForEvent("crash");
  const devtools = await context.newCDPSession(leader);
  await writeDuring(async () => {
    // Nobody is left to answer it.
    devtools.send("Page.crash").catch(() => {});
    await crashed;
    await isLed(others);
  });
  await expectEvents(others, await stage.database.outboxIds());
});

it("does not share between users", async () => {
  await stage.database.query("INSERT INTO rowcast.memberships VALUES ('u2', 'o2', 'member')");
  const ours = await openTab("u1");
  const theirs = await openTab("u2");
  expect(await Promise.all([ours, theirs].map(roleOf))).toEqual(["leader", "leader"]);
  expect(await figure("rowcast_connections")).toBe(2);
  await stage.database.insertDocuments("ours-", 3);
  const before = await stage.database.outboxIds();
  await stage.database.query("INSERT INTO documents (organization_id, filename) VALUES ('o2', 'theirs')");
  await expectEvents([theirs], (await stage.database.outboxIds()).slice(before.length));
  await expectEvents([ours], before);
});

it("lets a tab join later, and one come back where it was", async () => {
  const first = await openTab();
  await stage.database.insertDocuments("before-", 5);
  await expectEvents([first], await stage.database.outboxIds());
  const second = await openTab();
  const before = await stage.database.outboxIds();
  await stage.database.insertDocuments("together-", 5);
  await expectEvents([second], (await stage.database.outboxIds()).slice(before.length));

  await second.evaluate(() => window.tab.connection.close());
  await stage.database.insertDocuments("meanwhile-", 150);
  await second.evaluate(() => window.tab.connection.reconnect());
  await stage.database.insertDocuments("after-", 5);
  const all = await stage.database.outboxIds();
  await expectEvents([second], all.slice(before.length));
  await expectEvents([first], all);
  expect(await figure("rowcast_connections_opened_total")).toBe(1);
});

it("goes on when the leading page is put away, and takes it back in when it returns", async () => {
  const [leader, follower] = await openTabs(2);
  if (!leader || !follower) throw new Error("no tab was opened");
  await stage.database.insertDocuments("before-", 5);
  await expectEvents([leader, follower], await stage.database.outboxIds());
  // Playwright loses sight of a page that comes back from where it was kept; the browser's own protocol does not.
  const devtools = await context.newCDPSession(leader);
  const inLeader = async (expression: string): Promise<unknown> =>
    (await devtools.send("Runtime.evaluate", { expression, returnByValue: true })).result.value;
  await inLeader("addEventListener('pageshow', ({ persisted }) => { window.wasKept = persisted; })");
  await writeDuring(async () => {
    await leader.goto("about:blank");
    await isLed([follower]);
  });
  // Not at once: the page that is asked would be gone before it had answered.
  await inLeader("void setTimeout(() => history.back())");
  await stage.database.insertDocuments("after-", 5);
  const all = await stage.database.outboxIds();
  await expectEvents([follower], all);
  const isBack = expect.poll(() => inLeader("window.tab?.events.map(({ id }) => id)"), { timeout: 20_000 });
  await isBack.toEqual(all);
  expect(await inLeader("window.wasKept")).toBe(true);
  expect(await inLeader("window.tab.connection.state.role")).toBe("follower");
});
