// Documents on their way through processing.

import type { DocumentProcessing } from "../protocol.js";
import type { QueryClient } from "./client.js";
import type { EmitOptions } from "./emit.js";
import { checkNumber, checkOptionalText, checkText, present } from "./input.js";
import { Producer } from "./producer.js";

/** What a step of a document may say besides. */
export interface DocumentOptions extends EmitOptions {
  /** Percent of the whole way. Each method says what it is otherwise. */
  progress?: number | undefined;
  metadata?: Record<string, unknown> | undefined;
}

/** Where each stage begins, in percent of the whole way, unless the app says so itself. */
const BEGINS = { upload: 0, chunking: 45, embedding: 60 };

/** `document_processing` events. Every method returns the id of the event in the outbox. */
export class DocumentProcessingProducer extends Producer {
  override using(client: QueryClient): DocumentProcessingProducer {
    return new DocumentProcessingProducer(() => client);
  }

  /** Stage `upload`, at 0 percent. */
  async notifyUploadStarted(
    documentId: string,
    productId: string | null,
    organizationId: string,
    filename: string,
    options: DocumentOptions = {},
  ): Promise<string> {
    const { progress = BEGINS.upload } = options;
    return this.#announce(documentId, productId, organizationId, filename, options, {
      stage: "upload",
      status: "processing",
      progress,
    });
  }

  /** Stage `ocr`. `progress` is percent of the whole way, 0 to 100, and is sent as it is. */
  async notifyOCRProgress(
    documentId: string,
    productId: string | null,
    organizationId: string,
    filename: string,
    progress: number,
    options: Omit<DocumentOptions, "progress"> = {},
  ): Promise<string> {
    return this.#announce(documentId, productId, organizationId, filename, options, {
      stage: "ocr",
      status: "processing",
      progress,
    });
  }

  /** Stage `chunking`, at 45 percent. */
  async notifyChunkingStarted(
    documentId: string,
    productId: string | null,
    organizationId: string,
    filename: string,
    options: DocumentOptions = {},
  ): Promise<string> {
    const { progress = BEGINS.chunking } = options;
    return this.#announce(documentId, productId, organizationId, filename, options, {
      stage: "chunking",
      status: "processing",
      progress,
    });
  }

  /** Stage `embedding`, at 60 percent. */
  async notifyEmbeddingStarted(
    documentId: string,
    productId: string | null,
    organizationId: string,
    filename: string,
    options: DocumentOptions = {},
  ): Promise<string> {
    const { progress = BEGINS.embedding } = options;
    return this.#announce(documentId, productId, organizationId, filename, options, {
      stage: "embedding",
      status: "processing",
      progress,
    });
  }

  /** Stage `completed`, at 100 percent. `processingTime` in milliseconds. */
  async notifyProcessingCompleted(
    documentId: string,
    productId: string | null,
    organizationId: string,
    filename: string,
    processingTime: number,
    options: Omit<DocumentOptions, "progress"> = {},
  ): Promise<string> {
    checkNumber("processingTime", processingTime, 0);
    return this.#announce(documentId, productId, organizationId, filename, options, {
      stage: "completed",
      status: "completed",
      progress: 100,
      processingTime,
    });
  }

  /**
   * Stage `failed`, with priority `high`. `error` is what the organization's members may read. `progress` is how far it
   * had come, 0 if the app does not say.
   */
  async notifyProcessingFailed(
    documentId: string,
    productId: string | null,
    organizationId: string,
    filename: string,
    error: string,
    options: DocumentOptions = {},
  ): Promise<string> {
    const { progress = 0, priority = "high" } = options;
    checkText("error", error);
    return this.#announce(
      documentId,
      productId,
      organizationId,
      filename,
      { ...options, priority },
      {
        stage: "failed",
        status: "failed",
        progress,
        error,
      },
    );
  }

  #announce(
    documentId: string,
    productId: string | null,
    organizationId: string,
    filename: string,
    { metadata, progress: _, ...options }: DocumentOptions,
    step: Omit<DocumentProcessing, "documentId" | "productId" | "filename" | "metadata">,
  ): Promise<string> {
    checkText("documentId", documentId);
    checkOptionalText("productId", productId);
    checkText("organizationId", organizationId);
    checkText("filename", filename);
    checkNumber("progress", step.progress, 0, 100);
    const data = present({ documentId, productId: productId ?? undefined, filename, ...step, metadata });
    return this.emit({ ...options, type: "document_processing", organizationId, data });
  }
}
