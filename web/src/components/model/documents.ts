// Documents on their way through the stages of processing.

import type { EventOf } from "../../protocol.js";
import { type Item, place } from "./list.js";
import { number, text } from "./read.js";

export const STAGES: readonly string[] = ["upload", "ocr", "chunking", "embedding", "indexing"];

export interface DocumentItem extends Item {
  readonly filename: string;
  /** None for a table whose rows are sent as they are, and say nothing of stages. */
  readonly stage: string | undefined;
  /** 0 to 100. */
  readonly progress: number;
  readonly status: string;
  readonly error: string | undefined;
  /** Milliseconds. */
  readonly processingTime: number | undefined;
  /** Where it was when it failed; otherwise where it is. */
  readonly reached: string | undefined;
}

const MAX = 40;

export function foldDocument(list: readonly DocumentItem[], event: EventOf<"document_processing">) {
  const { data } = event;
  const key = text(data.documentId) ?? event.key ?? event.id;
  return place(list, event, key, MAX, (former): DocumentItem => {
    const row: Readonly<Record<string, unknown>> = { ...data };
    const stage = text(data.stage);
    const inProgress = stage !== undefined && STAGES.includes(stage);
    return {
      key,
      event,
      filename: text(data.filename) ?? text(row.title) ?? text(row.name) ?? key,
      stage,
      progress: Math.min(100, Math.max(0, number(data.progress) ?? 0)),
      status: text(data.status) ?? (stage ? "processing" : event.operation.toLowerCase()),
      error: text(data.error),
      processingTime: number(data.processingTime),
      reached: inProgress || !former ? stage : former.reached,
    };
  });
}
