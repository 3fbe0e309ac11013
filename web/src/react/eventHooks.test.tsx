// @vitest-environment happy-dom

// The hooks of each type: which events are theirs, and what they make of them.

import { describe, expect, expectTypeOf, it } from "vitest";
import { settle } from "../testing/act.js";
import { page, setHooks } from "../testing/hooks.js";
import { connectedFrame } from "../testing/server.js";
import {
  useChatbotMetricsEvents,
  useConversationEvents,
  useDocumentProcessingEvents,
  useErrorEvents,
  usePerformanceAlerts,
  useSystemHealthEvents,
  useUserActivityEvents,
} from "./index.js";

const hooks = setHooks();
const { mount, query } = hooks;

describe("the hooks of each type", () => {
  const frame = (id: string, type: string, data: object, more: object = {}) =>
    `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ id, type, data, operation: "INSERT", ...more })}\n\n`;

  it("ask for their own and know the newest", async () => {
    let seen: Record<string, readonly { id: string }[]> = {};
    function All() {
      const documents = useDocumentProcessingEvents("o1");
      const health = useSystemHealthEvents();
      const alerts = usePerformanceAlerts();
      seen = {
        documents: documents.documents,
        documentEvents: documents.events,
        conversations: useConversationEvents("c1").events,
        components: health.components,
        errors: useErrorEvents().events,
        metrics: useChatbotMetricsEvents("c1", "o1").events,
        activity: useUserActivityEvents().events,
        firing: alerts.firing,
      };
      expectTypeOf(documents.documents[0]?.data.filename).toEqualTypeOf<string | undefined>();
      expectTypeOf(health.lastEvent?.data.status).toEqualTypeOf<
        "healthy" | "degraded" | "down" | undefined
      >();
      return null;
    }
    await mount(page(<All />));
    expect(query().get("subscriptions")?.split(",")).toHaveLength(7);
    const alert = { metric: "latency", status: "firing" };
    await hooks.server.last.stream(
      connectedFrame("1") +
        frame("2", "document_processing", { documentId: "a" }, { organizationId: "o1" }) +
        frame("3", "document_processing", { documentId: "b" }, { organizationId: "o1" }) +
        frame("4", "document_processing", { documentId: "a" }, { organizationId: "o1" }) +
        frame("5", "document_processing", { documentId: "c" }, { organizationId: "o2" }) +
        frame("6", "conversation_activity", {}, { chatbotId: "c1" }) +
        frame("7", "conversation_activity", {}, { chatbotId: "c2" }) +
        frame("8", "system_health", { component: "database" }) +
        frame("9", "system_health", { component: "database" }) +
        frame("10", "error_notification", {}) +
        frame("11", "chatbot_metrics", {}, { chatbotId: "c1", organizationId: "o2" }) +
        frame("12", "chatbot_metrics", {}, { chatbotId: "c1", organizationId: "o1" }) +
        frame("13", "user_activity", {}) +
        frame("14", "performance_alert", alert, { chatbotId: "c1" }) +
        frame("15", "performance_alert", alert, { chatbotId: "c2" }) +
        frame("16", "performance_alert", { ...alert, status: "resolved" }, { chatbotId: "c1" }),
    );
    await settle();
    const ids = Object.fromEntries(
      Object.entries(seen).map(([name, list]) => [name, list.map(({ id }) => id)]),
    );
    expect(ids).toEqual({
      documents: ["4", "3"],
      documentEvents: ["2", "3", "4"],
      conversations: ["6"],
      components: ["9"],
      errors: ["10"],
      metrics: ["12"],
      activity: ["13"],
      firing: ["15"],
    });
  });
});
