// The dashboard in front of a running server.

import { expect, it } from "vitest";
import { countIs, shownIds } from "./harness/browser.js";
import { setStage } from "./harness/stage.js";

const stage = setStage();

it("shows rows written by SQL, and follows them", async () => {
  const page = await stage.openLive();
  await stage.database.query("INSERT INTO documents (filename) VALUES ('Contract.pdf')");
  const row = page.locator('[data-type="document_processing"] li', { hasText: "Contract.pdf" });
  await row.getByText("Upload", { exact: true }).waitFor();

  await stage.database.query("UPDATE documents SET stage = 'embedding', progress = 60");
  await row.getByText("60 %").waitFor();
  expect(await row.getByRole("progressbar").getAttribute("value")).toBe("60");

  await stage.database.query("UPDATE documents SET stage = 'completed', progress = 100");
  await row.getByText("Completed").waitFor();
  await countIs(page, "document_processing", 3);
  expect(await shownIds(page)).toEqual((await stage.database.outboxIds()).toReversed());

  await stage.database.query("DELETE FROM documents");
  await row.waitFor({ state: "detached" });
});

it("shows events of all types, an app's own included", async () => {
  await stage.database.query("INSERT INTO rowcast.event_types (name) VALUES ('invoice_paid')");
  const page = await stage.openLive();
  await stage.database.query(`
    SELECT rowcast.emit('conversation_activity', 'o1', '{"messageId": "m1", "messageType": "user_message", "content": "Where is my sofa?"}'),
           rowcast.emit('system_health', NULL, '{"component": "llm_api", "status": "down", "metric": "x", "value": 1, "message": "m"}'),
           rowcast.emit('error_notification', 'o1', '{"errorId": "e1", "component": "database", "severity": "high", "message": "out of disk"}'),
           rowcast.emit('chatbot_metrics', 'o1', '{"activeConversations": 7, "responseTime": 1200, "successRate": 0.5, "tokenUsage": 9, "cost": "1.50"}'),
           rowcast.emit('user_activity', 'o1', '{"userId": "u9", "action": "login"}'),
           rowcast.emit('performance_alert', 'o1', '{"metric": "latency", "value": 9, "threshold": 5, "status": "firing", "message": "too slow"}'),
           rowcast.emit('invoice_paid', 'o1', '{"amount": "12.00"}')`);
  const panel = (type: string) => page.locator(`[data-type="${type}"]`);
  await panel("conversation_activity").getByText("Where is my sofa?").waitFor();
  await panel("error_notification").getByText("out of disk").waitFor();
  await panel("chatbot_metrics").getByText("$1.50").waitFor();
  await panel("chatbot_metrics").getByText("50%").waitFor();
  await panel("user_activity").getByText("Login").waitFor();
  await panel("performance_alert").getByText("Firing", { exact: true }).waitFor();
  await page.getByTestId("log").getByText("invoice_paid").waitFor();
  // u1 is an admin of one organization, not of the platform.
  await countIs(page, "system_health", 0);
});

it("shows nothing of other organizations", async () => {
  const page = await stage.openLive();
  await stage.database.query(
    "INSERT INTO documents (filename, organization_id) VALUES ('theirs', 'o2'), ('ours', 'o1')",
  );
  await page.getByText("ours", { exact: true }).first().waitFor();
  expect(await page.getByText("theirs").count()).toBe(0);
});

it("keeps up with a burst", async () => {
  const page = await stage.openLive();
  for (let turn = 0; turn < 100; turn += 1) await stage.database.insertDocuments(`${turn}-`, 20);
  await countIs(page, "document_processing", 2000);
  expect(await shownIds(page)).toEqual((await stage.database.outboxIds()).slice(-100).toReversed());
});

it("runs under a policy that allows nothing inline and nothing foreign", async () => {
  const response = await fetch(stage.server.url);
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(response.headers.get("content-security-policy")).not.toContain("unsafe");
});
