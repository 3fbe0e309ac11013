// What the server sends: the envelope, the built-in event types and the connection's own status messages.
// One plain file without imports, so that it can be generated from the server's definitions.

/** How urgent an event is. */
export type Priority = "low" | "medium" | "high" | "critical";

/** What happened to the row; `EMIT` when there was none (`rowcast.emit`). */
export type Operation = "INSERT" | "UPDATE" | "DELETE" | "TRUNCATE" | "EMIT";

/** What every event carries around its data. A field that does not apply is absent, never null. */
export interface Envelope<Type extends string, Data> {
  /** The outbox id: decimal digits, not a number, because it may pass 2^53. */
  id: string;
  type: Type;
  /** When the row was written: RFC 3339 in UTC. */
  timestamp: string;
  organizationId?: string;
  userId?: string;
  chatbotId?: string;
  sessionId?: string;
  priority: Priority;
  operation: Operation;
  /** `schema.table` of the row. */
  source?: string;
  /** The row's primary key as text; a JSON array when it is composite. */
  key?: string;
  txid?: string;
  data: Data;
}

export type DocumentStage = "upload" | "ocr" | "chunking" | "embedding" | "indexing" | "completed" | "failed";

export interface DocumentProcessing {
  documentId: string;
  productId?: string;
  filename: string;
  stage: DocumentStage;
  /** 0 to 100. */
  progress: number;
  status: "processing" | "completed" | "failed";
  error?: string;
  /** Milliseconds. */
  processingTime?: number;
  metadata?: Record<string, unknown>;
}

export interface ConversationActivity {
  messageId: string;
  messageType: "user_message" | "bot_response" | "system_message";
  /** `[FILTERED]` for viewers without `admin`. */
  content?: string;
  status: string;
  /** Milliseconds. */
  responseTime?: number;
  /** `[FILTERED]` for viewers without `admin`. */
  error?: string;
  metadata?: Record<string, unknown>;
}

export type HealthStatus = "healthy" | "degraded" | "down";

export interface SystemHealth {
  component: "database" | "vector_search" | "llm_api" | "document_processing" | "general";
  status: HealthStatus;
  metric: string;
  value: number;
  threshold?: number;
  message: string;
  recommendation?: string;
}

export interface ErrorNotification {
  errorId: string;
  component: string;
  severity: Priority;
  message: string;
  /** Left out for viewers without `admin`. */
  stackTrace?: string;
  userImpact: "none" | "minor" | "major" | "critical";
  resolution?: string;
  /** Left out for viewers without `admin`. */
  sentryIssueId?: string;
}

export interface ChatbotMetrics {
  activeConversations: number;
  /** Milliseconds. */
  responseTime: number;
  successRate: number;
  tokenUsage: number;
  cost: number;
  userSatisfaction?: number;
  trends?: Record<string, unknown>;
}

export interface UserActivity {
  userId: string;
  action: string;
  sessionId?: string;
  metadata?: Record<string, unknown>;
}

export interface PerformanceAlert {
  metric: string;
  value: number;
  threshold: number;
  status: "firing" | "resolved";
  message: string;
  chatbotId?: string;
}

/**
 * The data of each type that the outbox holds. An app with types of its own adds them here, and every signature of
 * this package knows them:
 *
 *     declare module "@rowcast/client" {
 *       interface EventData { invoice_paid: { invoiceId: string; amount: string } }
 *     }
 */
export interface EventData {
  document_processing: DocumentProcessing;
  conversation_activity: ConversationActivity;
  system_health: SystemHealth;
  error_notification: ErrorNotification;
  chatbot_metrics: ChatbotMetrics;
  user_activity: UserActivity;
  performance_alert: PerformanceAlert;
}

/** A type that can be subscribed to. */
export type EventType = keyof EventData;

/** An event of the outbox: `switch (event.type)` narrows `event.data`. */
export type OutboxEvent = EventOf<EventType>;

/** The events of these types alone. */
export type EventOf<Types extends EventType> = { [Type in Types]: Envelope<Type, EventData[Type]> }[Types];

/** Why a stream had to start again from `id` instead of from the cursor that was asked for. */
export type ResetReason = "history_expired" | "invalid_cursor" | "cursor_ahead";

/** Why a stream was ended by the server. */
export type CloseReason = "unavailable" | "token_expired" | "access_revoked" | "max_stream" | "disconnected";

/** What a stream covers. */
export interface Coverage {
  /** Types that will be sent, an app's own included. */
  subscriptions: string[];
  /** Absent for platform staff, who get the events of every organization. */
  organizations?: string[];
}

/** What the server says about the connection itself. */
export type ConnectionStatus =
  | ({ status: "connected"; connectionId: string } & Coverage)
  | ({ status: "access_changed" } & Coverage)
  | { status: "reset"; reason: ResetReason }
  | { status: "degraded" }
  | { status: "recovered" }
  | { status: "token_expiring"; expiresAt: string }
  | { status: "closing"; reason: CloseReason };

/** Made by the server for one stream; never in the outbox, so it has no id. */
export interface ConnectionStatusEvent {
  type: "connection_status";
  timestamp: string;
  data: ConnectionStatus;
}

/** Everything that comes on a stream. */
export type RowcastEvent = OutboxEvent | ConnectionStatusEvent;

/** The body of every answer that is not a success. */
export interface ErrorBody {
  success: false;
  error: { code: string; message: string };
}
