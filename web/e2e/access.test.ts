// What a user may see changes while the page is open.

import { expect, it } from "vitest";
import { countIs, shownIds, statusIs } from "./harness/browser.js";
import { setStage } from "./harness/stage.js";

const stage = setStage();

it("says that access has ended, shows nothing that comes after, and comes back with it", async () => {
  const page = await stage.openLive();
  await stage.database.insertDocuments("before-", 2);
  await countIs(page, "document_processing", 2);
  await stage.database.query("DELETE FROM rowcast.memberships");
  await page.getByText("Your access has ended.").waitFor();
  await statusIs(page, "Error");
  await stage.database.insertDocuments("unseen-", 2);
  expect(await shownIds(page)).toHaveLength(2);
  await stage.database.query("INSERT INTO rowcast.memberships VALUES ('u1', 'o1', 'member')");
  await page.getByRole("button", { name: "Try again" }).click();
  await statusIs(page, "Connected");
  // Of what was written meanwhile it is told, too: a replay goes by today's permissions.
  await countIs(page, "document_processing", 4);
});

it("follows a role that is taken away: types, the admin page, what is hidden", async () => {
  const page = await stage.openLive();
  await page.getByRole("link", { name: "Admin" }).waitFor();
  await stage.database.query("UPDATE rowcast.memberships SET role = 'member'");
  await page.getByText("Your role may not see these events.").first().waitFor();
  await page.getByRole("link", { name: "Admin" }).waitFor({ state: "detached" });
  await stage.database.query("UPDATE rowcast.memberships SET role = 'admin'");
  await page.getByText("Your role may not see these events.").first().waitFor({ state: "detached" });
  await page.getByRole("link", { name: "Admin" }).waitFor();
});

it("says that somebody has ended the stream", async () => {
  const page = await stage.openLive();
  await stage.database.query("SELECT rowcast.disconnect('u1')");
  await page.getByText("Somebody has ended your streams.").waitFor();
  await page.getByRole("button", { name: "Connect again" }).click();
  await statusIs(page, "Connected");
});
