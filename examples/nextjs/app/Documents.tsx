"use client";

// The rows that the server has loaded, kept up to date by events from the cursor on.

import type { EventOf } from "@rowcast/client";
import { StatusIndicator } from "@rowcast/client/components";
import { useConnection, useRowcastEvents } from "@rowcast/client/react";
import "@rowcast/client/styles.css";
import { useRouter } from "next/navigation";
import { useState } from "react";
import type { DocumentRow } from "../lib/documents";

const SUBSCRIPTIONS = ["document_processing"] as const;

export function Documents({ loaded, cursor }: { loaded: DocumentRow[]; cursor: string }) {
  const router = useRouter();
  const { status } = useConnection();
  const [shown, setShown] = useState({ cursor, documents: loaded });
  // The server has loaded the rows again: they contain all that came up to their own cursor.
  if (shown.cursor !== cursor) setShown({ cursor, documents: loaded });

  useRowcastEvents({
    subscriptions: SUBSCRIPTIONS,
    since: cursor,
    onEvent: (event) =>
      setShown((before) => ({ ...before, documents: withEvent(before.documents, event) })),
    // What was missed can no longer be had: load again.
    onReset: () => router.refresh(),
  });

  return (
    <>
      <StatusIndicator status={status} />
      <ul aria-label="Documents">
        {shown.documents.map(({ id, filename, stage, progress }) => (
          <li key={id} data-id={id}>
            {filename}: {stage}, {progress} %
          </li>
        ))}
      </ul>
    </>
  );
}

/** The newest on top, as they were loaded. */
function withEvent(documents: DocumentRow[], { operation, data }: EventOf<"document_processing">): DocumentRow[] {
  const { documentId: id, filename, stage, progress } = data;
  if (operation === "DELETE") return documents.filter((document) => document.id !== id);
  const changed = { id, filename, stage, progress };
  if (documents.some((document) => document.id === id))
    return documents.map((document) => (document.id === id ? changed : document));
  return [changed, ...documents];
}
