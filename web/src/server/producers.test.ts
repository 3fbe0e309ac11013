import type pg from "pg";
import type postgres from "postgres";
import { beforeEach, expect, it, vi } from "vitest";
import { FakeClient } from "../testing/queryClient.js";
import {
  ChatbotMetricsSSE,
  ConversationSSE,
  configure,
  createProducers,
  DocumentProcessingSSE,
  ErrorMonitoringSSE,
  fromPostgresJs,
  type QueryClient,
  SystemHealthSSE,
} from "./index.js";

let client: FakeClient;
beforeEach(() => {
  client = new FakeClient();
  configure({ client });
});

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
