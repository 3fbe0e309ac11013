import { beforeEach, expect, it } from "vitest";
import { FakeClient } from "../testing/queryClient.js";
import { configure, ErrorMonitoringSSE } from "./index.js";

let client: FakeClient;
beforeEach(() => {
  client = new FakeClient();
  configure({ client });
});

const envelope = { userId: null, chatbotId: null, sessionId: null };

const failure = Object.assign(new Error("the index is locked", { cause: "password=hunter2" }), {
  request: { authorization: "Bearer abc" },
});

it.each([
  [
    "notifyError",
    () => ErrorMonitoringSSE.notifyError(failure, "search", "org-1"),
    "org-1",
    "medium",
    "minor",
  ],
  ["notifySystemError", () => ErrorMonitoringSSE.notifySystemError(failure, "search"), null, "high", "major"],
  [
    "notifyCriticalFailure",
    () => ErrorMonitoringSSE.notifyCriticalFailure(failure, "search"),
    null,
    "critical",
    "critical",
  ],
])(
  "%s tells the message and nothing else of an Error",
  async (_, notify, organizationId, severity, userImpact) => {
    await notify();
    const errorId = expect.stringMatching(/^[0-9a-f-]{36}$/);
    expect(client.announced).toEqual({
      ...envelope,
      type: "error_notification",
      organizationId,
      priority: severity,
      data: { errorId, component: "search", severity, message: "the index is locked", userImpact },
    });
  },
);

it("takes what the app adds", async () => {
  await ErrorMonitoringSSE.notifyError("out of credit", "billing", "org-1", {
    errorId: "err-1",
    severity: "high",
    userImpact: "critical",
    resolution: "top up",
    stackTrace: "at pay()",
    sentryIssueId: "SENTRY-1",
    chatbotId: "bot-1",
  });
  expect(client.announced).toMatchObject({
    priority: "high",
    chatbotId: "bot-1",
    data: {
      errorId: "err-1",
      severity: "high",
      message: "out of credit",
      stackTrace: "at pay()",
      userImpact: "critical",
      resolution: "top up",
      sentryIssueId: "SENTRY-1",
    },
  });
});

it("an Error without a message is called by its name", async () => {
  await ErrorMonitoringSSE.notifySystemError(new RangeError(), "search");
  expect(client.announced.data.message).toBe("RangeError");
});

it("refuses unknown severities and impacts, and does not repeat what was given", async () => {
  const unknown: string = "secret-severity";
  const severity = unknown as "low";
  const userImpact = unknown as "none";
  const notified = ErrorMonitoringSSE.notifyError("x", "search", "org-1", { severity });
  await expect(notified).rejects.toThrow("severity must be one of low, medium, high, critical");
  await expect(notified).rejects.not.toThrow("secret-severity");
  await expect(ErrorMonitoringSSE.notifyError("x", "search", "org-1", { userImpact })).rejects.toThrow(
    "userImpact must be one of none, minor, major, critical",
  );
  await expect(ErrorMonitoringSSE.notifyError("", "search", "org-1")).rejects.toThrow("error must be");
  await expect(ErrorMonitoringSSE.notifyError("x", "search", "")).rejects.toThrow("organizationId must be");
  expect(client.calls).toEqual([]);
});
