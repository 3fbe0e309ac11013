// The app's database, and what it announces there. The rest of the app imports both from here.

import { createProducers } from "@rowcast/client/server";
import pg from "pg";

// A development server loads this file anew after each change; the connections stay.
const kept = globalThis as { pool?: pg.Pool };
kept.pool ??= new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 5 });
const pool = kept.pool;

/** Outside of a transaction these write at once; within one take `.using(client)`. */
export const { DocumentProcessingSSE } = createProducers(pool);

/** Runs `work` in one transaction: all of it happens, or nothing. */
export async function transaction<Result>(
  begin: "BEGIN" | "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  try {
    await client.query(begin);
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}
