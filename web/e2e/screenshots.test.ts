// Pictures of every state, to be looked at: e2e/screenshots/.

import { expect, it } from "vitest";
import { countIs, statusIs } from "./harness/browser.js";
import { signToken } from "./harness/server.js";
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
  await writeALittleOfEverything();
  await countIs(page, "document_processing", 6);
  await countIs(page, "performance_alert", 2);
  await shoot("live", true);

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
  await writeALittleOfEverything();
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

it("text twice as large fits a narrow window", async () => {
  const page = await stage.openLive({ viewport: { width: 780, height: 900 } });
  await writeALittleOfEverything();
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
  await writeALittleOfEverything();
  await page.getByText("Hidden from your role").first().waitFor();
  await page.getByText("Failed: the reason is hidden from your role").waitFor();
  expect(await page.getByText("Your role may not see these events.").count()).toBe(5);
  await page.screenshot({ animations: "disabled", path: path("member"), fullPage: true });
});

const path = (name: string): string => `${import.meta.dirname}/screenshots/${name}.png`;

async function writeALittleOfEverything(): Promise<void> {
  await stage.database.query(`
    INSERT INTO documents (filename, stage, progress) VALUES
      ('Annual report 2026.pdf', 'upload', 6), ('Price list.xlsx', 'ocr', 24), ('Ein sehr langer Dateiname für ein Handbuch, das niemand liest.docx', 'chunking', 46),
      ('Terms.pdf', 'embedding', 71), ('FAQ.md', 'indexing', 90), ('Manual.pdf', 'completed', 100)`);
  const events: [string, object][] = [
    [
      "conversation_activity",
      {
        messageId: "1",
        messageType: "user_message",
        content: "Where is my order 4711?",
        status: "completed",
      },
    ],
    [
      "conversation_activity",
      {
        messageId: "2",
        messageType: "bot_response",
        content: "It left our warehouse this morning and will be with you tomorrow before noon.",
        status: "completed",
        responseTime: 1840,
      },
    ],
    ["conversation_activity", { messageId: "3", messageType: "bot_response", status: "generating" }],
    [
      "conversation_activity",
      { messageId: "4", messageType: "bot_response", status: "failed", error: "the model did not answer" },
    ],
    [
      "error_notification",
      {
        errorId: "1",
        component: "llm_api",
        severity: "high",
        message: "429 Too many tokens, please wait before trying again",
        userImpact: "minor",
        stackTrace: "ThrottlingException\n    at invoke (llm.ts:97:15)",
      },
    ],
    ["user_activity", { userId: "user_ada", action: "document.uploaded" }],
    [
      "performance_alert",
      {
        metric: "response_time_ms",
        value: 4126,
        threshold: 4000,
        status: "firing",
        message: "Answers take 4126 ms",
      },
    ],
    [
      "performance_alert",
      {
        metric: "error_rate",
        value: 0.4,
        threshold: 2,
        status: "resolved",
        message: "Errors are rare again",
      },
    ],
  ];
  for (let hour = 0; hour < 8; hour += 1) {
    const figures = {
      activeConversations: 20 + (hour % 3) * 4,
      responseTime: 1500 + hour * 90,
      successRate: 0.98,
      tokenUsage: 12_000 * hour,
    };
    events.push(["chatbot_metrics", { ...figures, cost: "3.21", userSatisfaction: 4.4 }]);
  }
  for (const [type, data] of events) {
    await stage.database.query("SELECT rowcast.emit($1, 'o1', $2)", [type, JSON.stringify(data)]);
  }
}
