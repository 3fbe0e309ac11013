// `@rowcast/client/server`: announces what has no row. For Node and its like; nothing in here needs a browser.

export { fromPostgresJs, type PostgresJs, type QueryClient } from "./client.js";
export type { ConversationOptions, ConversationProducer } from "./conversations.js";
export type { DocumentOptions, DocumentProcessingProducer } from "./documents.js";
export { type Announcement, type EmitOptions, emit } from "./emit.js";
export type { ErrorMonitoringProducer, ErrorOptions, PlatformErrorOptions } from "./errors.js";
export type { HealthOptions, SystemHealthProducer, SystemMetricsOptions } from "./health.js";
export { InvalidEventError } from "./input.js";
export type { AlertOptions, ChatbotMetricsProducer, MetricsOptions } from "./metrics.js";
export type { ClientSource, Producer } from "./producer.js";
export {
  ChatbotMetricsSSE,
  ConversationSSE,
  configure,
  createProducers,
  DocumentProcessingSSE,
  ErrorMonitoringSSE,
  type Producers,
  SystemHealthSSE,
} from "./producers.js";
