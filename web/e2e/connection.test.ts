// The connection panel: what it tells, and what can be done there.

import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { countIs, shownIds, statusIs } from "./harness/browser.js";
import { signToken } from "./harness/server.js";
import { setStage } from "./harness/stage.js";

const stage = setStage();

async function openPanel(): Promise<Page> {
  const page = await stage.openLive();
  await page.getByRole("button", { name: "Connection", exact: true }).click();
  return page;
}

const login = () =>
  stage.database.query(`SELECT rowcast.emit('user_activity', 'o1', '{"userId": "u9", "action": "login"}')`);

it("tells what is known of the connection", async () => {
  const page = await openPanel();
  const panel = page.getByRole("region", { name: "Connection" });
  await stage.database.insertDocuments("doc-", 2);
  await countIs(page, "document_processing", 2);
  const [, last = ""] = await stage.database.outboxIds();
  await panel.getByText(`Everything up to event ${last} has been seen.`).waitFor();
  expect(await panel.getByTestId("connection-id").textContent()).toMatch(/^[0-9a-f]{32}$/);
  await panel.getByText("One answer that goes on, over fetch.").waitFor();
  expect(await panel.getByTestId("role").textContent()).toMatch(/^(Alone|Leader)$/);
  await panel.getByText(/^ends in 59 min/).waitFor();
  const median = panel.locator(".rd-lag-figures > div", { hasText: "Median" }).locator("dd");
  await expect.poll(() => median.textContent()).toMatch(/ m?s$/);
});

it("says which tab holds the stream of all", async () => {
  const page = await openPanel();
  await page.getByTestId("role").getByText("Leader").waitFor();
  const other = await page.context().newPage();
  await other.goto(`${stage.server.url}/#token=${await signToken("u1")}`);
  await statusIs(other, "Connected");
  await other.getByRole("button", { name: "Connection", exact: true }).click();
  await other.getByTestId("role").getByText("Follower").waitFor();
  await other.getByText("Another tab of this user holds the stream for this one.").waitFor();
  await stage.database.insertDocuments("doc-", 2);
  for (const tab of [page, other]) await countIs(tab, "document_processing", 2);

  await page.close();
  await other.getByTestId("role").getByText("Leader").waitFor();
  await stage.database.insertDocuments("after-", 1);
  await countIs(other, "document_processing", 3);
  expect(await shownIds(other)).toEqual((await stage.database.outboxIds()).toReversed());
});

it("switches a type off and on again at once, and lets go of it on the wire", async () => {
  const page = await openPanel();
  const panel = page.getByRole("region", { name: "Connection" });
  const toggle = panel.getByLabel("User activity");
  const state = panel.getByTestId("type-user_activity");
  await toggle.click();
  await state.getByText(/^off/).waitFor();
  await page.getByText("Switched off: the stream does not carry these events.").waitFor();
  await login();
  await stage.database.insertDocuments("meanwhile-", 1);
  await countIs(page, "document_processing", 1);
  expect(await shownIds(page)).toHaveLength(1);

  await toggle.click();
  await state.getByText(/^on$/).waitFor();
  await login();
  await countIs(page, "user_activity", 1);
  expect(await shownIds(page)).toHaveLength(2);

  // A stream gives up what nobody wants any more after a while, because it is often wanted again.
  await toggle.click();
  await state.getByText(/^off$/).waitFor({ timeout: 90_000 });
  await toggle.click();
  await state.getByText(/^on$/).waitFor();
  await login();
  await countIs(page, "user_activity", 1);
  expect(await shownIds(page)).toHaveLength(3);
}, 150_000);

it("switches several types, and then follows everything again", async () => {
  const page = await openPanel();
  const panel = page.getByRole("region", { name: "Connection" });
  const types = ["user_activity", "chatbot_metrics", "performance_alert"];
  for (const name of ["User activity", "Chatbot metrics", "Performance alert"])
    await panel.getByLabel(name).click();
  for (const type of types) await panel.getByTestId(`type-${type}`).getByText(/^off/).waitFor();
  await panel.getByRole("button", { name: "Follow everything, new types included" }).click();
  for (const type of types) await panel.getByTestId(`type-${type}`).getByText(/^on$/).waitFor();
  await login();
  await countIs(page, "user_activity", 1);
});

it("disconnects and connects again, and has lost nothing", async () => {
  const page = await openPanel();
  await stage.database.insertDocuments("before-", 2);
  await countIs(page, "document_processing", 2);
  await page.getByRole("button", { name: "Disconnect" }).click();
  await statusIs(page, "Disconnected");
  await page.getByText("You have ended the stream.").waitFor();
  await stage.database.insertDocuments("meanwhile-", 2);
  await page.getByRole("button", { name: "Connect", exact: true }).first().click();
  await statusIs(page, "Connected");
  await countIs(page, "document_processing", 4);
  const id = await page.getByTestId("connection-id").textContent();
  await page.getByRole("button", { name: "Reconnect" }).click();
  await expect.poll(() => page.getByTestId("connection-id").textContent()).not.toBe(id);
  await statusIs(page, "Connected");
  await stage.database.insertDocuments("after-", 1);
  await countIs(page, "document_processing", 5);
  expect(await shownIds(page)).toEqual((await stage.database.outboxIds()).toReversed());
});
