// What the server sends. Generated from its own definitions by `make types`; a test of the server fails where the two differ.

/**
 * How urgent an event is.
 */
export type Priority = "low" | "medium" | "high" | "critical";

/**
 * What happened to the row; `EMIT` when there was none (`rowcast.emit`).
 */
export type Operation = "INSERT" | "UPDATE" | "DELETE" | "TRUNCATE" | "EMIT";

/**
 * What every event carries around its `data`. A field that does not apply is absent, never null.
 */
export type EnvelopeHead = {
  /**
   * The outbox id: decimal digits, not a number, because it may pass 2^53.
   */
  id: string;
  /**
   * One of `rowcast.event_types`.
   */
  type: string;
  /**
   * When the row was written: RFC 3339 in UTC, to the microsecond.
   */
  timestamp: string;
  /**
   * The organization that it belongs to; absent for what is platform-wide.
   */
  organizationId?: string;
  /**
   * The user it concerns.
   */
  userId?: string;
  /**
   * The chatbot it concerns.
   */
  chatbotId?: string;
  /**
   * The conversation or login session it concerns.
   */
  sessionId?: string;
  /**
   * How urgent it is.
   */
  priority: Priority;
  /**
   * What happened to the row.
   */
  operation: Operation;
  /**
   * `schema.table` of the row; absent for `rowcast.emit`.
   */
  source?: string;
  /**
   * The row's primary key as text; a JSON array when it is composite.
   */
  key?: string;
  /**
   * The transaction that wrote it: decimal digits. Events of one transaction have the same.
   */
  txid?: string;
};

/**
 * The built-in event types, each with its data.
 */
export type Payload =
  | { type: "document_processing"; data: DocumentProcessing }
  | { type: "conversation_activity"; data: ConversationActivity }
  | { type: "system_health"; data: SystemHealth }
  | { type: "error_notification"; data: ErrorNotification }
  | { type: "chatbot_metrics"; data: ChatbotMetrics }
  | { type: "user_activity"; data: UserActivity }
  | { type: "performance_alert"; data: PerformanceAlert };

/**
 * `document_processing`: a document on its way from upload to search.
 */
export type DocumentProcessing = {
  /**
   * The document.
   */
  documentId: string;
  /**
   * The product that it is about.
   */
  productId?: string;
  /**
   * As it was uploaded.
   */
  filename: string;
  /**
   * Where it is.
   */
  stage: DocumentStage;
  /**
   * Percent of the whole way: 0 to 100.
   */
  progress: number;
  /**
   * Whether it is still under way.
   */
  status: DocumentStatus;
  /**
   * Why it failed.
   */
  error?: string;
  /**
   * From upload to the end, in milliseconds.
   */
  processingTime?: number;
  /**
   * Whatever else the app tells of it.
   */
  metadata?: Record<string, unknown>;
};

/**
 * The stages of a document, in their order; the last two are ends.
 */
export type DocumentStage = "upload" | "ocr" | "chunking" | "embedding" | "indexing" | "completed" | "failed";

/**
 * Whether a document is still under way.
 */
export type DocumentStatus = "processing" | "completed" | "failed";

/**
 * `conversation_activity`: a message, and each change of one that is being written.
 */
export type ConversationActivity = {
  /**
   * The message.
   */
  messageId: string;
  /**
   * Who speaks.
   */
  messageType: MessageType;
  /**
   * The text. `[FILTERED]` for viewers without `admin`.
   */
  content?: string;
  /**
   * How far it is, in the app's own words: `generating`, `completed`, `failed`.
   */
  status: string;
  /**
   * From the question to the answer, in milliseconds.
   */
  responseTime?: number;
  /**
   * Why there is no answer. `[FILTERED]` for viewers without `admin`.
   */
  error?: string;
  /**
   * Whatever else the app tells of it.
   */
  metadata?: Record<string, unknown>;
};

/**
 * Who speaks in a conversation.
 */
export type MessageType = "user_message" | "bot_response" | "system_message";

/**
 * `system_health`: one measurement of a part of the platform.
 */
export type SystemHealth = {
  /**
   * What was measured.
   */
  component: HealthComponent;
  /**
   * What that means.
   */
  status: HealthStatus;
  /**
   * The figure's name, with its unit: `query_ms`.
   */
  metric: string;
  /**
   * The figure.
   */
  value: number;
  /**
   * From where on it is no longer healthy.
   */
  threshold?: number;
  /**
   * For people.
   */
  message: string;
  /**
   * What to do about it.
   */
  recommendation?: string;
};

/**
 * The parts of the platform whose health is watched.
 */
export type HealthComponent = "database" | "vector_search" | "llm_api" | "document_processing" | "general";

/**
 * How well something is.
 */
export type HealthStatus = "healthy" | "degraded" | "down";

/**
 * `error_notification`: something went wrong in the app.
 */
export type ErrorNotification = {
  /**
   * This occurrence.
   */
  errorId: string;
  /**
   * Where: a part of the app, by its own names.
   */
  component: string;
  /**
   * How bad it is for the app.
   */
  severity: Priority;
  /**
   * For people.
   */
  message: string;
  /**
   * Left out for viewers without `admin`.
   */
  stackTrace?: string;
  /**
   * How bad it is for whoever uses the app.
   */
  userImpact: UserImpact;
  /**
   * What was done, or is to be done, about it.
   */
  resolution?: string;
  /**
   * The issue in Sentry. Left out for viewers without `admin`.
   */
  sentryIssueId?: string;
};

/**
 * How bad an error is for whoever uses the app.
 */
export type UserImpact = "none" | "minor" | "major" | "critical";

/**
 * `chatbot_metrics`: the figures of a chatbot's day so far.
 */
export type ChatbotMetrics = {
  /**
   * Conversations under way.
   */
  activeConversations: number;
  /**
   * From a question to its answer on average, in milliseconds.
   */
  responseTime: number;
  /**
   * The share of questions that were answered: 0 to 1.
   */
  successRate: number;
  /**
   * Tokens of the language model.
   */
  tokenUsage: number;
  /**
   * What they cost, in US dollars.
   */
  cost: number;
  /**
   * What visitors say, 1 to 5 on average.
   */
  userSatisfaction?: number;
  /**
   * How the figures move, by whatever names the app gives that.
   */
  trends?: Record<string, unknown>;
};

/**
 * `user_activity`: what a colleague did.
 */
export type UserActivity = {
  /**
   * Who.
   */
  userId: string;
  /**
   * What, by the app's own names.
   */
  action: string;
  /**
   * The session in which they were signed in.
   */
  sessionId?: string;
  /**
   * Whatever else the app tells of it.
   */
  metadata?: Record<string, unknown>;
};

/**
 * `performance_alert`: a figure has passed its threshold, or is back.
 */
export type PerformanceAlert = {
  /**
   * The figure's name, with its unit: `response_time_ms`.
   */
  metric: string;
  /**
   * The figure.
   */
  value: number;
  /**
   * What it has passed.
   */
  threshold: number;
  /**
   * Whether it is still beyond.
   */
  status: AlertStatus;
  /**
   * For people.
   */
  message: string;
  /**
   * The chatbot whose figure it is.
   */
  chatbotId?: string;
};

/**
 * Whether an alert is over.
 */
export type AlertStatus = "firing" | "resolved";

/**
 * Made by the server for one stream; never in the outbox, so it has no id.
 */
export type ConnectionStatusEvent = {
  /**
   * Always this.
   */
  type: "connection_status";
  /**
   * When the server said it, by its own clock: RFC 3339 in UTC.
   */
  timestamp: string;
  /**
   * What it says.
   */
  data: ConnectionStatus;
};

/**
 * What the server has to say of the connection itself (`connection_status`). Never in the outbox.
 */
export type ConnectionStatus =
  | {
      status: "connected";
      /**
       * Names this connection in later requests.
       */
      connectionId: string;
      /**
       * The types that will be sent.
       */
      subscriptions: Array<string>;
      /**
       * The organizations whose events will be sent; absent for platform staff, who get those of all.
       */
      organizations?: Array<string>;
    }
  | {
      status: "reset";
      /**
       * Why.
       */
      reason: ResetReason;
    }
  | { status: "degraded" }
  | { status: "recovered" }
  | {
      status: "access_changed";
      /**
       * The types that will be sent from now on.
       */
      subscriptions: Array<string>;
      /**
       * The organizations whose events will be sent from now on; absent for platform staff, who get those of all.
       */
      organizations?: Array<string>;
    }
  | {
      status: "token_expiring";
      /**
       * When: RFC 3339 in UTC.
       */
      expiresAt: string;
    }
  | {
      status: "closing";
      /**
       * Why.
       */
      reason: CloseReason;
    };

/**
 * Why a cursor is of no use, and the stream goes on from the frame's id instead.
 */
export type ResetReason = "invalid_cursor" | "history_expired" | "cursor_ahead";

/**
 * Why a stream ends.
 */
export type CloseReason = "unavailable" | "token_expired" | "access_revoked" | "max_stream" | "disconnected";

/**
 * The body of every answer that is not a success.
 */
export type ErrorBody = {
  /**
   * Always false.
   */
  success: false;
  /**
   * What was wrong.
   */
  error: ErrorDescription;
};

/**
 * What was wrong with a request.
 */
export type ErrorDescription = {
  /**
   * For programs.
   */
  code: ErrorCode;
  /**
   * For people. It never repeats what was sent.
   */
  message: string;
};

/**
 * What was wrong with a request. There may be more in servers to come.
 */
export type ErrorCode =
  | "invalid_query"
  | "unknown_event_type"
  | "no_valid_subscription"
  | "invalid_wait"
  | "invalid_limit"
  | "invalid_event"
  | "token_required"
  | "token_expired"
  | "invalid_token"
  | "invalid_ticket"
  | "invalid_signature"
  | "url_tokens_off"
  | "origin_not_allowed"
  | "not_a_member"
  | "permission_required"
  | "invalid_body"
  | "unsupported_media_type"
  | "body_too_large"
  | "request_timeout"
  | "length_required"
  | "invalid_action"
  | "invalid_since"
  | "invalid_webhook"
  | "stale_webhook"
  | "other_user"
  | "event_not_found"
  | "connection_not_found"
  | "connection_unanswered"
  | "server_full"
  | "too_many_connections_from_address"
  | "too_many_connections"
  | "too_many_requests"
  | "not_found"
  | "method_not_allowed"
  | "not_ready"
  | "internal_error";

/**
 * What a poll is answered beside its `events`.
 */
export type PollPosition = {
  /**
   * Ask again with this as `after`. It covers all that was looked at, whether it was for this client or not.
   */
  cursor: string;
  /**
   * The cursor that was asked with is of no use, and this is why: fetch the data anew, and go on from `cursor`.
   */
  reset?: ResetReason;
};

/**
 * What is answered when a change of an open stream is in force.
 */
export type CommandAnswer = {
  /**
   * Always true.
   */
  success: true;
  /**
   * What was done.
   */
  message: CommandDone;
  /**
   * The types that are sent from now on.
   */
  eventTypes: Array<string>;
  /**
   * When the stream ends, unless it is renewed.
   */
  expiresAt: string;
};

/**
 * What was done to an open stream.
 */
export type CommandDone = "subscribed" | "unsubscribed" | "renewed";

/**
 * A ticket for a browser's own `EventSource`.
 */
export type TicketAnswer = {
  /**
   * Always true.
   */
  success: true;
  /**
   * Goes into the URL, as `ticket`.
   */
  ticket: string;
  /**
   * When it is of no use any more: the end of the token that it was made for.
   */
  expiresAt: string;
  /**
   * By when it has to be used for the first time.
   */
  firstUseBefore: string;
};

/**
 * What is answered by `GET /api/v1/realtime/explain`.
 */
export type ExplanationAnswer = {
  /**
   * Always true.
   */
  success: true;
  /**
   * Why.
   */
  data: Explanation;
};

/**
 * Why the user who asks sees an event.
 */
export type Explanation = {
  /**
   * The event, as in the question.
   */
  eventId: string;
  /**
   * Its type.
   */
  eventType: string;
  /**
   * Whom it is for, before permissions are looked at.
   */
  audience: Audience;
  /**
   * The organization that it belongs to; absent for what is platform-wide.
   */
  organizationId?: string;
  /**
   * The permission that its type requires; absent where membership is enough.
   */
  requiredPermission?: string;
  /**
   * Whether it is delivered: an open stream of the user's includes it.
   */
  delivered: boolean;
  /**
   * What each rule of docs/access.md says, in the order in which servers go by them.
   */
  rules: Array<ExplainedRule>;
  /**
   * The fields that this user gets removed or replaced.
   */
  hidden: Array<HiddenField>;
};

/**
 * Whom an event is for, of those that anybody may see.
 */
export type Audience = "organization" | "platform" | "user";

/**
 * What one rule says.
 */
export type ExplainedRule = {
  /**
   * Its name in docs/access.md.
   */
  rule: string;
  /**
   * Whether it lets the event pass; absent where it only tells something.
   */
  passes?: boolean;
  /**
   * For people.
   */
  detail: string;
};

/**
 * A field of `data` that a user does not get as it is.
 */
export type HiddenField = {
  /**
   * The way to it through the objects of `data`.
   */
  path: Array<string>;
  /**
   * Whoever holds this sees it.
   */
  permission: string;
  /**
   * What stands in its place; absent where it is removed.
   */
  replacement?: unknown;
};

/**
 * What is answered by `GET /api/v1/realtime/stats`.
 */
export type StatisticsAnswer = {
  /**
   * Always true.
   */
  success: true;
  /**
   * Who is connected.
   */
  data: Statistics;
};

/**
 * Who is connected, on all servers.
 */
export type Statistics = {
  /**
   * Streams that are open.
   */
  totalConnections: number;
  /**
   * Those whose client took something within the last three heartbeats.
   */
  activeConnections: number;
  /**
   * How many streams each user has.
   */
  connectionsByUser: Record<string, number>;
  /**
   * How many streams each organization has. Those of platform staff, who are in every organization, count for none.
   */
  connectionsByOrganization: Record<string, number>;
  /**
   * On how many streams each type is sent.
   */
  eventTypes: Record<string, number>;
  /**
   * Now, by the database's clock.
   */
  timestamp: string;
  /**
   * For how many seconds the server that answers has been running.
   */
  serverUptime: number;
  /**
   * How late events are on all servers.
   */
  deliveryLag: OverallLag;
  /**
   * Each server; null for whoever may not know of all organizations.
   */
  servers: Array<ServerStatistics> | null;
};

/**
 * What one server tells of itself, every 5 s.
 */
export type ServerStatistics = {
  /**
   * Made up at its start.
   */
  id: string;
  /**
   * When it started.
   */
  startedAt: string;
  /**
   * Streams that are open on it.
   */
  connections: number;
  /**
   * Streams that were opened on it since it started.
   */
  connectionsOpened: number;
  /**
   * Events that it has read from the outbox since then, by type.
   */
  eventsRead: Record<string, number>;
  /**
   * Events that it has sent since then, each once for every client.
   */
  eventsSent: number;
  /**
   * How late they were; null where nothing was sent of late.
   */
  deliveryLag: DeliveryLag | null;
};

/**
 * From a row's writing to the socket, over the last seconds.
 */
export type DeliveryLag = {
  /**
   * On average, in milliseconds.
   */
  meanMs: number;
  /**
   * At most, in milliseconds.
   */
  maxMs: number;
};

/**
 * As one server's, over all servers; null where nothing was sent of late.
 */
export type OverallLag = {
  /**
   * On average, in milliseconds.
   */
  meanMs: number | null;
  /**
   * At most, in milliseconds.
   */
  maxMs: number | null;
};
