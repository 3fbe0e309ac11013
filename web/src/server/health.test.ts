import { beforeEach, expect, it } from "vitest";
import { FakeClient } from "../testing/queryClient.js";
import { configure, SystemHealthSSE } from "./index.js";

let client: FakeClient;
beforeEach(() => {
  client = new FakeClient();
  configure({ client });
});

const envelope = { userId: null, chatbotId: null, sessionId: null };

it.each([
  ["database", () => SystemHealthSSE.notifyDatabaseHealth("healthy", 12), "healthy", "low"],
  ["vector_search", () => SystemHealthSSE.notifyVectorSearchHealth("degraded", 12), "degraded", "high"],
  ["llm_api", () => SystemHealthSSE.notifyLLMAPIHealth("down", 12), "down", "critical"],
])("%s is the platform's, and as urgent as it is bad", async (component, notify, status, priority) => {
  await notify();
  expect(client.announced).toEqual({
    ...envelope,
    type: "system_health",
    organizationId: null,
    priority,
    data: {
      component,
      status,
      metric: "response_time_ms",
      value: 12,
      message: `${component} is ${status}: response_time_ms at 12`,
    },
  });
});

it.each([
  [71, { threshold: 80 }, "healthy"],
  [93, { threshold: 80 }, "degraded"],
  [93, {}, "healthy"],
  [93, { threshold: 80, status: "down" as const }, "down"],
])("judges %d of the system by %j", async (value, options, status) => {
  await SystemHealthSSE.notifySystemMetrics("memory_percent", value, options);
  expect(client.announced.data).toMatchObject({
    component: "general",
    metric: "memory_percent",
    value,
    status,
  });
});

it("takes the app's own words, for one organization", async () => {
  await SystemHealthSSE.notifyDatabaseHealth("degraded", 900, {
    organizationId: "org-1",
    threshold: 250,
    message: "slow",
    recommendation: "Add a replica",
  });
  expect(client.announced).toMatchObject({
    organizationId: "org-1",
    data: { threshold: 250, message: "slow", recommendation: "Add a replica" },
  });
});

it("refuses what is no status and no figure", async () => {
  const unknown: string = "fine";
  await expect(SystemHealthSSE.notifyDatabaseHealth(unknown as "healthy", 1)).rejects.toThrow(
    "status must be one of healthy, degraded, down",
  );
  await expect(SystemHealthSSE.notifySystemMetrics("load", Number.NaN)).rejects.toThrow("value must be");
  await expect(SystemHealthSSE.notifySystemMetrics("", 1)).rejects.toThrow("metric must be");
  await expect(SystemHealthSSE.notifyDatabaseHealth("healthy", 1, { organizationId: "" })).rejects.toThrow(
    "organizationId",
  );
  expect(client.calls).toEqual([]);
});
