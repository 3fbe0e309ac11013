import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EventType } from "../../protocol.js";
import { activity } from "./activity.js";
import { alerts } from "./alerts.js";
import { countByStage, documents } from "./documents.js";
import { errors } from "./errors.js";
import { at, event, fold } from "./fixture.js";
import { health } from "./health.js";
import { messages } from "./messages.js";
import { MAX_SAMPLES, metrics } from "./metrics.js";
import type { Projection } from "./projection.js";

describe("documents", () => {
  const moved = (stage: string, progress: unknown = 0, more: object = {}) =>
    event("document_processing", { documentId: "d", filename: "a.pdf", stage, progress, ...more });

  it("keep their place while they move on", () => {
    const other = event("document_processing", { documentId: "e", filename: "b.pdf", stage: "upload" });
    const list = fold(documents, moved("upload", 5), other, moved("ocr", "41"));
    expect(list.map(({ filename, stage, progress }) => [filename, stage, progress])).toEqual([
      ["b.pdf", "upload", 0],
      ["a.pdf", "ocr", 41],
    ]);
  });

  it("are shown by their title where rows say nothing of stages", () => {
    const row = event("document_processing", { title: "Handbook" }, { operation: "UPDATE" });
    expect(fold(documents, row)[0]).toMatchObject({
      filename: "Handbook",
      stage: undefined,
      status: "update",
    });
  });

  it("remember where they failed", () => {
    const list = fold(documents, moved("chunking", 50), moved("failed", 50, { error: "no text" }));
    expect(list[0]).toMatchObject({ stage: "failed", status: "failed", reached: 2, error: "no text" });
  });

  it("may jump over stages, and begin again", () => {
    const [jumped] = fold(documents, moved("upload"), moved("indexing", 90));
    expect(jumped).toMatchObject({ reached: 4, attempts: 1 });
    const [again] = fold(documents, moved("ocr"), moved("failed"), moved("upload"), moved("completed"));
    expect(again).toMatchObject({ status: "completed", attempts: 2 });
    expect(fold(documents, moved("embedding"), moved("ocr"))[0]).toMatchObject({ reached: 1, attempts: 2 });
  });

  it("leave when they are deleted, all of a table's when it is truncated", () => {
    expect(fold(documents, moved("ocr"), { ...moved("ocr"), operation: "DELETE" })).toEqual([]);
    const elsewhere = event("document_processing", { documentId: "x" }, { source: "public.other" });
    const truncate = event("document_processing", {}, { operation: "TRUNCATE" });
    expect(fold(documents, moved("ocr"), elsewhere, truncate).map(({ key }) => key)).toEqual(["x"]);
  });

  it("show progress within its bounds", () => {
    expect(fold(documents, moved("ocr", 400))[0]?.progress).toBe(100);
    expect(fold(documents, moved("ocr", -1))[0]?.progress).toBe(0);
  });

  it("are several hundred at once; those that have ended make room for those that move", () => {
    const stages = ["upload", "completed", "failed", "ocr"];
    const many = Array.from({ length: 600 }, (_, n) =>
      event("document_processing", { documentId: `d${n}`, stage: stages[n % 4] }),
    );
    const list = fold(documents, ...many);
    expect(list).toHaveLength(500);
    expect(countByStage(list)).toEqual({ upload: 150, ocr: 150, completed: 100, failed: 100 });
  });
});

describe("messages", () => {
  const said = (data: object) =>
    event("conversation_activity", { messageId: "1", messageType: "bot_response", ...data });

  it("are one entry from the first word to the last", () => {
    const list = fold(
      messages,
      said({ status: "generating" }),
      said({ status: "generating", content: "Good" }),
    );
    expect(list).toMatchObject([{ from: "bot", content: "Good", writing: true }]);
    expect(fold(messages, said({ status: "completed", content: "Good day" }))).toMatchObject([
      { content: "Good day", writing: false },
    ]);
  });

  it("are not being written any more once they failed", () => {
    expect(fold(messages, said({ status: "generating", error: "no answer" }))[0]?.writing).toBe(false);
  });
});

describe("health", () => {
  const check = (component: string, value: unknown, more: object = {}, when = 0) =>
    event("system_health", { component, metric: "p95", value, status: "healthy", ...more }, at(when));

  it("has values for each component, which outlive the log's clearing away", () => {
    const cleared = event("system_health", { component: "database", value: 1 }, { operation: "DELETE" });
    const list = fold(
      health,
      check("vector_search", 1),
      check("database", 1),
      check("database", "2.5"),
      cleared,
    );
    expect(list.map(({ component, checks }) => [component, checks[0].values])).toEqual([
      ["database", [1, 2.5]],
      ["vector_search", [1]],
    ]);
  });

  it("has a course of states over time", () => {
    const [database] = fold(
      health,
      check("database", 1),
      check("database", 1, {}, 10),
      check("database", 9, { status: "down" }, 20),
      check("database", 9, { status: "down" }, 15),
      check("database", 1, {}, 30),
    );
    const start = Date.parse(at(0).timestamp);
    expect(database?.course.map(({ status, from, to }) => [status, from - start, to - start])).toEqual([
      ["healthy", 0, 20_000],
      ["down", 20_000, 30_000],
      ["healthy", 30_000, 30_000],
    ]);
  });

  it("is as bad as the worst of a component's metrics", () => {
    const list = fold(
      health,
      check("database", 9, { metric: "lag", status: "degraded", recommendation: "wait" }),
      check("database", 1, { metric: "p95" }),
    );
    expect(list).toMatchObject([
      { status: "degraded", checks: [{ metric: "lag", recommendation: "wait" }, { metric: "p95" }] },
    ]);
    const recovered = fold(
      health,
      check("database", 9, { metric: "lag", status: "degraded" }),
      check("database", 1, { metric: "lag" }),
    );
    expect(recovered[0]?.status).toBe("healthy");
  });
});

describe("errors", () => {
  const failed = (message: string, more: object = {}, envelope: object = {}) =>
    event("error_notification", { component: "llm_api", message, ...more }, envelope);

  it("are counted when they come again, and come first", () => {
    const list = fold(errors, failed("a"), failed("b"), failed("a"));
    expect(list.map(({ message, times }) => [message, times])).toEqual([
      ["a", 2],
      ["b", 1],
    ]);
  });

  it("keep what is known of them, and learn more by an update", () => {
    const [error] = fold(
      errors,
      failed("a", { stackTrace: "at f" }, { organizationId: "o1", ...at(1) }),
      failed("a", {}, { organizationId: "o2", ...at(5) }),
      failed("a", { resolution: "restarted" }, { operation: "UPDATE", organizationId: "o2", ...at(9) }),
    );
    expect(error).toMatchObject({
      times: 2,
      stackTrace: "at f",
      sentryIssueId: undefined,
      resolution: "restarted",
      organizations: ["o1", "o2"],
    });
    expect(error?.occurrences).toHaveLength(2);
    expect((error?.lastAt ?? 0) - (error?.firstAt ?? 0)).toBe(8000);
  });
});

describe("alerts", () => {
  const alert = (metric: string, status: string, when = 0) =>
    event("performance_alert", { metric, status }, at(when));

  it("come first while they fire", () => {
    const list = fold(alerts, alert("a", "firing"), alert("b", "firing"), alert("b", "resolved"));
    expect(list.map(({ metric, firing }) => [metric, firing])).toEqual([
      ["a", true],
      ["b", false],
    ]);
  });

  it("say how long they fired, and how often", () => {
    const [first] = fold(alerts, alert("a", "firing", 1), alert("a", "firing", 2), alert("a", "resolved", 9));
    expect(first).toMatchObject({ lasted: 8000, fired: 1 });
    const [unseen] = fold(alerts, alert("a", "resolved", 9));
    expect(unseen).toMatchObject({ lasted: undefined, fired: 0 });
  });

  it("of several chatbots are apart", () => {
    const of = (chatbotId: string) =>
      event("performance_alert", { metric: "a", status: "firing", chatbotId });
    expect(fold(alerts, of("x"), of("y"), of("x"))).toHaveLength(2);
  });

  const row = (key: string, status: string, operation = "INSERT", more: object = {}) =>
    event(
      "performance_alert",
      { metric: "a", threshold: 5, status, ...more },
      { key, operation, organizationId: "o" },
    );
  const states = (...events: Parameters<typeof fold<"performance_alert", unknown>>[1][]) =>
    fold(alerts, ...events).map((alert) => [alert.event.key, alert.firing, alert.fired]);

  it("of two rules on one metric are apart: what is over is the row that says so", () => {
    expect(states(row("1", "firing"), row("2", "firing"), row("1", "resolved", "UPDATE"))).toEqual([
      ["2", true, 1],
      ["1", false, 1],
    ]);
    expect(states(row("2", "firing"), row("1", "resolved", "UPDATE"))).toEqual([
      ["2", true, 1],
      ["1", false, 0],
    ]);
  });

  it("that fire again under another key take the place of what is over", () => {
    const again = [row("1", "firing"), row("1", "resolved", "UPDATE"), row("2", "firing")];
    expect(states(...again)).toEqual([["2", true, 2]]);
    expect(states(...again, row("3", "firing", "INSERT", { threshold: 9 }))).toHaveLength(2);
  });

  it("of a log are over with the row that says so, whatever its key", () => {
    expect(states(row("1", "firing"), row("2", "resolved"))).toEqual([["2", false, 1]]);
    expect(states(row("1", "firing"), row("2", "resolved"), row("3", "firing"))).toEqual([["3", true, 2]]);
    expect(states(row("1", "firing"), row("2", "firing"), row("3", "resolved"))).toEqual([["3", false, 1]]);
    expect(states(row("1", "firing"), row("2", "resolved", "INSERT", { threshold: undefined }))).toEqual([
      ["2", false, 1],
    ]);
  });

  it("of another source, threshold or organization are none of theirs", () => {
    const over = row("2", "resolved");
    for (const other of [
      { ...over, source: "public.other" },
      { ...over, organizationId: "p" },
      row("2", "resolved", "INSERT", { threshold: 6 }),
    ])
      expect(states(row("1", "firing"), other)).toEqual([
        ["1", true, 1],
        ["2", false, 0],
      ]);
  });
});

describe("metrics", () => {
  const figures = (chatbotId: string, cost: unknown, successRate: number, when = 0) =>
    event("chatbot_metrics", { cost, successRate }, { chatbotId, ...at(when) });

  it("add up amounts and average the rest, numerics that came as strings too", () => {
    const { total } = fold(
      metrics,
      figures("a", "9", 0),
      figures("a", "1.50", 1, 1),
      figures("b", 2, 0.5, 2),
    );
    expect(total).toEqual({ cost: 3.5, successRate: 0.75 });
  });

  it("have a course: what was not reported holds on from before", () => {
    const { samples } = fold(metrics, figures("a", 1, 1), figures("b", 2, 1, 5), figures("b", 3, 1, 5.2));
    expect(
      samples.map(({ total, chatbots }) => [
        total.cost,
        chatbots.get("a")?.figures.cost,
        chatbots.get("b")?.figures.cost,
      ]),
    ).toEqual([
      [1, 1, undefined],
      [4, 1, 3],
    ]);
  });

  it("keep their whole course in less and less detail", () => {
    const hour = Array.from({ length: 3600 }, (_, second) => figures("a", second, 1, second));
    const { samples, step, total } = fold(metrics, ...hour);
    expect(samples.length).toBeLessThanOrEqual(MAX_SAMPLES);
    expect(samples.length).toBeGreaterThan(MAX_SAMPLES / 2 - 1);
    expect(step).toBe(16_000);
    expect(samples.at(-1)?.total).toEqual(total);
    const times = samples.map(({ time }) => time);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect((times[0] ?? 0) - Date.parse(at(0).timestamp)).toBeLessThan(16_000);
  });
});

it("activity names who and what", () => {
  const act = event("user_activity", { action: "login" }, { userId: "u1", sessionId: "s1" });
  expect(fold(activity, act)[0]).toMatchObject({ user: "u1", action: "login", session: "s1" });
  const sum = event("user_activity", {
    userId: "*",
    action: "connected",
    metadata: { sampled: true, others: 4711 },
  });
  expect(fold(activity, sum)[0]).toMatchObject({ user: "4,711 others", action: "connected" });
  const own = event("user_activity", { userId: "u1", action: "login", metadata: { others: null } });
  expect(fold(activity, own)[0]).toMatchObject({ user: "u1" });
});

const PROJECTIONS = [documents, messages, health, errors, alerts, activity] as readonly Projection<
  EventType,
  readonly unknown[]
>[];

describe("any data is taken without a fault", () => {
  const operation = fc.constantFrom("INSERT", "UPDATE", "DELETE", "TRUNCATE", "EMIT");
  const named = fc.dictionary(
    fc.constantFrom(
      "documentId",
      "progress",
      "stage",
      "status",
      "component",
      "metric",
      "value",
      "cost",
      "error",
    ),
    fc.oneof(fc.jsonValue(), fc.constantFrom("ocr", "failed", "down", "firing", "1e400", "-3")),
  );
  const timestamp = fc.oneof(
    fc.constantFrom("", "never", "2026-11-23T09:00:00Z", "1969-01-01T00:00:00Z"),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  );
  const one = fc.record({
    data: fc.oneof(named, fc.dictionary(fc.string(), fc.jsonValue())),
    operation,
    timestamp,
  });
  const list = fc.array(one, { maxLength: 80 });

  it.each(PROJECTIONS)("by $type, and stays bounded", (projection) => {
    fc.assert(
      fc.property(list, (events) => {
        const folded = fold(
          projection,
          ...events.map(({ data, ...more }) => event(projection.type, data, more)),
        );
        expect(folded.length).toBeLessThanOrEqual(80);
      }),
    );
  });

  it("by chatbot_metrics, and stays bounded", () => {
    fc.assert(
      fc.property(list, (events) => {
        const folded = fold(
          metrics,
          ...events.map(({ data, ...more }, n) =>
            event("chatbot_metrics", data, { ...more, chatbotId: `c${n % 7}` }),
          ),
        );
        expect(folded.chatbots.size).toBeLessThanOrEqual(7);
        expect(folded.samples.length).toBeLessThanOrEqual(80);
        for (const value of Object.values(folded.total)) expect(Number.isFinite(value)).toBe(true);
      }),
    );
  });
});
