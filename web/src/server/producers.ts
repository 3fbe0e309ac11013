// The five producers: for one client, or for the one that the app has configured.

import type { QueryClient } from "./client.js";
import { ConversationProducer } from "./conversations.js";
import { DocumentProcessingProducer } from "./documents.js";
import { ErrorMonitoringProducer } from "./errors.js";
import { SystemHealthProducer } from "./health.js";
import { ChatbotMetricsProducer } from "./metrics.js";
import type { ClientSource } from "./producer.js";

/** All five, each under the name that apps import. */
export interface Producers {
  readonly DocumentProcessingSSE: DocumentProcessingProducer;
  readonly ConversationSSE: ConversationProducer;
  readonly SystemHealthSSE: SystemHealthProducer;
  readonly ErrorMonitoringSSE: ErrorMonitoringProducer;
  readonly ChatbotMetricsSSE: ChatbotMetricsProducer;
}

const producersOf = (client: ClientSource): Producers => ({
  DocumentProcessingSSE: new DocumentProcessingProducer(client),
  ConversationSSE: new ConversationProducer(client),
  SystemHealthSSE: new SystemHealthProducer(client),
  ErrorMonitoringSSE: new ErrorMonitoringProducer(client),
  ChatbotMetricsSSE: new ChatbotMetricsProducer(client),
});

/**
 * The five producers for this client, and nothing shared with anybody: for an app with a module of its own
 * (`export const { DocumentProcessingSSE } = createProducers(pool)`), with several databases, or in a test.
 */
export function createProducers(client: QueryClient): Producers {
  return producersOf(() => client);
}

// On the global object, because bundlers of server code make copies of a module, one for each kind of route, and what one copy is told the others must know.
const CONFIGURED = Symbol.for("@rowcast/client/server");

/**
 * Says, once when the app starts, which client the exported producers (`DocumentProcessingSSE` and the others) use. For
 * the whole process; a second call replaces the first, since development servers load an app anew.
 */
export function configure({ client }: { client: QueryClient }): void {
  Object.defineProperty(globalThis, CONFIGURED, { value: client, configurable: true });
}

function configured(): QueryClient {
  const client: unknown = Reflect.get(globalThis, CONFIGURED);
  if (isClient(client)) return client;
  throw new Error(
    "@rowcast/client/server has no database client: call configure({ client }) when the app starts, or take .using(client) or createProducers(client)",
  );
}

function isClient(value: unknown): value is QueryClient {
  return typeof value === "object" && value !== null && "query" in value && typeof value.query === "function";
}

const configuredProducers = producersOf(configured);

/** `document_processing` events, through the client that was configured. */
export const DocumentProcessingSSE: DocumentProcessingProducer = configuredProducers.DocumentProcessingSSE;

/** `conversation_activity` events, through the client that was configured. */
export const ConversationSSE: ConversationProducer = configuredProducers.ConversationSSE;

/** `system_health` events, through the client that was configured. */
export const SystemHealthSSE: SystemHealthProducer = configuredProducers.SystemHealthSSE;

/** `error_notification` events, through the client that was configured. */
export const ErrorMonitoringSSE: ErrorMonitoringProducer = configuredProducers.ErrorMonitoringSSE;

/** `chatbot_metrics` and `performance_alert` events, through the client that was configured. */
export const ChatbotMetricsSSE: ChatbotMetricsProducer = configuredProducers.ChatbotMetricsSSE;
