// A little of everything, as a good day of somebody's chatbots would look: forty minutes of figures, and what has just
// happened.

import type { Database } from "./database.js";

const MINUTES = 40;

const EVENTS: readonly [type: string, data: object][] = [
  ["system_health", { component: "database", status: "healthy", metric: "p95_ms", value: 11, threshold: 80 }],
  [
    "system_health",
    {
      component: "llm_api",
      status: "degraded",
      metric: "p95_ms",
      value: 3100,
      threshold: 2500,
      message: "Answers are slow",
    },
  ],
  [
    "conversation_activity",
    { messageId: "1", messageType: "user_message", content: "Where is my order 4711?", status: "completed" },
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
  ["user_activity", { userId: "user_ben", action: "login" }],
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
    { metric: "error_rate", value: 0.4, threshold: 2, status: "resolved", message: "Errors are rare again" },
  ],
];

/** All of it in one transaction. What is the platform's is seen by its staff alone. */
export async function writeSample(database: Database): Promise<void> {
  const client = await database.connect();
  await client.query("BEGIN");
  await client.query(
    `SELECT rowcast.emit('chatbot_metrics', 'o1', jsonb_build_object(
       'activeConversations', 20 + n % 7 * 3, 'responseTime', 1700 + 500 * sin(n / 4.0) + n * 37 % 130,
       'successRate', 0.98 - n % 5 / 100.0, 'tokenUsage', 21000 + n * 1600, 'cost', round(n * 0.08, 2)::text,
       'userSatisfaction', 4.4), chatbot_id => 'support')
     FROM generate_series(1, $1::int) n`,
    [MINUTES],
  );
  await client.query(
    `UPDATE rowcast.outbox SET created_at = created_at - interval '1 minute' * ($1 - row_number)
     FROM (SELECT id, row_number() OVER (ORDER BY id) FROM rowcast.outbox WHERE event_type = 'chatbot_metrics') aged
     WHERE outbox.id = aged.id`,
    [MINUTES],
  );
  for (const [type, data] of EVENTS) {
    const organization = type === "system_health" ? null : "o1";
    await client.query("SELECT rowcast.emit($1, $2, $3)", [type, organization, JSON.stringify(data)]);
  }
  await client.query(`
    INSERT INTO documents (filename, stage, progress) VALUES
      ('Annual report 2026.pdf', 'upload', 6), ('Price list.xlsx', 'ocr', 24), ('Ein sehr langer Dateiname für ein Handbuch, das niemand liest.docx', 'chunking', 46),
      ('Terms.pdf', 'embedding', 71), ('FAQ.md', 'indexing', 90), ('Manual.pdf', 'completed', 100)`);
  await client.query("COMMIT");
}
