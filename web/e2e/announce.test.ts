// Events that no row stands for, announced by an app's server through each kind of client: with the transaction, or not at all.

import { randomBytes } from "node:crypto";
import pg from "pg";
import postgres from "postgres";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { OutboxEvent } from "../src/protocol.js";
import { createProducers, emit, fromPostgresJs, type QueryClient } from "../src/server/index.js";
import { Database } from "./harness/database.js";
import { migrate, Server, signToken } from "./harness/server.js";

let database: Database;
let server: Server;
let token: string;
let cursor: string;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  database = await Database.create();
  await migrate(database.url);
  // An admin of one organization, who is platform staff as well.
  await database.query("INSERT INTO rowcast.memberships VALUES ('u1', 'o1', 'admin'), ('u1', NULL, 'admin')");
  server = await Server.start(database.url);
  token = await signToken("u1");
  cursor = (await poll("")).cursor;
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await server.kill();
  await database.drop();
});

async function poll(after: string): Promise<{ events: OutboxEvent[]; cursor: string }> {
  const query = after ? `?wait=20&after=${encodeURIComponent(after)}` : "";
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch(`${server.url}/api/v1/realtime/events${query}`, { headers });
  expect(answer.status).toBe(200);
  return await answer.json();
}

/** What comes until the event with this id has. */
async function eventsUntil(id: string): Promise<OutboxEvent[]> {
  const events: OutboxEvent[] = [];
  while (!events.some((event) => event.id === id)) {
    const answer = await poll(cursor);
    expect(answer.events, "nothing came for 20 s").not.toEqual([]);
    events.push(...answer.events);
    cursor = answer.cursor;
  }
  return events;
}

/** An app's way of having a transaction: what `work` does is kept, unless it throws. */
interface App {
  readonly client: QueryClient;
  transaction<Result>(work: (client: QueryClient) => Promise<Result>): Promise<Result>;
}

interface Login {
  readonly host: string;
  readonly port: number;
  readonly database: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/** Taken apart by node-postgres: postgres.js does not know the URLs of sockets. */
function loginTo(url: string): Login {
  const { host, port, database, user, password } = new pg.Client({ connectionString: url });
  return { host, port, database, user, password };
}

function nodePostgres(login: Login): App {
  const pool = new pg.Pool({ ...login, max: 2 });
  closing.push(() => pool.end());
  return {
    client: pool,
    async transaction(work) {
      const client = await pool.connect();
      try {
        await client.query("BEGIN");
        const result = await work(client);
        await client.query("COMMIT");
        return result;
      } catch (error) {
        await client.query("ROLLBACK");
        throw error;
      } finally {
        client.release();
      }
    },
  };
}

function postgresJs({ password, database = "", user = "", ...address }: Login): App {
  const sql = postgres({ ...address, database, user, password: password ?? "", max: 2 });
  closing.push(() => sql.end());
  return {
    client: fromPostgresJs(sql),
    transaction: async <Result>(work: (client: QueryClient) => Promise<Result>) => {
      const results: Result[] = [];
      await sql.begin(async (transaction) => results.push(await work(fromPostgresJs(transaction))));
      for (const result of results) return result;
      throw new Error("the transaction did nothing");
    },
  };
}

const apps = [
  ["node-postgres", nodePostgres],
  ["postgres.js", postgresJs],
] as const;

it.each(apps)("%s: what was rolled back never comes, what was committed does", async (_, start) => {
  const app = start(loginTo(database.url));
  const { DocumentProcessingSSE, ConversationSSE } = createProducers(app.client);
  const document = ["doc-1", "prod-1", "o1", "guide.pdf"] as const;

  const undone = app.transaction(async (transaction) => {
    const id = await DocumentProcessingSSE.using(transaction).notifyUploadStarted(...document);
    expect(id).toMatch(/^\d+$/);
    throw new Error("the app changes its mind");
  });
  await expect(undone).rejects.toThrow("the app changes its mind");
  const done = await app.transaction(async (transaction) => {
    const options = { userId: "u7", metadata: { note: 'a "quoted"\0 text' } };
    return DocumentProcessingSSE.using(transaction).notifyOCRProgress(...document, 12.5, options);
  });
  // Outside of any transaction, at once.
  const last = await ConversationSSE.notifyBotResponseCompleted("m1", "s1", "b1", "o1", "Yes.", 840);

  const events = await eventsUntil(last);
  expect(events.map(({ id }) => id)).toEqual([done, last]);
  expect(events[0]).toMatchObject({
    type: "document_processing",
    organizationId: "o1",
    userId: "u7",
    priority: "medium",
    operation: "EMIT",
    data: {
      documentId: "doc-1",
      productId: "prod-1",
      filename: "guide.pdf",
      stage: "ocr",
      progress: 12.5,
      status: "processing",
      metadata: { note: 'a "quoted"\ufffd text' },
    },
  });
  expect(events[1]).toMatchObject({
    type: "conversation_activity",
    chatbotId: "b1",
    sessionId: "s1",
    data: { messageId: "m1", status: "completed", content: "Yes.", responseTime: 840 },
  });
});

it.each(apps)("%s: every producer writes what the stream then sends", async (_, start) => {
  const app = start(loginTo(database.url));
  const { SystemHealthSSE, ErrorMonitoringSSE, ChatbotMetricsSSE } = createProducers(app.client);
  const metrics = {
    activeConversations: 3,
    responseTime: 800,
    successRate: 0.98,
    tokenUsage: 5000,
    cost: 1.25,
  };
  const ids = [
    await SystemHealthSSE.notifyLLMAPIHealth("degraded", 5200, { threshold: 2000 }),
    await ErrorMonitoringSSE.notifyCriticalFailure(new Error("no disk left"), "storage", {
      errorId: "err-1",
    }),
    await ChatbotMetricsSSE.notifyMetricsUpdate("b1", "o1", metrics),
    await ChatbotMetricsSSE.notifyCostAlert("b1", "o1", 120.5, 100),
    await emit(app.client, {
      type: "user_activity",
      organizationId: "o1",
      userId: "u2",
      data: { userId: "u2", action: "login" },
    }),
  ];
  const events = await eventsUntil(ids.at(-1) ?? "");
  expect(events.map(({ id }) => id)).toEqual(ids);
  expect(events.map(({ type, organizationId, priority }) => [type, organizationId, priority])).toEqual([
    ["system_health", undefined, "high"],
    ["error_notification", undefined, "critical"],
    ["chatbot_metrics", "o1", "low"],
    ["performance_alert", "o1", "high"],
    ["user_activity", "o1", "medium"],
  ]);
  expect(events[0]?.data).toMatchObject({ component: "llm_api", value: 5200, threshold: 2000 });
  expect(events[1]?.data).toMatchObject({
    errorId: "err-1",
    message: "no disk left",
    userImpact: "critical",
  });
  expect(events[2]?.data).toEqual(metrics);
  expect(events[3]?.data).toMatchObject({ metric: "cost", value: 120.5, status: "firing", chatbotId: "b1" });
});

it("a role that writes only its own tables may not announce; two rights more, and it may, and no more than that", async () => {
  const role = `app_${randomBytes(6).toString("hex")}`;
  await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'app'`);
  closing.push(async () => {
    await database.query(`DROP OWNED BY ${role}`);
    await database.query(`DROP ROLE ${role}`);
  });
  const { client } = nodePostgres({ ...loginTo(database.url), user: role, password: "app" });
  const { SystemHealthSSE } = createProducers(client);
  await expect(SystemHealthSSE.notifyDatabaseHealth("healthy", 3)).rejects.toThrow(
    "permission denied for schema rowcast",
  );

  // As docs/roles.md says.
  await database.query(`GRANT USAGE ON SCHEMA rowcast TO ${role}`);
  await database.query(
    `GRANT EXECUTE ON FUNCTION rowcast.emit(text, text, jsonb, text, text, text, text) TO ${role}`,
  );
  const id = await SystemHealthSSE.notifyDatabaseHealth("healthy", 3);
  expect((await eventsUntil(id)).map(({ type }) => type)).toEqual(["system_health"]);
  await expect(client.query("SELECT id FROM rowcast.outbox", [])).rejects.toThrow("permission denied");
  await expect(client.query("SELECT rowcast.current_cursor()", [])).rejects.toThrow("permission denied");
});
