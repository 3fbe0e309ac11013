// Documents as pages show them.

import type { PoolClient } from "pg";
import { transaction } from "./database";

export interface DocumentRow {
  id: string;
  filename: string;
  stage: string;
  progress: number;
}

/**
 * The newest documents, and the cursor that says which events they already contain. Both are read in one snapshot: a stream that begins at
 * the cursor brings exactly what is not in the rows.
 */
export function loadDocuments(organizationId: string): Promise<{ documents: DocumentRow[]; cursor: string }> {
  return transaction("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", async (client) => ({
    documents: await newest(client, organizationId),
    cursor: await currentCursor(client),
  }));
}

async function newest(client: PoolClient, organizationId: string): Promise<DocumentRow[]> {
  const { rows } = await client.query<DocumentRow>(
    `SELECT id::text, filename, processing_status AS stage, progress
     FROM chatbot.documents WHERE organization_id = $1 ORDER BY uploaded_at DESC LIMIT 20`,
    [organizationId],
  );
  return rows;
}

async function currentCursor(client: PoolClient): Promise<string> {
  const { rows } = await client.query<{ cursor: string }>("SELECT rowcast.current_cursor() AS cursor");
  return rows[0].cursor;
}
