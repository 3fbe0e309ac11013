import type pg from "pg";
import type postgres from "postgres";
import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  ChatbotMetricsSSE,
  ConversationSSE,
  configure,
  createProducers,
  DocumentProcessingSSE,
  ErrorMonitoringSSE,
  emit,
  fromPostgresJs,
  InvalidEventError,
  type QueryClient,
  SystemHealthSSE,
} from "./index.js";

interface Call {
  sql: string;
  params: (string | null)[];
}

class FakeClient implements QueryClient {
  readonly calls: Call[] = [];
  rows: unknown[] = [{ id: "9007199254740993" }];

  async query(sql: string, params: (string | null)[]) {
    this.calls.push({ sql, params });
    return { rows: this.rows };
  }

  /** What the only call asked for, by name. */
  get announced() {
    expect(this.calls).toHaveLength(1);
    const [type, organizationId, data, priority, userId, chatbotId, sessionId] = this.calls[0]?.params ?? [];
    return { type, organizationId, data: JSON.parse(data ?? ""), priority, userId, chatbotId, sessionId };
  }
}

let client: FakeClient;
beforeEach(() => {
  client = new FakeClient();
  configure({ client });
});

const envelope = { userId: null, chatbotId: null, sessionId: null };

describe("documents", () => {
  const document = ["doc-1", "prod-1", "org-1", "guide.pdf"] as const;
  const base = { documentId: "doc-1", productId: "prod-1", filename: "guide.pdf" };
  const steps: [string, () => Promise<string>, object, string][] = [
    [
      "notifyUploadStarted",
      () => DocumentProcessingSSE.notifyUploadStarted(...document),
      { stage: "upload", progress: 0, status: "processing" },
      "medium",
    ],
    [
      "notifyOCRProgress",
      () => DocumentProcessingSSE.notifyOCRProgress(...document, 37.5),
      { stage: "ocr", progress: 37.5, status: "processing" },
      "medium",
    ],
    [
      "notifyChunkingStarted",
      () => DocumentProcessingSSE.notifyChunkingStarted(...document),
      { stage: "chunking", progress: 45, status: "processing" },
      "medium",
    ],
    [
      "notifyEmbeddingStarted",
      () => DocumentProcessingSSE.notifyEmbeddingStarted(...document, { progress: 70 }),
      { stage: "embedding", progress: 70, status: "processing" },
      "medium",
    ],
    [
      "notifyProcessingCompleted",
      () => DocumentProcessingSSE.notifyProcessingCompleted(...document, 8200),
      { stage: "completed", progress: 100, status: "completed", processingTime: 8200 },
      "medium",
    ],
    [
      "notifyProcessingFailed",
      () => DocumentProcessingSSE.notifyProcessingFailed(...document, "no text found", { progress: 30 }),
      { stage: "failed", progress: 30, status: "failed", error: "no text found" },
      "high",
    ],
  ];
  it.each(steps)("%s", async (_, notify, data, priority) => {
    await notify();
    expect(client.announced).toEqual({
      ...envelope,
      type: "document_processing",
      organizationId: "org-1",
      priority,
      data: { ...base, ...data },
    });
  });

  it("says who did it, and more, when told; a document of no product has no productId", async () => {
    await DocumentProcessingSSE.notifyUploadStarted("doc-1", null, "org-1", "guide.pdf", {
      userId: "user-1",
      priority: "critical",
      metadata: { pages: 12 },
    });
    expect(client.announced).toMatchObject({ userId: "user-1", priority: "critical" });
    expect(client.announced.data).toEqual({
      documentId: "doc-1",
      filename: "guide.pdf",
      stage: "upload",
      progress: 0,
      status: "processing",
      metadata: { pages: 12 },
    });
  });

  it.each([
    ["documentId", () => DocumentProcessingSSE.notifyUploadStarted("", "prod-1", "org-1", "a.pdf")],
    ["productId", () => DocumentProcessingSSE.notifyUploadStarted("doc-1", " ", "org-1", "a.pdf")],
    ["organizationId", () => DocumentProcessingSSE.notifyUploadStarted("doc-1", null, "", "a.pdf")],
    ["organizationId", () => DocumentProcessingSSE.notifyUploadStarted("doc-1", null, "a\0b", "a.pdf")],
    ["filename", () => DocumentProcessingSSE.notifyUploadStarted("doc-1", null, "org-1", "")],
    ["progress", () => DocumentProcessingSSE.notifyOCRProgress(...document, 100.5)],
    ["progress", () => DocumentProcessingSSE.notifyOCRProgress(...document, -1)],
    ["progress", () => DocumentProcessingSSE.notifyOCRProgress(...document, Number.NaN)],
    ["processingTime", () => DocumentProcessingSSE.notifyProcessingCompleted(...document, -5)],
    ["error", () => DocumentProcessingSSE.notifyProcessingFailed(...document, "")],
    ["userId", () => DocumentProcessingSSE.notifyUploadStarted(...document, { userId: "" })],
  ])("refuses a bad %s before any SQL", async (field, notify) => {
    await expect(notify()).rejects.toSatisfy(
      (error) => error instanceof InvalidEventError && error.field === field,
    );
    expect(client.calls).toEqual([]);
  });
});

describe("conversations", () => {
  const message = ["m-1", "session-1", "bot-1", "org-1"] as const;
  const steps: [string, () => Promise<string>, object, string][] = [
    [
      "notifyUserMessage",
      () => ConversationSSE.notifyUserMessage(...message, "Is it waterproof?"),
      { messageType: "user_message", status: "completed", content: "Is it waterproof?" },
      "low",
    ],
    [
      "notifyBotResponseStarted",
      () => ConversationSSE.notifyBotResponseStarted(...message),
      { messageType: "bot_response", status: "generating" },
      "low",
    ],
    [
      "notifyBotResponseCompleted",
      () => ConversationSSE.notifyBotResponseCompleted(...message, "", 900, { metadata: { tokens: 0 } }),
      {
        messageType: "bot_response",
        status: "completed",
        content: "",
        responseTime: 900,
        metadata: { tokens: 0 },
      },
      "low",
    ],
    [
      "notifyConversationError",
      () => ConversationSSE.notifyConversationError(...message, "the model timed out"),
      { messageType: "bot_response", status: "failed", error: "the model timed out" },
      "high",
    ],
  ];
  it.each(steps)("%s", async (_, notify, data, priority) => {
    await notify();
    expect(client.announced).toEqual({
      type: "conversation_activity",
      organizationId: "org-1",
      userId: null,
      chatbotId: "bot-1",
      sessionId: "session-1",
      priority,
      data: { messageId: "m-1", ...data },
    });
  });

  it("refuses what is no message", async () => {
    const nothing: unknown = undefined;
    const content = nothing as string;
    await expect(ConversationSSE.notifyUserMessage(...message, content)).rejects.toThrow(
      "content must be a text",
    );
    await expect(
      ConversationSSE.notifyBotResponseCompleted(...message, "yes", Number.POSITIVE_INFINITY),
    ).rejects.toThrow("responseTime must be a finite number, 0 or more");
    await expect(ConversationSSE.notifyUserMessage("m-1", "", "bot-1", "org-1", "hi")).rejects.toThrow(
      "sessionId",
    );
    expect(client.calls).toEqual([]);
  });
});

describe("health", () => {
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
});

describe("errors", () => {
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
    [
      "notifySystemError",
      () => ErrorMonitoringSSE.notifySystemError(failure, "search"),
      null,
      "high",
      "major",
    ],
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
});

describe("metrics", () => {
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
});

describe("emit", () => {
  const activity = { type: "user_activity", organizationId: "org-1" } as const;

  it("returns the id as it came, which a number could not hold", async () => {
    const id = await emit(client, { ...activity, data: { userId: "user-1", action: "login" } });
    expect(id).toBe("9007199254740993");
    expect(client.announced).toMatchObject({ type: "user_activity", priority: "medium" });
  });

  it("needs null to be said for the whole platform", async () => {
    const data = { userId: "user-1", action: "login" };
    const organizationId: unknown = undefined;
    const forgotten = { type: "user_activity", organizationId: organizationId as string, data } as const;
    await expect(emit(client, forgotten)).rejects.toThrow("organizationId must be");
    expect(client.calls).toEqual([]);
    await emit(client, { ...forgotten, organizationId: null });
    expect(client.announced.organizationId).toBeNull();
  });

  it("refuses an unknown priority", async () => {
    const priority = JSON.parse('"urgent"');
    await expect(
      emit(client, { ...activity, priority, data: { userId: "u", action: "login" } }),
    ).rejects.toThrow("priority must be one of low, medium, high, critical");
  });

  it("replaces what jsonb cannot hold, and leaves what only looks like it", async () => {
    const metadata = { nul: "a\0b", half: "\ud800x", pair: "😀", spelled: "\\u0000 \\ud800", "k\0": 1 };
    await emit(client, { ...activity, data: { userId: "u", action: "login", metadata } });
    expect(client.announced.data.metadata).toEqual({
      nul: "a\ufffdb",
      half: "\ufffdx",
      pair: "😀",
      spelled: "\\u0000 \\ud800",
      "k\ufffd": 1,
    });
    expect(client.calls[0]?.params[2]).not.toMatch(/(?<!\\)\\u(0000|d8)/);
  });

  it("refuses what JSON would lose or cannot write", async () => {
    const self: Record<string, unknown> = {};
    self.self = self;
    const wrong: [Record<string, unknown>, string][] = [
      [{ ratio: Number.NaN }, "ratio must be a finite number"],
      [{ deep: [{ ratio: Number.POSITIVE_INFINITY }] }, "ratio must be a finite number"],
      [{ big: 1n }, "data must be JSON"],
      [self, "data must be JSON"],
    ];
    for (const [metadata, message] of wrong) {
      const data = { userId: "u", action: "login", metadata };
      await expect(emit(client, { ...activity, data })).rejects.toThrow(message);
    }
    const data: unknown = ["no", "object"];
    await expect(emit(client, { ...activity, data: data as never })).rejects.toThrow(
      "data must be an object",
    );
    expect(client.calls).toEqual([]);
  });

  it("says so when the client answers without an id", async () => {
    const data = { userId: "u", action: "login" };
    for (const rows of [[], [["42"]], [{ id: 42 }]]) {
      client.rows = rows;
      await expect(emit(client, { ...activity, data })).rejects.toThrow("give rows as objects");
    }
  });
});

describe("clients", () => {
  it("using() goes through another client, and leaves the configured one alone", async () => {
    const transaction = new FakeClient();
    await ConversationSSE.using(transaction).notifyUserMessage("m", "s", "b", "o", "hi");
    await DocumentProcessingSSE.using(transaction).notifyUploadStarted("d", null, "o", "f");
    await SystemHealthSSE.using(transaction).notifyDatabaseHealth("healthy", 1);
    await ErrorMonitoringSSE.using(transaction).notifySystemError("x", "c");
    await ChatbotMetricsSSE.using(transaction).notifyCostAlert("b", "o", 2, 1);
    expect(transaction.calls).toHaveLength(5);
    expect(client.calls).toEqual([]);
  });

  it("createProducers shares nothing with what is configured", async () => {
    const own = new FakeClient();
    await createProducers(own).SystemHealthSSE.notifyDatabaseHealth("healthy", 1);
    expect(own.calls).toHaveLength(1);
    expect(client.calls).toEqual([]);
  });

  it("a second copy of the module, as bundlers make them, knows what was configured", async () => {
    vi.resetModules();
    const copy = await import("./index.js");
    expect(copy.SystemHealthSSE).not.toBe(SystemHealthSSE);
    await copy.SystemHealthSSE.notifyDatabaseHealth("healthy", 1);
    expect(client.calls).toHaveLength(1);
  });

  it("without a client it says what to do, and takes one later", async () => {
    const nothing: unknown = undefined;
    configure({ client: nothing as QueryClient });
    await expect(SystemHealthSSE.notifyDatabaseHealth("healthy", 1)).rejects.toThrow(
      "call configure({ client })",
    );
    configure({ client });
    await SystemHealthSSE.notifyDatabaseHealth("healthy", 1);
    expect(client.calls).toHaveLength(1);
  });

  it("takes node-postgres as it is and postgres.js through its adapter: a matter of types", () => {
    const accepted = (
      pool: pg.Pool,
      single: pg.Client,
      pooled: pg.PoolClient,
      sql: postgres.Sql,
      transaction: postgres.TransactionSql,
    ): QueryClient[] => [pool, single, pooled, fromPostgresJs(sql), fromPostgresJs(transaction)];
    expect(accepted).toHaveLength(5);
  });
});
