// The dashboard without a mouse, and without eyes: a walk by keyboard, and axe in every state, light and dark.

import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { violationsOn } from "./harness/axe.js";
import { countIs, statusIs } from "./harness/browser.js";
import { signToken } from "./harness/server.js";
import { setStage } from "./harness/stage.js";

const stage = setStage();

const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const element = document.activeElement;
    return element?.getAttribute("aria-label") ?? element?.textContent?.trim() ?? "";
  });

it("can be walked through by keyboard alone", async () => {
  await stage.database.query("INSERT INTO rowcast.memberships VALUES ('u1', 'o2', 'admin')");
  const page = await stage.openLive();
  await page.getByRole("link", { name: "Admin" }).waitFor();
  await stage.database.insertDocuments("doc-", 30);
  await countIs(page, "document_processing", 30);
  const tabTo = async (text: string | RegExp): Promise<void> => {
    for (let steps = 0; steps < 60; steps += 1) {
      await page.keyboard.press("Tab");
      const now = await focused(page);
      if (typeof text === "string" ? now === text : text.test(now)) return;
    }
    throw new Error(`60 steps of Tab do not lead to ${text}`);
  };

  await page.keyboard.press("Tab");
  expect(await focused(page)).toBe("Skip to the content");
  await page.keyboard.press("Enter");
  expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");

  await tabTo("Connection");
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "Connection" }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "Connection" }).waitFor({ state: "detached" });

  // The list is one step, however long; the search field comes before it.
  await page.getByRole("searchbox").focus();
  await tabTo(/document_processing/);
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByText('"filename": "doc-1"').waitFor();
  await page.keyboard.press("Escape");
  expect(await focused(page)).toContain("doc-1");

  await page.getByRole("button", { name: "Organization" }).focus();
  await page.keyboard.press("Enter");
  await tabTo("o2");
  await page.keyboard.press("Enter");
  await expect.poll(() => page.url()).toContain("organization=o2");
  expect(await focused(page)).toMatch(/^Organization: o2/);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  expect(await focused(page)).toMatch(/^Organization/);
  expect(await page.getByRole("link", { name: "All organizations" }).count()).toBe(0);
});

it.each(["light", "dark"] as const)(
  "has no violation that axe can find, %s",
  async (colorScheme) => {
    await stage.database.query(
      "INSERT INTO rowcast.memberships VALUES ('u1', 'o2', 'admin'), ('u2', 'o1', 'member'), ('staff', NULL, 'admin')",
    );
    const found: Record<string, [string, string[]][]> = {};
    const look = async (state: string, page: Page): Promise<void> => {
      found[state] = await violationsOn(page, "html");
    };

    const { page: stranger } = await stage.open(undefined, { colorScheme });
    await look("sign-in", stranger);
    await stranger.getByLabel("Access token").fill("not.a.token");
    await stranger.keyboard.press("Enter");
    await stranger.getByRole("alert").waitFor();
    await look("sign-in, refused", stranger);

    const { page: member } = await stage.open(await signToken("u2"), { colorScheme });
    await statusIs(member, "Connected");
    await look("empty, without permissions", member);
    await member.goto(`${stage.server.url}/#/admin`);
    await member.getByRole("heading", { name: "Statistics are for admins" }).waitFor();
    await look("admin page, refused", member);

    const { page } = await stage.open(await signToken("staff"), { colorScheme });
    await statusIs(page, "Connected");
    await stage.database.insertDocuments("doc-", 30);
    await stage.database.query(`
    SELECT rowcast.emit('error_notification', 'o1', '{"errorId": "e1", "component": "database", "severity": "high", "message": "full"}'),
           rowcast.emit('system_health', NULL, '{"component": "llm_api", "status": "down", "metric": "x", "value": 1, "message": "m"}'),
           rowcast.emit('chatbot_metrics', 'o1', '{"activeConversations": 7, "responseTime": 1200, "successRate": 0.5, "tokenUsage": 9, "cost": "1.50"}'),
           rowcast.emit('user_activity', 'o1', '{"userId": "u9", "action": "login"}'),
           rowcast.emit('performance_alert', 'o1', '{"metric": "latency", "value": 9, "threshold": 5, "status": "firing", "message": "slow"}')`);
    await countIs(page, "performance_alert", 1);
    await look("live", page);
    await page.getByRole("button", { name: "Connection", exact: true }).click();
    await look("connection panel", page);
    await page.getByRole("button", { name: "Organization" }).click();
    await look("organizations", page);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Account" }).click();
    await look("account", page);
    await page.getByRole("button", { name: "Use a newer token" }).click();
    await page.getByLabel("New token").waitFor();
    await look("renewal", page);
    await page.getByTestId("log").getByRole("button").first().click();
    await page.getByText("Nothing of it is hidden from you.").waitFor();
    await page.getByText("The rules, one by one").click();
    await look("inspector", page);
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Admin" }).click();
    await page.getByTestId("server").first().waitFor();
    await look("admin page", page);
    await page.getByRole("link", { name: "Live", exact: true }).click();
    await page.getByRole("button", { name: "Disconnect" }).click();
    await page.getByText("You have ended the stream.").waitFor();
    await look("disconnected", page);
    await page.getByRole("button", { name: "Connect", exact: true }).first().click();
    await statusIs(page, "Connected");
    await stage.server.kill();
    await statusIs(page, "Reconnecting");
    await look("reconnecting", page);

    expect(found).toEqual(Object.fromEntries(Object.keys(found).map((state) => [state, []])));
  },
  120_000,
);
