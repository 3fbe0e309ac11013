// What the producers need of a database client, and how a client of another shape is given that one.

/** Anything that runs one statement: a Pool, a Client or a PoolClient of node-postgres, as it is. */
export interface QueryClient {
  query(sql: string, params: (string | null)[]): PromiseLike<{ readonly rows: readonly unknown[] }>;
}

/** What `fromPostgresJs` takes: the `sql` of postgres.js, or the one that `sql.begin` hands to its callback. */
export interface PostgresJs {
  unsafe(query: string, params?: (string | null)[]): PromiseLike<readonly unknown[]>;
}

/**
 * postgres.js as a {@link QueryClient}.
 *
 *     const sql = postgres();
 *     configure({ client: fromPostgresJs(sql) });
 *     await sql.begin((tx) => DocumentProcessingSSE.using(fromPostgresJs(tx)).notifyUploadStarted(…));
 */
export function fromPostgresJs(sql: PostgresJs): QueryClient {
  return { query: async (text, params) => ({ rows: await sql.unsafe(text, params) }) };
}
