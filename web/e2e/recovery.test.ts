// What the page does when the server goes away: it says so, comes back, and has lost and doubled nothing.

import { expect, it } from "vitest";
import { countIs, shownIds, statusIs } from "./harness/browser.js";
import { signToken } from "./harness/server.js";
import { setStage } from "./harness/stage.js";

const stage = setStage();

it("catches up after the server was killed", async () => {
  const page = await stage.openLive();
  await stage.database.insertDocuments("before-", 20);
  await countIs(page, "document_processing", 20);

  await stage.server.kill();
  await stage.database.insertDocuments("meanwhile-", 40);
  await statusIs(page, "Reconnecting");
  await page.getByRole("status").getByText("Nothing is lost").waitFor();

  await stage.server.restart();
  const connected = statusIs(page, "Connected");
  // Unless it comes back by itself first, and the button is gone.
  await Promise.race([page.getByRole("button", { name: "Reconnect now" }).click(), connected]).catch(
    () => {},
  );
  await connected;
  await stage.database.insertDocuments("after-", 10);
  await countIs(page, "document_processing", 70);
  expect((await shownIds(page)).toSorted(byId)).toEqual(await stage.database.outboxIds());
  await page.getByRole("button", { name: "Connection", exact: true }).click();
  expect(await page.getByTestId("reconnects").textContent()).toBe("1");
});

it("comes back by itself", async () => {
  const page = await stage.openLive();
  await stage.server.kill();
  await statusIs(page, "Reconnecting");
  await stage.server.restart();
  await statusIs(page, "Connected");
});

it("says that it started anew when what it lacks has expired, and goes on", async () => {
  const page = await stage.openLive();
  await stage.database.insertDocuments("before-", 3);
  await countIs(page, "document_processing", 3);

  await stage.server.kill();
  await stage.database.insertDocuments("lost-", 3);
  await stage.database.expireHistory();
  await stage.server.restart();
  const notice = page.getByRole("status").getByText("The server no longer keeps what happened");
  await notice.waitFor();
  await statusIs(page, "Connected");
  // What the panels had was part of a story with a gap.
  const rows = page.locator('[data-type="document_processing"] li');
  expect(await rows.count()).toBe(0);

  await stage.database.insertDocuments("after-", 2);
  await rows.getByText("after-2", { exact: true }).waitFor();
  expect(await rows.count()).toBe(2);
  expect(await page.getByText("lost-").count()).toBe(0);
  await page.getByRole("button", { name: "Dismiss" }).click();
  await notice.waitFor({ state: "detached" });
});

it("tells each tab of the same user what it has missed", async () => {
  const page = await stage.openLive();
  const other = await page.context().newPage();
  await other.goto(`${stage.server.url}/#token=${await signToken("u1")}`);
  await statusIs(other, "Connected");
  await stage.database.insertDocuments("before-", 3);
  for (const tab of [page, other]) await countIs(tab, "document_processing", 3);

  await stage.server.kill();
  await stage.database.insertDocuments("lost-", 3);
  await stage.database.expireHistory();
  await stage.server.restart();
  for (const tab of [page, other]) {
    await tab.getByRole("status").getByText("The server no longer keeps what happened").waitFor();
    await statusIs(tab, "Connected");
  }
  await stage.database.insertDocuments("after-", 2);
  for (const tab of [page, other]) await tab.getByText("after-2", { exact: true }).first().waitFor();
});

it("shows a row whose transaction was open all the while", async () => {
  const page = await stage.openLive();
  const late = await stage.database.connect();
  await late.query("BEGIN");
  await late.query("INSERT INTO documents (filename) VALUES ('late')");
  await stage.database.insertDocuments("early-", 5);
  await countIs(page, "document_processing", 5);

  await stage.server.kill();
  await stage.database.insertDocuments("meanwhile-", 5);
  await stage.server.restart();
  await countIs(page, "document_processing", 10);

  await late.query("COMMIT");
  await countIs(page, "document_processing", 11);
  expect((await shownIds(page)).toSorted(byId)).toEqual(await stage.database.outboxIds());
});

it("says that the network is cut, and comes back with it", async () => {
  const page = await stage.openLive();
  await stage.database.insertDocuments("before-", 5);
  await countIs(page, "document_processing", 5);
  await page.context().setOffline(true);
  await statusIs(page, "Reconnecting");
  await page.getByRole("status").getByText("Nothing is lost").waitFor();
  await stage.database.insertDocuments("meanwhile-", 5);
  await page.context().setOffline(false);
  await statusIs(page, "Connected");
  await countIs(page, "document_processing", 10);
  expect((await shownIds(page)).toSorted(byId)).toEqual(await stage.database.outboxIds());
});

function byId(a: string, b: string): number {
  return Number(a) - Number(b);
}
