// A database of its own for each test, with one table whose rows are events.

import { randomBytes } from "node:crypto";
import pg from "pg";

const ADMIN_URL = process.env.DATABASE_URL;

export class Database {
  readonly url: string;
  readonly #clients: pg.Client[] = [];

  private constructor(url: string) {
    this.url = url;
  }

  /** One that is there already, and that is somebody else's to drop. */
  static at(url: string): Database {
    return new Database(url);
  }

  static async create(): Promise<Database> {
    if (!ADMIN_URL) throw new Error("DATABASE_URL must name a Postgres in which databases may be created");
    const name = `rowcast_e2e_${randomBytes(6).toString("hex")}`;
    await asAdmin(ADMIN_URL, `CREATE DATABASE ${name}`);
    const url = new URL(ADMIN_URL);
    url.pathname = `/${name}`;
    return new Database(url.href);
  }

  async query<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    const client = this.#clients[0] ?? (await this.connect());
    const { rows } = await client.query<Row>(sql, values);
    return rows;
  }

  /** A connection of its own, for a transaction that stays open. */
  async connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.url });
    this.#clients.push(client);
    await client.connect();
    return client;
  }

  /** Makes a documents table, attaches it, and lets `u1` see organization `o1`. */
  async attachDocuments(): Promise<void> {
    await this.query(`
      CREATE TABLE documents (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        organization_id text NOT NULL DEFAULT 'o1',
        filename text NOT NULL,
        stage text NOT NULL DEFAULT 'upload',
        progress integer NOT NULL DEFAULT 0
      )`);
    await this.query("INSERT INTO rowcast.memberships VALUES ('u1', 'o1', 'admin')");
    await this.query(`
      SELECT rowcast.attach('documents', 'document_processing',
        organization_id => 'r.organization_id',
        data => $$jsonb_build_object('documentId', r.id::text, 'filename', r.filename, 'stage', r.stage,
          'progress', r.progress, 'status', CASE r.stage WHEN 'completed' THEN 'completed' ELSE 'processing' END)$$)`);
  }

  async insertDocuments(name: string, count: number): Promise<void> {
    await this.query("INSERT INTO documents (filename) SELECT $1 || n FROM generate_series(1, $2) n", [
      name,
      count,
    ]);
  }

  /** The ids of all events so far. */
  async outboxIds(): Promise<string[]> {
    const rows = await this.query<{ id: string }>("SELECT id::text FROM rowcast.outbox ORDER BY outbox.id");
    return rows.map(({ id }) => id);
  }

  /** All that was written has gone for its age, as after a week without anybody. No server may be running. */
  async expireHistory(): Promise<void> {
    await this.query("UPDATE rowcast.outbox SET created_at = created_at - interval '30 days'");
    await this.query(`
      UPDATE rowcast.settled SET undecided = int8multirange(int8range((SELECT max(id) FROM rowcast.outbox) + 1, NULL))`);
    // One step a call, until there is nothing to do.
    while ((await this.query("SELECT rowcast.maintain()")).length > 0);
    const left = await this.query("SELECT FROM rowcast.outbox");
    if (left.length > 0) throw new Error(`${left.length} events have not expired`);
  }

  /** Ends its connections; the next query opens another. */
  async close(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.end()));
  }

  async drop(): Promise<void> {
    await this.close();
    const name = new URL(this.url).pathname.slice(1);
    if (ADMIN_URL) await asAdmin(ADMIN_URL, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  }
}

async function asAdmin(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
