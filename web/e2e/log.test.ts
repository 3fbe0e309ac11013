// The event log and the inspector.

import { expect, it } from "vitest";
import { countIs, shownIds, statusIs } from "./harness/browser.js";
import { signToken } from "./harness/server.js";
import { setStage } from "./harness/stage.js";

const stage = setStage();

const emit = (type: string, data: object) =>
  stage.database.query("SELECT rowcast.emit($1, 'o1', $2)", [type, JSON.stringify(data)]);

it("filters by type, words, and id", async () => {
  const page = await stage.openLive();
  await stage.database.insertDocuments("doc-", 2);
  await emit("user_activity", { userId: "u9", action: "login" });
  await countIs(page, "user_activity", 1);
  await countIs(page, "document_processing", 2);
  await page.getByRole("button", { name: "User activity" }).click();
  await expect.poll(() => shownIds(page)).toHaveLength(1);
  await page.getByRole("button", { name: "All 3" }).click();

  const ids = await stage.database.outboxIds();
  await page.getByRole("searchbox").fill("DOC-2 upload");
  await expect.poll(() => shownIds(page)).toEqual([ids[1]]);
  await page.getByRole("searchbox").fill(`#${ids[0]}`);
  await expect.poll(() => shownIds(page)).toEqual([ids[0]]);
  await page.getByRole("searchbox").fill("nowhere");
  await page.getByText("None of 3 events match.").waitFor();
  await page.getByRole("button", { name: "Show all" }).click();
  await expect.poll(() => shownIds(page)).toHaveLength(3);
});

it("stands still while it is paused, says how many wait, and loses none", async () => {
  const page = await stage.openLive();
  await stage.database.insertDocuments("before-", 3);
  await countIs(page, "document_processing", 3);
  await page.getByRole("button", { name: "Pause" }).click();
  await stage.database.insertDocuments("meanwhile-", 40);
  await page.getByTestId("waiting").getByText("40 waiting").waitFor();
  expect(await shownIds(page)).toHaveLength(3);
  await page.getByRole("button", { name: "Resume" }).click();
  await expect.poll(() => shownIds(page)).toHaveLength(43);
  expect(await shownIds(page)).toEqual((await stage.database.outboxIds()).toReversed());
});

it("shows the last hundred events, and older ones on request", async () => {
  const page = await stage.openLive();
  await stage.database.insertDocuments("doc-", 250);
  await countIs(page, "document_processing", 250);
  await expect.poll(() => shownIds(page)).toHaveLength(100);
  await page.getByRole("button", { name: "Show 100 more of 250" }).click();
  await expect.poll(() => shownIds(page)).toHaveLength(200);
});

it("opens an event by keyboard, goes through the others, and comes back to where it was", async () => {
  const page = await stage.openLive();
  await stage.database.insertDocuments("doc-", 3);
  await countIs(page, "document_processing", 3);
  const [oldest, middle, newest] = await stage.database.outboxIds();
  await page.getByTestId("log").getByRole("button").first().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  const inspector = page.getByRole("dialog");
  const inspected = inspector.getByTestId("inspected");
  await inspector.getByText('"filename": "doc-2"').waitFor();
  await inspector.getByText("INSERT public.documents").waitFor();
  expect(await inspected.textContent()).toBe(middle);
  await page.keyboard.press("j");
  expect(await inspected.textContent()).toBe(oldest);
  await page.keyboard.press("j");
  expect(await inspected.textContent()).toBe(oldest);
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("k");
  expect(await inspected.textContent()).toBe(newest);
  await page.keyboard.press("Escape");
  await inspector.waitFor({ state: "hidden" });
  const focused = () => page.evaluate(() => document.activeElement?.closest("li")?.getAttribute("data-id"));
  expect(await focused()).toBe(middle);
});

it("copies the JSON, and a line that shows the row of the outbox", async () => {
  const page = await stage.openLive({ permissions: ["clipboard-read", "clipboard-write"] });
  await stage.database.insertDocuments("doc-", 1);
  await page.getByTestId("log").getByRole("button").first().click();
  const [id] = await stage.database.outboxIds();
  const copied = async (button: string): Promise<string> => {
    await page.getByRole("button", { name: button }).click();
    await page.getByRole("button", { name: "Copied" }).first().waitFor();
    const text = await page.evaluate(() => navigator.clipboard.readText());
    await page.getByRole("button", { name: "Copied" }).waitFor({ state: "detached" });
    return text;
  };
  expect(JSON.parse(await copied("Copy JSON"))).toMatchObject({ id, data: { filename: "doc-1" } });
  expect(await copied("Copy psql line")).toBe(
    `psql "$DATABASE_URL" -x -c "SELECT * FROM rowcast.outbox WHERE id = ${id}"`,
  );
});

it("explains why one sees an event", async () => {
  const page = await stage.openLive();
  await emit("error_notification", {
    errorId: "e1",
    component: "database",
    severity: "high",
    message: "full",
  });
  await page.getByTestId("log").getByRole("button").first().click();
  const why = page.getByRole("region", { name: "Why do I see this?" });
  await why.getByText("You have access to o1 and hold the permission monitor there.").waitFor();
  await why.getByText("Nothing of it is hidden from you.").waitFor();
  await why.getByText("The rules, one by one").click();
  await why.getByRole("row", { name: /^permission yes/ }).waitFor();
});

it("explains what is hidden, and what would reveal it", async () => {
  await stage.database.query("INSERT INTO rowcast.memberships VALUES ('u2', 'o1', 'member')");
  const { page } = await stage.open(await signToken("u2"));
  await statusIs(page, "Connected");
  await emit("conversation_activity", {
    messageId: "m1",
    messageType: "user_message",
    content: "secret",
    status: "completed",
  });
  await page.getByTestId("log").getByRole("button").first().click();
  const why = page.getByRole("region", { name: "Why do I see this?" });
  await why.getByText("You have access to o1.").waitFor();
  await why
    .getByText('content is replaced by "[FILTERED]" for you; the permission admin would reveal it.')
    .waitFor();
  expect(await page.getByText("secret").count()).toBe(0);
});

it("does not explain what one may no longer see, and says so", async () => {
  await stage.database.query("INSERT INTO rowcast.memberships VALUES ('u1', 'o2', 'member')");
  const page = await stage.openLive();
  await stage.database.insertDocuments("doc-", 1);
  await countIs(page, "document_processing", 1);
  await stage.database.query(
    "DELETE FROM rowcast.memberships WHERE user_id = 'u1' AND organization_id = 'o1'",
  );
  await page.getByTestId("log").getByRole("button").first().click();
  const why = page.getByRole("region", { name: "Why do I see this?" });
  await why.getByText("The server no longer has this event, or you may not see it any more.").waitFor();
  await stage.database.query("INSERT INTO rowcast.memberships VALUES ('u1', 'o1', 'member')");
  // The server learns of it within its next batch; until then the answer is the same.
  await expect
    .poll(async () => {
      await why
        .getByRole("button", { name: "Ask again" })
        .click({ timeout: 1000 })
        .catch(() => {});
      return why.getByText("You have access to o1.").count();
    })
    .toBe(1);
});
