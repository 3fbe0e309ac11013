// Tokens: how they come in, what happens when they end, and how one goes on with a newer one.

import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { countIs, shownIds, statusIs } from "./harness/browser.js";
import { signToken } from "./harness/server.js";
import { setStage } from "./harness/stage.js";

const stage = setStage();

const paste = async (page: Page, text: string, label = "Access token"): Promise<void> => {
  await page.getByLabel(label).fill(text);
  await page.keyboard.press("Enter");
};

it("takes the token out of the address bar, and keeps it for this tab", async () => {
  const page = await stage.openLive();
  expect(page.url()).toBe(`${stage.server.url}/`);
  await page.reload();
  await statusIs(page, "Connected");
  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in to rowcast" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Sign in to rowcast" }).waitFor();
});

it.each([
  ["as it is", (token: string) => token],
  ["in a header", (token: string) => `Authorization: Bearer ${token}`],
  ["in a link", (token: string) => `http://elsewhere.example/#token=${token}`],
  ["in an answer", (token: string) => JSON.stringify({ access_token: token, expires_in: 3600 })],
])("signs in with a token that is pasted %s", async (_, text) => {
  const { page } = await stage.open();
  await paste(page, text(await signToken("u1")));
  await statusIs(page, "Connected");
  await page.getByRole("button", { name: "Account: u1" }).waitFor();
});

it("turns an invalid token away", async () => {
  const { page } = await stage.open("not.a.token");
  await page.getByRole("alert").getByText("This token was not accepted.").waitFor();
  await paste(page, "neither.is.this");
  await page.getByRole("alert").waitFor();
});

it("says that a token has expired, without asking the server", async () => {
  const expired = `x.${Buffer.from(JSON.stringify({ sub: "u1", exp: 1 })).toString("base64url")}.y`;
  const { page } = await stage.open();
  await paste(page, expired);
  await page.getByRole("alert").getByText("This token expired").waitFor();
  expect(await page.getByLabel("Access token").getAttribute("aria-invalid")).toBe("true");
});

it("says so when a good token may see nothing", async () => {
  const { page } = await stage.open(await signToken("stranger"));
  await page.getByRole("alert").getByText("Nothing to see with this token.").waitFor();
});

it("signs out in all tabs", async () => {
  const page = await stage.openLive();
  const other = await page.context().newPage();
  await other.goto(`${stage.server.url}/#token=${await signToken("u1")}`);
  await statusIs(other, "Connected");
  await other.getByRole("button", { name: "Account" }).click();
  await other.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in to rowcast" }).waitFor();
});

it("goes on with a new token after the old one has ended, and has lost nothing", async () => {
  const { page } = await stage.open(await signToken("u1", "4s"));
  await statusIs(page, "Connected");
  await stage.database.insertDocuments("before-", 3);
  await countIs(page, "document_processing", 3);
  await page.getByText("Your token has expired.").waitFor();
  await stage.database.insertDocuments("meanwhile-", 3);
  expect(await shownIds(page)).toHaveLength(3);
  await paste(page, await signToken("u1"), "New token");
  await statusIs(page, "Connected");
  await countIs(page, "document_processing", 6);
  expect(await shownIds(page)).toEqual((await stage.database.outboxIds()).toReversed());
});

it("keeps the stream open when a new token comes in time", async () => {
  const { page } = await stage.open(await signToken("u1", "15s"));
  await statusIs(page, "Connected");
  await page.getByRole("button", { name: "Connection", exact: true }).click();
  const before = await page.getByTestId("connection-id").textContent();
  await page.getByText("Your token ends in").waitFor();
  await paste(page, await signToken("u1"), "New token");
  await page.getByText("Your token ends in").waitFor({ state: "detached" });
  await page
    .getByText(/ends in 59 min/)
    .first()
    .waitFor();
  // Beyond the end of the first one.
  await page.waitForTimeout(15_000);
  await stage.database.insertDocuments("after-", 1);
  await countIs(page, "document_processing", 1);
  expect(await page.getByTestId("connection-id").textContent()).toBe(before);
  expect(await page.getByTestId("reconnects").textContent()).toBe("0");
});
