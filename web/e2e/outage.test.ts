// The database goes away and comes back: the page says both, the stream stays open, and nothing is lost.

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { countIs, launchBrowser, openPage, shownIds, statusIs } from "./harness/browser.js";
import { Database } from "./harness/database.js";
import { PrivatePostgres } from "./harness/postgres.js";
import { migrate, Server, signToken } from "./harness/server.js";

let browser: Browser;
let postgres: PrivatePostgres;
let database: Database;
let server: Server;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  postgres = await PrivatePostgres.start();
  database = Database.at(postgres.url);
  await migrate(database.url);
  await database.attachDocuments();
  server = await Server.start(database.url);
});
afterEach(async () => {
  await server?.kill();
  await database?.close();
  await postgres?.remove();
});

it("shows a restart of Postgres, and loses nothing to it", async () => {
  const { page } = await openPage(browser, `${server.url}/#token=${await signToken("u1")}`);
  await statusIs(page, "Connected");
  await page.getByRole("button", { name: "Connection", exact: true }).click();
  const id = await page.getByTestId("connection-id").textContent();
  await database.insertDocuments("before-", 3);
  await countIs(page, "document_processing", 3);

  await database.close();
  await postgres.stop();
  await statusIs(page, "Degraded");
  await page.getByRole("status").getByText("The server has lost its database.").waitFor();
  expect(await page.title()).toBe("Degraded · Live · rowcast");
  expect(await shownIds(page)).toHaveLength(3);

  await postgres.restart();
  await database.insertDocuments("after-", 3);
  await statusIs(page, "Connected");
  await countIs(page, "document_processing", 6);
  expect(await shownIds(page)).toEqual((await database.outboxIds()).toReversed());
  expect(await page.getByTestId("connection-id").textContent()).toBe(id);
  await page.context().close();
});
