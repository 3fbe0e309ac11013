// Documents on their way through the stages of processing.

import type { EventOf } from "../../protocol.js";
import { type Item, place } from "./list.js";
import type { Projection } from "./projection.js";
import { number, text } from "./read.js";

export const STAGES: readonly string[] = ["upload", "ocr", "chunking", "embedding", "indexing"];
export type Standing = "processing" | "completed" | "failed";

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
  /** The place in `STAGES` where it is, or was when it ended; -1 when it was in none. */
  readonly reached: number;
  /** How often it set out: 2 when it began again after it had ended, or fell back to an earlier stage. */
  readonly attempts: number;
}

/** Enough for several hundred at once; beyond it, those that have ended go first. */
const MAX = 500;

export const documents: Projection<"document_processing", readonly DocumentItem[]> = {
  type: "document_processing",
  empty: [],
  apply(list, event) {
    const key = text(event.data.documentId) ?? event.key ?? event.id;
    return place(list, event, key, MAX, (former) => itemOf(key, event, former), hasEnded);
  },
};

export const hasEnded = ({ status }: DocumentItem): boolean => status === "completed" || status === "failed";

/** How many are in each stage, and how many have ended which way. */
export function countByStage(list: readonly DocumentItem[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { stage, status } of list) {
    const place = status === "completed" || status === "failed" ? status : (stage ?? status);
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return counts;
}

function itemOf(
  key: string,
  event: EventOf<"document_processing">,
  former: DocumentItem | undefined,
): DocumentItem {
  const { data } = event;
  const row: Readonly<Record<string, unknown>> = { ...data };
  const stage = text(data.stage);
  const at = STAGES.indexOf(stage ?? "");
  const status = text(data.status) ?? standing(stage) ?? event.operation.toLowerCase();
  const again = former !== undefined && at >= 0 && (hasEnded(former) || at < former.reached);
  return {
    key,
    event,
    filename: text(data.filename) ?? text(row.title) ?? text(row.name) ?? key,
    stage,
    progress: Math.min(100, Math.max(0, number(data.progress) ?? 0)),
    status,
    error: text(data.error),
    processingTime: number(data.processingTime),
    reached: at >= 0 ? at : (former?.reached ?? -1),
    attempts: (former?.attempts ?? 1) + (again ? 1 : 0),
  };
}

function standing(stage: string | undefined): Standing | undefined {
  if (stage === undefined) return undefined;
  return stage === "completed" || stage === "failed" ? stage : "processing";
}
