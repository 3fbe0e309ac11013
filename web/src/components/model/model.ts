// All that the dashboard shows, folded from the stream.

import { Fold } from "../../fold.js";
import type { OutboxEvent } from "../../protocol.js";
import { type ActivityItem, foldActivity } from "./activity.js";
import { type AlertItem, foldAlert } from "./alerts.js";
import { type DocumentItem, foldDocument } from "./documents.js";
import { type ErrorItem, foldError } from "./errors.js";
import { foldHealth, type HealthItem } from "./health.js";
import { foldMessage, type MessageItem } from "./messages.js";
import { foldMetrics, type Metrics, noMetrics } from "./metrics.js";

export interface Model {
  readonly documents: readonly DocumentItem[];
  readonly messages: readonly MessageItem[];
  readonly health: readonly HealthItem[];
  readonly errors: readonly ErrorItem[];
  readonly metrics: Metrics;
  readonly alerts: readonly AlertItem[];
  readonly activity: readonly ActivityItem[];
}

const empty: Model = {
  documents: [],
  messages: [],
  health: [],
  errors: [],
  metrics: noMetrics,
  alerts: [],
  activity: [],
};

/** `reset`: what is shown may have gaps from here on, so it starts anew. */
export type Change = OutboxEvent | "reset";

export type ModelStore = Fold<Model, Change>;

export function createModel(): ModelStore {
  return new Fold<Model, Change>(empty, (model, changes) => changes.reduce(apply, model));
}

export function apply(model: Model, change: Change): Model {
  if (change === "reset") return empty;
  switch (change.type) {
    case "document_processing":
      return { ...model, documents: foldDocument(model.documents, change) };
    case "conversation_activity":
      return { ...model, messages: foldMessage(model.messages, change) };
    case "system_health":
      return { ...model, health: foldHealth(model.health, change) };
    case "error_notification":
      return { ...model, errors: foldError(model.errors, change) };
    case "chatbot_metrics":
      return { ...model, metrics: foldMetrics(model.metrics, change) };
    case "performance_alert":
      return { ...model, alerts: foldAlert(model.alerts, change) };
    case "user_activity":
      return { ...model, activity: foldActivity(model.activity, change) };
    default:
      return model;
  }
}
