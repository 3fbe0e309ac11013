// Pictures of every state, to be looked at: e2e/screenshots/.

import { expect, it } from "vitest";
import { countIs, openPage, statusIs } from "./harness/browser.js";
import { Database } from "./harness/database.js";
import { PrivatePostgres } from "./harness/postgres.js";
import { writeSample } from "./harness/sample.js";
import { migrate, Server, signToken } from "./harness/server.js";
import { setStage } from "./harness/stage.js";

const stage = setStage();

const WIDE = { width: 1440, height: 1500 };
const NARROW = { width: 390, height: 844 };

it.each([
  ["light", "light", WIDE],
  ["dark", "dark", WIDE],
  ["narrow", "light", NARROW],
] as const)("%s", async (name, colorScheme, viewport) => {
  await stage.database.query("INSERT INTO rowcast.memberships VALUES ('staff', NULL, 'admin')");
  const { page } = await stage.open(await signToken("staff"), { colorScheme, viewport });
  const shoot = async (state: string, fullPage = false): Promise<void> => {
    // Nothing sticks out, whatever is shown.
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(viewport.width);
    await page.screenshot({ animations: "disabled", path: path(`${name}-${state}`), fullPage });
  };
  await statusIs(page, "Connected");
  await shoot("empty", true);
  await writeSample(stage.database);
  await countIs(page, "document_processing", 6);
  await countIs(page, "performance_alert", 2);
  await shoot("live", true);
  if (name !== "narrow") {
    await page.setViewportSize({ width: 1200, height: 900 });
    await page.screenshot({ animations: "disabled", path: path(`${name}-window`) });
    await page.setViewportSize(viewport);
  }

  await page.locator('[data-type="error_notification"] li').getByRole("button").click();
  await page.getByLabel("Stack trace").getByText("ThrottlingException").waitFor();
  await shoot("error");

  await page.getByRole("button", { name: "Connection", exact: true }).click();
  await shoot("connection");
  await page.getByRole("button", { name: "Organization" }).click();
  await shoot("organizations");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Connection", exact: true }).click();

  await page.getByTestId("log").getByRole("button").first().click();
  await page.getByText("Nothing of it is hidden from you.").waitFor();
  await page.getByText("The rules, one by one").click();
  await shoot("inspector");
  await page.keyboard.press("Escape");

  await page.getByRole("link", { name: "Admin" }).click();
  await page.getByTestId("server").waitFor();
  await shoot("admin");
  await page.getByRole("link", { name: "Live", exact: true }).click();

  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("button", { name: "Use a newer token" }).click();
  await page.getByLabel("New token").waitFor();
  await shoot("renewal");

  await stage.server.kill();
  await statusIs(page, "Reconnecting");
  await page.getByText("Next attempt").waitFor();
  await shoot("reconnecting");
});

it.each(["light", "dark"] as const)("what ends a stream, %s", async (colorScheme) => {
  const page = await stage.openLive({ colorScheme, viewport: { width: 1200, height: 700 } });
  await writeSample(stage.database);
  await countIs(page, "performance_alert", 2);
  const shoot = (state: string) =>
    page.screenshot({ animations: "disabled", path: path(`${colorScheme}-${state}`) });
  await stage.database.query("SELECT rowcast.disconnect('u1')");
  await page.getByText("Somebody has ended your streams.").waitFor();
  await shoot("stopped");
  await stage.database.query("DELETE FROM rowcast.memberships");
  await page.getByRole("button", { name: "Connect again" }).click();
  await page.getByText("Your access has ended.").waitFor();
  await shoot("revoked");
});

it.each(["light", "dark"] as const)("a stream that began anew, %s", async (colorScheme) => {
  const page = await stage.openLive({ colorScheme, viewport: { width: 1200, height: 700 } });
  await writeSample(stage.database);
  await countIs(page, "performance_alert", 2);
  await stage.server.kill();
  await stage.database.insertDocuments("lost-", 1);
  await stage.database.expireHistory();
  await stage.server.restart();
  await page.getByText("This page started anew.").waitFor();
  await statusIs(page, "Connected");
  await writeSample(stage.database);
  await page.locator('[data-type="performance_alert"] li').first().waitFor();
  await page.screenshot({ animations: "disabled", path: path(`${colorScheme}-reset`) });
});

it.each(["light", "dark"] as const)("a token that has ended, %s", async (colorScheme) => {
  const { page } = await stage.open(await signToken("u1", "8s"), {
    colorScheme,
    viewport: { width: 1200, height: 700 },
  });
  await statusIs(page, "Connected");
  await writeSample(stage.database);
  await countIs(page, "performance_alert", 2);
  await page.getByText("Your token has expired.").waitFor();
  await page.screenshot({ animations: "disabled", path: path(`${colorScheme}-expired`) });
});

it.each(["light", "dark"] as const)("before anything has come, %s", async (colorScheme) => {
  const token = await signToken("u1");
  const { page, faults } = await openPage(
    stage.browser,
    `${stage.server.url}/#token=${token}`,
    { colorScheme, viewport: { width: 1200, height: 700 } },
    // Neither answered nor refused.
    (opened) => opened.route("**/api/v1/realtime/sse**", () => {}),
  );
  await statusIs(page, "Connecting");
  await page.getByText("Connecting…").first().waitFor({ state: "attached" });
  await page.screenshot({ animations: "disabled", path: path(`${colorScheme}-loading`) });
  expect(faults).toEqual([]);
  await page.context().close();
});

it.each(["light", "dark"] as const)("a server without its database, %s", async (colorScheme) => {
  const postgres = await PrivatePostgres.start();
  const database = Database.at(postgres.url);
  try {
    await migrate(database.url);
    await database.attachDocuments();
    const server = await Server.start(database.url);
    const url = `${server.url}/#token=${await signToken("u1")}`;
    const { page } = await openPage(stage.browser, url, {
      colorScheme,
      viewport: { width: 1200, height: 700 },
    });
    await statusIs(page, "Connected");
    await writeSample(database);
    await countIs(page, "performance_alert", 2);
    await database.close();
    await postgres.stop();
    await statusIs(page, "Degraded");
    await page.screenshot({ animations: "disabled", path: path(`${colorScheme}-degraded`) });
    await page.context().close();
    await server.kill();
  } finally {
    await postgres.remove();
  }
});

it("text twice as large fits a narrow window", async () => {
  const page = await stage.openLive({ viewport: { width: 780, height: 900 } });
  await writeSample(stage.database);
  await countIs(page, "performance_alert", 2);
  await page.evaluate(() => {
    document.documentElement.style.fontSize = "200%";
  });
  await page.getByRole("button", { name: "Connection", exact: true }).click();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(780);
  await page.screenshot({ animations: "disabled", path: path("large-text"), fullPage: true });
});

it.each(["light", "dark"] as const)("sign-in, %s", async (colorScheme) => {
  const { page } = await stage.open(undefined, { colorScheme, viewport: { width: 900, height: 680 } });
  await page.getByRole("button", { name: "Open the stream" }).waitFor();
  await page.screenshot({ animations: "disabled", path: path(`signin-${colorScheme}`) });
  await page.getByLabel("Access token").fill("not.a.token");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  await page.screenshot({ animations: "disabled", path: path(`signin-refused-${colorScheme}`) });
});

it("member without permissions", async () => {
  await stage.database.query("INSERT INTO rowcast.memberships VALUES ('u2', 'o1', 'member')");
  const { page } = await stage.open(await signToken("u2"), { viewport: WIDE });
  await statusIs(page, "Connected");
  await writeSample(stage.database);
  await page.getByText("Hidden from your role").first().waitFor();
  await page.getByText("Failed: the reason is hidden from your role").waitFor();
  expect(await page.getByText("Your role may not see these events.").count()).toBe(5);
  await page.screenshot({ animations: "disabled", path: path("member"), fullPage: true });
});

const path = (name: string): string => `${import.meta.dirname}/screenshots/${name}.png`;
