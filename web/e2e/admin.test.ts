// The admin page, over two servers of one database.

import { afterEach, beforeEach, expect, it } from "vitest";
import { openPage, statusIs } from "./harness/browser.js";
import { Server, signToken } from "./harness/server.js";
import { setStage } from "./harness/stage.js";

const stage = setStage();
let second: Server;

beforeEach(async () => {
  second = await Server.start(stage.database.url);
  await stage.database.query(
    "INSERT INTO rowcast.memberships VALUES ('staff', NULL, 'admin'), ('u2', 'o1', 'member')",
  );
});
afterEach(() => second.kill());

it("shows platform staff who is connected, on all servers, and keeps it fresh", async () => {
  const { page } = await stage.open(await signToken("staff"));
  await statusIs(page, "Connected");
  await page.getByRole("link", { name: "Admin" }).click();
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
  expect(await page.title()).toBe("Admin · rowcast");
  await expect.poll(() => page.getByTestId("server").count()).toBe(2);

  const elsewhere = await openPage(stage.browser, `${second.url}/#token=${await signToken("u1")}`);
  await statusIs(elsewhere.page, "Connected");
  const users = page.getByRole("region", { name: "Streams by user" });
  await users.getByRole("row", { name: /^u1\b.*1$/ }).waitFor();
  await page
    .getByRole("region", { name: "Streams by organization" })
    .getByRole("row", { name: /^o1\b/ })
    .waitFor();
  await elsewhere.page.context().close();
  await users.getByRole("row", { name: /^u1\b/ }).waitFor({ state: "detached" });
});

it("sorts its tables", async () => {
  const { page } = await stage.open(await signToken("staff"));
  await statusIs(page, "Connected");
  await page.getByRole("link", { name: "Admin" }).click();
  const types = page.getByRole("region", { name: "Streams by type" });
  const names = () => types.getByRole("rowheader").allTextContents();
  await types.getByRole("button", { name: "Type" }).click();
  await expect.poll(names).toEqual((await names()).toSorted());
  await types.getByRole("button", { name: "Type" }).click();
  await expect.poll(names).toEqual((await names()).toSorted().toReversed());
  expect(await types.getByRole("columnheader", { name: "Type" }).getAttribute("aria-sort")).toBe(
    "descending",
  );
});

it("loses nothing on the live page meanwhile", async () => {
  const page = await stage.openLive();
  await page.getByRole("link", { name: "Admin" }).click();
  await page.getByRole("heading", { name: "All servers" }).waitFor();
  await stage.database.insertDocuments("meanwhile-", 3);
  await page.goBack();
  await expect.poll(() => page.getByTestId("log").locator("li").count()).toBe(3);
});

it("tells an organization's admin of that organization alone", async () => {
  const page = await stage.openLive();
  await page.getByRole("link", { name: "Admin" }).click();
  await page.getByRole("region", { name: "Streams by user" }).getByRole("row", { name: /^u1\b/ }).waitFor();
  expect(await page.getByTestId("server").count()).toBe(0);
});

it("is hidden from members, and says so to those who come by its address", async () => {
  const { page } = await stage.open(await signToken("u2"));
  const asked = page.waitForResponse((answer) => answer.url().includes("/stats"));
  await statusIs(page, "Connected");
  expect((await asked).status()).toBe(403);
  expect(await page.getByRole("link", { name: "Admin" }).count()).toBe(0);
  await page.goto(`${stage.server.url}/#/admin`);
  await page.getByRole("heading", { name: "Statistics are for admins" }).waitFor();
  await page.getByRole("link", { name: "Back to the live page" }).click();
  await page.getByRole("heading", { name: "Event log" }).waitFor();
});

it("keeps what it knows while the server is away", async () => {
  const { page } = await stage.open(await signToken("staff"));
  await statusIs(page, "Connected");
  await page.getByRole("link", { name: "Admin" }).click();
  await expect.poll(() => page.getByTestId("server").count()).toBe(2);
  await stage.server.kill();
  await page.getByText("The server cannot be reached.").first().waitFor();
  expect(await page.getByTestId("server").count()).toBe(2);
});
