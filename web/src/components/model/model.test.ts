import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EventType, OutboxEvent } from "../../protocol.js";
import { apply, createModel, type Model } from "./model.js";

const TYPES: readonly EventType[] = [
  "document_processing",
  "conversation_activity",
  "system_health",
  "error_notification",
  "chatbot_metrics",
  "user_activity",
  "performance_alert",
];

let nextId = 1;

/** An event whose data may be anything, as an adopter's SQL may make it. */
function event(type: EventType, data: unknown, more: Partial<OutboxEvent> = {}): OutboxEvent {
  const envelope = {
    id: String(nextId++),
    type,
    timestamp: "2026-11-23T09:00:00Z",
    priority: "low",
    source: "public.t",
  };
  return { operation: "INSERT", ...envelope, ...more, data } as OutboxEvent;
}

const fold = (...events: OutboxEvent[]): Model => events.reduce(apply, createModel().getSnapshot());

describe("documents", () => {
  const at = (stage: string, progress: unknown, more: object = {}) =>
    event("document_processing", { documentId: "d", filename: "a.pdf", stage, progress, ...more });

  it("keep their place while they move on", () => {
    const other = event("document_processing", {
      documentId: "e",
      filename: "b.pdf",
      stage: "upload",
      progress: 0,
    });
    const { documents } = fold(at("upload", 5), other, at("ocr", "41"));
    expect(documents.map(({ filename, stage, progress }) => [filename, stage, progress])).toEqual([
      ["b.pdf", "upload", 0],
      ["a.pdf", "ocr", 41],
    ]);
  });

  it("are shown by their title where rows say nothing of stages", () => {
    const row = event("document_processing", { title: "Handbook" }, { operation: "UPDATE" });
    expect(fold(row).documents[0]).toMatchObject({
      filename: "Handbook",
      stage: undefined,
      status: "update",
    });
  });

  it("remember where they failed", () => {
    const { documents } = fold(at("chunking", 50), at("failed", 50, { status: "failed", error: "no text" }));
    expect(documents[0]).toMatchObject({ stage: "failed", reached: "chunking", error: "no text" });
  });

  it("leave when they are deleted, all of a table's when it is truncated", () => {
    expect(fold(at("ocr", 1), { ...at("ocr", 1), operation: "DELETE" }).documents).toEqual([]);
    const elsewhere = event("document_processing", { documentId: "x" }, { source: "public.other" });
    const truncate = event("document_processing", {}, { operation: "TRUNCATE" });
    expect(fold(at("ocr", 1), elsewhere, truncate).documents.map(({ key }) => key)).toEqual(["x"]);
  });

  it("show progress within its bounds", () => {
    expect(fold(at("ocr", 400)).documents[0]?.progress).toBe(100);
    expect(fold(at("ocr", -1)).documents[0]?.progress).toBe(0);
  });
});

it("a message is one entry from its first word to its last", () => {
  const { messages } = fold(
    event("conversation_activity", { messageId: "1", messageType: "bot_response", status: "generating" }),
    event("conversation_activity", {
      messageId: "1",
      messageType: "bot_response",
      status: "completed",
      content: "Hi",
    }),
  );
  expect(messages).toHaveLength(1);
  expect(messages[0]).toMatchObject({ from: "bot", content: "Hi", status: "completed" });
});

it("health has a course for each component, which outlives the log's clearing away", () => {
  const check = (component: string, value: unknown) =>
    event("system_health", { component, value, status: "healthy" });
  const cleared = event("system_health", { component: "database", value: 1 }, { operation: "DELETE" });
  const { health } = fold(check("vector_search", 1), check("database", 1), check("database", "2.5"), cleared);
  expect(health.map(({ component, history }) => [component, history])).toEqual([
    ["database", [1, 2.5]],
    ["vector_search", [1]],
  ]);
});

it("the same error again is counted, and comes first", () => {
  const failed = (message: string) => event("error_notification", { component: "llm_api", message });
  const { errors } = fold(failed("a"), failed("b"), failed("a"));
  expect(errors.map(({ message, times }) => [message, times])).toEqual([
    ["a", 2],
    ["b", 1],
  ]);
});

it("firing alerts come before resolved ones", () => {
  const alert = (metric: string, status: string) => event("performance_alert", { metric, status });
  const { alerts } = fold(alert("a", "firing"), alert("b", "firing"), alert("b", "resolved"));
  expect(alerts.map(({ metric, firing }) => [metric, firing])).toEqual([
    ["a", true],
    ["b", false],
  ]);
});

it("metrics add up amounts and average the rest, numerics that came as strings too", () => {
  const figures = (chatbotId: string, cost: unknown, successRate: number) =>
    event("chatbot_metrics", { cost, successRate }, { chatbotId });
  const { metrics } = fold(figures("a", "9", 0), figures("a", "1.50", 1), figures("b", 2, 0.5));
  expect(metrics.total).toEqual({ cost: 3.5, successRate: 0.75 });
  expect(metrics.history.cost).toEqual([9, 1.5, 3.5]);
});

it("starts anew after a reset", () => {
  expect(apply(fold(event("user_activity", { userId: "u" })), "reset")).toEqual(createModel().getSnapshot());
});

it("takes any data without a fault, and stays bounded", () => {
  const json = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(fc.constantFrom("documentId", "progress", "stage", "status"), fc.jsonValue()),
  );
  const operation = fc.constantFrom("INSERT", "UPDATE", "DELETE", "TRUNCATE", "EMIT");
  const events = fc.record({
    type: fc.constantFrom(...TYPES),
    data: fc.dictionary(fc.string(), json),
    operation,
  });
  fc.assert(
    fc.property(fc.array(events, { maxLength: 80 }), (list) => {
      const model = fold(
        ...list.map(({ type, data, operation }) => event(type, data, { operation } as Partial<OutboxEvent>)),
      );
      for (const slice of [model.documents, model.messages, model.errors, model.alerts, model.activity]) {
        expect(slice.length).toBeLessThanOrEqual(60);
      }
    }),
  );
});
