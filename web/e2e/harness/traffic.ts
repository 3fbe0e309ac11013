// Events of every type by SQL, as many as wanted, and what should be seen of them.

import type { Database } from "./database.js";

/**
 * Writes the events numbered `from` to `from + count - 1`. In ten: four of a conversation, three of documents that move
 * on, one of a chatbot's figures, one of what a user does, and one of health, errors and alerts in turn.
 */
export async function writeTraffic(database: Database, from: number, count: number): Promise<void> {
  await database.query(
    `
    SELECT rowcast.emit(
      CASE WHEN n % 10 < 4 THEN 'conversation_activity' WHEN n % 10 < 7 THEN 'document_processing'
        WHEN n % 10 = 7 THEN 'chatbot_metrics' WHEN n % 10 = 8 THEN 'user_activity'
        ELSE (ARRAY['system_health', 'error_notification', 'performance_alert'])[n / 10 % 3 + 1] END,
      'o1',
      CASE
        WHEN n % 10 < 4 THEN jsonb_build_object('messageId', (n / 20)::text || '.' || (n % 4)::text,
          'messageType', (ARRAY['user_message', 'bot_response'])[n % 2 + 1], 'content', 'Message ' || n || ', as it grows',
          'status', CASE WHEN n / 10 % 2 = 0 THEN 'generating' ELSE 'completed' END, 'responseTime', 800 + n % 900)
        WHEN n % 10 < 7 THEN jsonb_build_object('documentId', (n % 400)::text, 'filename', 'Document ' || n % 400 || '.pdf',
          'stage', (ARRAY['upload', 'ocr', 'chunking', 'embedding', 'indexing', 'completed', 'failed'])[n / 400 % 7 + 1],
          'progress', n / 4 % 100)
        WHEN n % 10 = 7 THEN jsonb_build_object('activeConversations', 20 + n % 9, 'responseTime', 900 + n * 7 % 800,
          'successRate', 0.9 + (n % 9) / 100.0, 'tokenUsage', n * 40, 'cost', round(n / 90.0, 4)::text)
        WHEN n % 10 = 8 THEN jsonb_build_object('userId', 'user_' || n % 40, 'action', 'document.viewed')
        WHEN n / 10 % 3 = 0 THEN jsonb_build_object('component', (ARRAY['database', 'llm_api', 'vector_search'])[n / 30 % 3 + 1],
          'metric', 'p95_ms', 'value', n * 13 % 90, 'threshold', 70, 'message', 'measured',
          'status', CASE WHEN n * 13 % 90 > 70 THEN 'degraded' ELSE 'healthy' END)
        WHEN n / 10 % 3 = 1 THEN jsonb_build_object('errorId', n::text, 'component', 'llm_api', 'severity', 'high',
          'message', 'Failure of kind ' || n / 30 % 12, 'userImpact', 'minor', 'stackTrace', 'Error\n  at invoke (llm.ts:97)')
        ELSE jsonb_build_object('metric', 'metric_' || n / 30 % 9, 'value', 5 + n % 9, 'threshold', 9, 'message', 'Over its limit',
          'status', CASE WHEN n / 90 % 2 = 0 THEN 'firing' ELSE 'resolved' END) END,
      chatbot_id => 'bot_' || n / 10 % 6)
    FROM generate_series($1::int, $1::int + $2::int - 1) n`,
    [from, count],
  );
}

/** Writes that many a second, in small steps, until as many have been written. */
export async function keepWriting(database: Database, perSecond: number, total: number): Promise<void> {
  const begun = performance.now();
  let written = 0;
  while (written < total) {
    const due = Math.min(total, Math.floor(((performance.now() - begun) * perSecond) / 1000));
    if (due > written) await writeTraffic(database, written, due - written);
    written = Math.max(due, written);
    // The pace of the traffic itself; nothing is awaited by it.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** How many events of each type there are in the outbox. */
export async function writtenByType(database: Database): Promise<Record<string, number>> {
  const rows = await database.query<{ type: string; count: number }>(
    "SELECT event_type AS type, count(*)::int AS count FROM rowcast.outbox GROUP BY 1",
  );
  return Object.fromEntries(rows.map(({ type, count }) => [type, count]));
}
