import { beforeEach, expect, it } from "vitest";
import { FakeClient } from "../testing/queryClient.js";
import { ChatbotMetricsSSE, configure } from "./index.js";

let client: FakeClient;
beforeEach(() => {
  client = new FakeClient();
  configure({ client });
});

const envelope = { userId: null, chatbotId: null, sessionId: null };

const metrics = {
  activeConversations: 3,
  responseTime: 800,
  successRate: 0.98,
  tokenUsage: 5000,
  cost: 1.25,
};

it("notifyMetricsUpdate", async () => {
  await ChatbotMetricsSSE.notifyMetricsUpdate("bot-1", "org-1", { ...metrics, userSatisfaction: 4.5 });
  expect(client.announced).toEqual({
    ...envelope,
    type: "chatbot_metrics",
    organizationId: "org-1",
    chatbotId: "bot-1",
    priority: "low",
    data: { ...metrics, userSatisfaction: 4.5 },
  });
});

it.each([
  ["firing", "high", "cost is at 120, limit 100"],
  ["resolved", "medium", "cost is back at 120"],
] as const)("notifyCostAlert, %s", async (status, priority, message) => {
  await ChatbotMetricsSSE.notifyCostAlert("bot-1", "org-1", 120, 100, { status });
  expect(client.announced).toEqual({
    ...envelope,
    type: "performance_alert",
    organizationId: "org-1",
    chatbotId: "bot-1",
    priority,
    data: { metric: "cost", value: 120, threshold: 100, status, message, chatbotId: "bot-1" },
  });
});

it("notifyPerformanceDegradation fires", async () => {
  await ChatbotMetricsSSE.notifyPerformanceDegradation("bot-1", "org-1", "response_time_ms", 4100, 2000, {
    message: "slow answers",
  });
  expect(client.announced).toMatchObject({
    type: "performance_alert",
    priority: "high",
    data: {
      metric: "response_time_ms",
      value: 4100,
      threshold: 2000,
      status: "firing",
      message: "slow answers",
    },
  });
});

it.each([
  ["successRate", { successRate: 98 }],
  ["cost", { cost: Number.NaN }],
  ["tokenUsage", { tokenUsage: -1 }],
  ["activeConversations", { activeConversations: JSON.parse('"3"') }],
  ["responseTime", { responseTime: -1 }],
  ["userSatisfaction", { userSatisfaction: Number.NaN }],
])("refuses a bad %s", async (field, bad) => {
  await expect(
    ChatbotMetricsSSE.notifyMetricsUpdate("bot-1", "org-1", { ...metrics, ...bad }),
  ).rejects.toThrow(`${field} must be a finite number`);
  expect(client.calls).toEqual([]);
});

it("refuses alerts without figures", async () => {
  await expect(ChatbotMetricsSSE.notifyCostAlert("bot-1", "org-1", 1, Number.NaN)).rejects.toThrow(
    "threshold",
  );
  await expect(ChatbotMetricsSSE.notifyCostAlert("", "org-1", 1, 1)).rejects.toThrow("chatbotId");
  const status = JSON.parse('"on fire"');
  await expect(ChatbotMetricsSSE.notifyCostAlert("bot-1", "org-1", 2, 1, { status })).rejects.toThrow(
    "status must be one of firing, resolved",
  );
  expect(client.calls).toEqual([]);
});
