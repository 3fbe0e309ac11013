// The figures of chatbots, and alerts about them.

import type { ChatbotMetrics, PerformanceAlert } from "../protocol.js";
import type { QueryClient } from "./client.js";
import type { EmitOptions } from "./emit.js";
import { checkNumber, checkOneOf, checkOptionalNumber, checkText } from "./input.js";
import { Producer } from "./producer.js";

/** What figures may say besides. */
export type MetricsOptions = Pick<EmitOptions, "priority" | "userId" | "sessionId">;

type AlertStatus = PerformanceAlert["status"];

/** What an alert may say besides. */
export interface AlertOptions extends MetricsOptions {
  /** `firing` unless told; `resolved` when it is over. */
  status?: AlertStatus | undefined;
  /** Absent: a sentence made of the figures. */
  message?: string | undefined;
}

const STATUSES = ["firing", "resolved"] as const satisfies readonly AlertStatus[];

/** `chatbot_metrics` and `performance_alert` events. Every method returns the id of the event in the outbox. */
export class ChatbotMetricsProducer extends Producer {
  override using(client: QueryClient): ChatbotMetricsProducer {
    return new ChatbotMetricsProducer(() => client);
  }

  /** The figures as they are now, a `chatbot_metrics` event with priority `low`. */
  async notifyMetricsUpdate(
    chatbotId: string,
    organizationId: string,
    metrics: ChatbotMetrics,
    options: MetricsOptions = {},
  ): Promise<string> {
    const { priority = "low" } = options;
    checkText("chatbotId", chatbotId);
    checkText("organizationId", organizationId);
    checkNumber("activeConversations", metrics.activeConversations, 0);
    checkNumber("responseTime", metrics.responseTime, 0);
    checkNumber("successRate", metrics.successRate, 0, 1);
    checkNumber("tokenUsage", metrics.tokenUsage, 0);
    checkNumber("cost", metrics.cost, 0);
    checkOptionalNumber("userSatisfaction", metrics.userSatisfaction);
    return this.emit({
      ...options,
      priority,
      type: "chatbot_metrics",
      organizationId,
      chatbotId,
      data: metrics,
    });
  }

  /**
   * Costs have passed what was planned: a `performance_alert` of the metric `cost`. Both in the currency of
   * `ChatbotMetrics.cost`. Priority `high` while it fires, then `medium`.
   */
  async notifyCostAlert(
    chatbotId: string,
    organizationId: string,
    cost: number,
    threshold: number,
    options: AlertOptions = {},
  ): Promise<string> {
    checkNumber("cost", cost, 0);
    return this.#alert(chatbotId, organizationId, "cost", cost, threshold, options);
  }

  /** A figure has become worse than it may be: a `performance_alert`. Priorities as above. */
  async notifyPerformanceDegradation(
    chatbotId: string,
    organizationId: string,
    metric: string,
    value: number,
    threshold: number,
    options: AlertOptions = {},
  ): Promise<string> {
    return this.#alert(chatbotId, organizationId, metric, value, threshold, options);
  }

  #alert(
    chatbotId: string,
    organizationId: string,
    metric: string,
    value: number,
    threshold: number,
    { status = "firing", message, ...options }: AlertOptions,
  ): Promise<string> {
    const { priority = status === "firing" ? "high" : "medium" } = options;
    checkText("chatbotId", chatbotId);
    checkText("organizationId", organizationId);
    checkText("metric", metric);
    checkNumber("value", value);
    checkNumber("threshold", threshold);
    checkOneOf("status", status, STATUSES);
    if (message !== undefined) checkText("message", message);
    const usual =
      status === "firing" ? `${metric} is at ${value}, limit ${threshold}` : `${metric} is back at ${value}`;
    const data = { metric, value, threshold, status, message: message ?? usual, chatbotId };
    return this.emit({ ...options, priority, type: "performance_alert", organizationId, chatbotId, data });
  }
}
