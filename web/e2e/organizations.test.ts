// One organization of several: the switcher narrows the stream itself, and the address says so.

import type { Page } from "playwright-core";
import { beforeEach, expect, it } from "vitest";
import { countIs, statusIs } from "./harness/browser.js";
import { signToken } from "./harness/server.js";
import { setStage } from "./harness/stage.js";

const stage = setStage();

beforeEach(async () => {
  await stage.database.query("INSERT INTO rowcast.memberships VALUES ('u1', 'o2', 'admin')");
});

const insert = (filename: string, organization: string) =>
  stage.database.query("INSERT INTO documents (filename, organization_id) VALUES ($1, $2)", [
    filename,
    organization,
  ]);

/** The URLs of the streams that the page asks for from now on. */
function streamsOf(page: Page): string[] {
  const urls: string[] = [];
  page.on("request", (request) => {
    if (new URL(request.url()).pathname.endsWith("/sse") && request.method() === "GET")
      urls.push(request.url());
  });
  return urls;
}

const choose = async (page: Page, name: string): Promise<void> => {
  await page.getByRole("button", { name: "Organization" }).click();
  await page.getByRole("link", { name, exact: true }).click();
};

it("narrows the stream to one organization, and widens it again, losing nothing", async () => {
  const page = await stage.openLive();
  const streams = streamsOf(page);
  await insert("first of o1", "o1");
  await insert("first of o2", "o2");
  await countIs(page, "document_processing", 2);

  await choose(page, "o2");
  await expect.poll(() => streams.join(), { timeout: 5_000 }).toContain("organizationId=o2");
  await statusIs(page, "Connected");
  await insert("second of o1", "o1");
  await insert("second of o2", "o2");
  const log = page.getByTestId("log");
  await log.getByText("second of o2").waitFor();
  expect(await page.getByText(/of o1/).count()).toBe(0);
  expect(page.url()).toBe(`${stage.server.url}/#/?organization=o2`);
  expect(await page.title()).toBe("Live · o2 · rowcast");

  await choose(page, "All organizations");
  await expect.poll(() => streams.at(-1), { timeout: 5_000 }).not.toContain("organizationId");
  await statusIs(page, "Connected");
  await insert("third of o1", "o1");
  await log.getByText("third of o1").waitFor();
});

it("opens narrowed from a shared address, which holds no token", async () => {
  const page = await stage.openLive();
  await choose(page, "o2");
  const shared = page.url();
  expect(shared).not.toContain("token");
  const { page: other } = await stage.open();
  const streams = streamsOf(other);
  await other.goto(shared);
  await other.getByLabel("Access token").fill(await signToken("u1"));
  await other.keyboard.press("Enter");
  await statusIs(other, "Connected");
  expect(streams.at(-1)).toContain("organizationId=o2");
  await insert("theirs", "o1");
  await insert("ours", "o2");
  await other.getByTestId("log").getByText("ours").waitFor();
  expect(await other.getByText("theirs").count()).toBe(0);
});

it("lets platform staff enter any organization", async () => {
  await stage.database.query("INSERT INTO rowcast.memberships VALUES ('staff', NULL, 'admin')");
  const { page } = await stage.open(await signToken("staff"));
  await statusIs(page, "Connected");
  await page.getByRole("button", { name: "Organization" }).click();
  await page.getByLabel("Enter an organization").fill("o9");
  await page.keyboard.press("Enter");
  await expect.poll(() => page.url()).toContain("organization=o9");
  await statusIs(page, "Connected");
  await insert("elsewhere", "o1");
  await insert("entered", "o9");
  await page.getByTestId("log").getByText("entered").waitFor();
  expect(await page.getByText("elsewhere").count()).toBe(0);
});

it("says that one is no member, and shows the way out", async () => {
  const { page } = await stage.open();
  await page.goto(`${stage.server.url}/#/?organization=o3&token=${await signToken("u1")}`);
  await page.reload();
  await page.getByText("You may see nothing of o3.").waitFor();
  await page.getByRole("link", { name: "Show all organizations" }).click();
  await statusIs(page, "Connected");
});
