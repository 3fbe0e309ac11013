import { beforeEach, expect, it } from "vitest";
import { FakeClient } from "../testing/queryClient.js";
import { configure, DocumentProcessingSSE, InvalidEventError } from "./index.js";

let client: FakeClient;
beforeEach(() => {
  client = new FakeClient();
  configure({ client });
});

const envelope = { userId: null, chatbotId: null, sessionId: null };

const document = ["doc-1", "prod-1", "org-1", "guide.pdf"] as const;
const base = { documentId: "doc-1", productId: "prod-1", filename: "guide.pdf" };
const steps: [string, () => Promise<string>, object, string][] = [
  [
    "notifyUploadStarted",
    () => DocumentProcessingSSE.notifyUploadStarted(...document),
    { stage: "upload", progress: 0, status: "processing" },
    "medium",
  ],
  [
    "notifyOCRProgress",
    () => DocumentProcessingSSE.notifyOCRProgress(...document, 37.5),
    { stage: "ocr", progress: 37.5, status: "processing" },
    "medium",
  ],
  [
    "notifyChunkingStarted",
    () => DocumentProcessingSSE.notifyChunkingStarted(...document),
    { stage: "chunking", progress: 45, status: "processing" },
    "medium",
  ],
  [
    "notifyEmbeddingStarted",
    () => DocumentProcessingSSE.notifyEmbeddingStarted(...document, { progress: 70 }),
    { stage: "embedding", progress: 70, status: "processing" },
    "medium",
  ],
  [
    "notifyProcessingCompleted",
    () => DocumentProcessingSSE.notifyProcessingCompleted(...document, 8200),
    { stage: "completed", progress: 100, status: "completed", processingTime: 8200 },
    "medium",
  ],
  [
    "notifyProcessingFailed",
    () => DocumentProcessingSSE.notifyProcessingFailed(...document, "no text found", { progress: 30 }),
    { stage: "failed", progress: 30, status: "failed", error: "no text found" },
    "high",
  ],
];
it.each(steps)("%s", async (_, notify, data, priority) => {
  await notify();
  expect(client.announced).toEqual({
    ...envelope,
    type: "document_processing",
    organizationId: "org-1",
    priority,
    data: { ...base, ...data },
  });
});

it("says who did it, and more, when told; a document of no product has no productId", async () => {
  await DocumentProcessingSSE.notifyUploadStarted("doc-1", null, "org-1", "guide.pdf", {
    userId: "user-1",
    priority: "critical",
    metadata: { pages: 12 },
  });
  expect(client.announced).toMatchObject({ userId: "user-1", priority: "critical" });
  expect(client.announced.data).toEqual({
    documentId: "doc-1",
    filename: "guide.pdf",
    stage: "upload",
    progress: 0,
    status: "processing",
    metadata: { pages: 12 },
  });
});

it.each([
  ["documentId", () => DocumentProcessingSSE.notifyUploadStarted("", "prod-1", "org-1", "a.pdf")],
  ["productId", () => DocumentProcessingSSE.notifyUploadStarted("doc-1", " ", "org-1", "a.pdf")],
  ["organizationId", () => DocumentProcessingSSE.notifyUploadStarted("doc-1", null, "", "a.pdf")],
  ["organizationId", () => DocumentProcessingSSE.notifyUploadStarted("doc-1", null, "a\0b", "a.pdf")],
  ["filename", () => DocumentProcessingSSE.notifyUploadStarted("doc-1", null, "org-1", "")],
  ["progress", () => DocumentProcessingSSE.notifyOCRProgress(...document, 100.5)],
  ["progress", () => DocumentProcessingSSE.notifyOCRProgress(...document, -1)],
  ["progress", () => DocumentProcessingSSE.notifyOCRProgress(...document, Number.NaN)],
  ["processingTime", () => DocumentProcessingSSE.notifyProcessingCompleted(...document, -5)],
  ["error", () => DocumentProcessingSSE.notifyProcessingFailed(...document, "")],
  ["userId", () => DocumentProcessingSSE.notifyUploadStarted(...document, { userId: "" })],
])("refuses a bad %s before any SQL", async (field, notify) => {
  await expect(notify()).rejects.toSatisfy(
    (error) => error instanceof InvalidEventError && error.field === field,
  );
  expect(client.calls).toEqual([]);
});
