// What the page does when the server goes away: it says so, comes back, and has lost and doubled nothing.

import { expect, it } from "vitest";
import { countIs, shownIds, statusIs } from "./harness/browser.js";
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
  await page.getByRole("button", { name: "Reconnect now" }).click();
  await statusIs(page, "Connected");
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
