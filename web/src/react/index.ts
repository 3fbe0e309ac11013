"use client";

// `@rowcast/client/react`.

export {
  type DocumentProcessingEvents,
  type PerformanceAlerts,
  type SystemHealthEvents,
  useChatbotMetricsEvents,
  useConversationEvents,
  useDocumentProcessingEvents,
  useErrorEvents,
  usePerformanceAlerts,
  useSystemHealthEvents,
  useUserActivityEvents,
} from "./eventHooks.js";
export { RowcastProvider, type RowcastProviderProps } from "./RowcastProvider.js";
export { type UseConnectionResult, useConnection } from "./useConnection.js";
export { type RowcastEventsOptions, useRowcastEvents } from "./useRowcastEvents.js";
export { type UseSSEOptions, type UseSSEResult, useSSE } from "./useSSE.js";
