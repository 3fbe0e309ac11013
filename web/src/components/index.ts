"use client";

// `@rowcast/client/components`. Styled by `@rowcast/client/styles.css`.

export { AlertList, type AlertListProps } from "./AlertList.js";
export { ConversationMonitor, type ConversationMonitorProps } from "./ConversationMonitor.js";
export {
  DocumentProcessingMonitor,
  type DocumentProcessingMonitorProps,
} from "./DocumentProcessingMonitor.js";
export { ErrorFeed, type ErrorFeedProps } from "./ErrorFeed.js";
export { EventList, type EventListProps } from "./EventList.js";
export { MetricsMonitor, type MetricsMonitorProps } from "./MetricsMonitor.js";
export type { Inspect } from "./parts/Row.js";
export { SSEDashboard, type SSEDashboardProps } from "./SSEDashboard.js";
export { StatusIndicator, type StatusIndicatorProps } from "./StatusIndicator.js";
export { SystemHealthMonitor, type SystemHealthMonitorProps } from "./SystemHealthMonitor.js";
export { UserActivityFeed, type UserActivityFeedProps } from "./UserActivityFeed.js";
export type { Scope } from "./useProjection.js";
