// One hook for each thing that a page follows, under the names that the original had.

import { useMemo } from "react";
import type { Envelope, EventData, EventOf, EventType } from "../protocol.js";
import { type UseSSEResult, useSSE } from "./useSSE.js";

/** What {@link useDocumentProcessingEvents} returns. */
export interface DocumentProcessingEvents extends UseSSEResult<"document_processing"> {
  /** The newest event of each document among `events`; the document that moved last comes first. */
  documents: readonly EventOf<"document_processing">[];
}

/** What {@link useSystemHealthEvents} returns. */
export interface SystemHealthEvents extends UseSSEResult<"system_health"> {
  /** The newest event of each component among `events`; the one that spoke last comes first. */
  components: readonly EventOf<"system_health">[];
}

/** What {@link usePerformanceAlerts} returns. */
export interface PerformanceAlerts extends UseSSEResult<"performance_alert"> {
  /** The metrics whose newest event among `events` says `firing`; the newest comes first. */
  firing: readonly EventOf<"performance_alert">[];
}

const DOCUMENTS = ["document_processing"] as const;
const CONVERSATIONS = ["conversation_activity"] as const;
const HEALTH = ["system_health"] as const;
const ERRORS = ["error_notification"] as const;
const METRICS = ["chatbot_metrics"] as const;
const ACTIVITY = ["user_activity"] as const;
const ALERTS = ["performance_alert"] as const;

/** `document_processing`, and the newest event of each document. */
export function useDocumentProcessingEvents(organizationId?: string): DocumentProcessingEvents {
  const sse = useSSE({ subscriptions: DOCUMENTS, organizationId });
  const documents = useMemo(() => newest(sse.events, ({ data }) => data.documentId), [sse.events]);
  return { ...sse, documents };
}

/** `conversation_activity`, of one chatbot or of all. */
export function useConversationEvents(
  chatbotId?: string,
  organizationId?: string,
): UseSSEResult<"conversation_activity"> {
  return useSSE({ subscriptions: CONVERSATIONS, chatbotId, organizationId });
}

/** `system_health`, and the newest event of each component. */
export function useSystemHealthEvents(): SystemHealthEvents {
  const sse = useSSE({ subscriptions: HEALTH });
  const components = useMemo(() => newest(sse.events, ({ data }) => data.component), [sse.events]);
  return { ...sse, components };
}

/** `error_notification`. */
export function useErrorEvents(): UseSSEResult<"error_notification"> {
  return useSSE({ subscriptions: ERRORS });
}

/** `chatbot_metrics`, of one chatbot or of all. */
export function useChatbotMetricsEvents(
  chatbotId?: string,
  organizationId?: string,
): UseSSEResult<"chatbot_metrics"> {
  return useSSE({ subscriptions: METRICS, chatbotId, organizationId });
}

/** `user_activity`. */
export function useUserActivityEvents(): UseSSEResult<"user_activity"> {
  return useSSE({ subscriptions: ACTIVITY });
}

/** `performance_alert`, and those that have not been resolved. */
export function usePerformanceAlerts(): PerformanceAlerts {
  const sse = useSSE({ subscriptions: ALERTS });
  const firing = useMemo(
    () =>
      newest(sse.events, ({ chatbotId, data }) =>
        JSON.stringify([data.chatbotId ?? chatbotId, data.metric]),
      ).filter(({ data }) => data.status === "firing"),
    [sse.events],
  );
  return { ...sse, firing };
}

/** The newest event of each key, newest first. */
function newest<Event extends Envelope<EventType, EventData[EventType]>>(
  events: readonly Event[],
  keyOf: (event: Event) => string,
): Event[] {
  const byKey = new Map<string, Event>();
  for (const event of events.toReversed()) {
    const key = keyOf(event);
    if (!byKey.has(key)) byKey.set(key, event);
  }
  return [...byKey.values()];
}
