//! The `data` of the seven built-in event types, as their apps write it and browsers get it.
//!
//! rowcast itself looks into no payload: they go from Postgres to the socket as text, and an app's own types may hold anything. These are the
//! shapes that the panels of the dashboard know, that `sql/presets` makes, and that `web/src/generated.ts` is generated from. A field
//! that does not apply is absent, never null. None may be there that is not named here.
//!
//! In the place of any of these a client may get an object that says why there is no payload: `{"truncated": true, …}` for one that was too
//! large, `{"erased": true}`, `{"unreadable": true}`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::event::Priority;

/// The built-in event types, each with its data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", content = "data", rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the types inside have it")]
pub enum Payload {
    DocumentProcessing(DocumentProcessing),
    ConversationActivity(ConversationActivity),
    SystemHealth(SystemHealth),
    ErrorNotification(ErrorNotification),
    ChatbotMetrics(ChatbotMetrics),
    UserActivity(UserActivity),
    PerformanceAlert(PerformanceAlert),
}

/// `document_processing`: a document on its way from upload to search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DocumentProcessing {
    /// The document.
    pub document_id: String,
    /// The product that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_id: Option<String>,
    /// As it was uploaded.
    pub filename: String,
    /// Where it is.
    pub stage: DocumentStage,
    /// Percent of the whole way: 0 to 100.
    pub progress: f64,
    /// Whether it is still under way.
    pub status: DocumentStatus,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// From upload to the end, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processing_time: Option<f64>,
    /// Whatever else the app tells of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "Record<string, unknown>"))]
    pub metadata: Option<Map<String, Value>>,
}

/// The stages of a document, in their order; the last two are ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "their names say it")]
pub enum DocumentStage {
    Upload,
    Ocr,
    Chunking,
    Embedding,
    Indexing,
    Completed,
    Failed,
}

/// Whether a document is still under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "their names say it")]
pub enum DocumentStatus {
    Processing,
    Completed,
    Failed,
}

/// `conversation_activity`: a message, and each change of one that is being written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConversationActivity {
    /// The message.
    pub message_id: String,
    /// Who speaks.
    pub message_type: MessageType,
    /// The text. `[FILTERED]` for viewers without `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// How far it is, in the app's own words: `generating`, `completed`, `failed`.
    pub status: String,
    /// From the question to the answer, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_time: Option<f64>,
    /// Why there is no answer. `[FILTERED]` for viewers without `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whatever else the app tells of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "Record<string, unknown>"))]
    pub metadata: Option<Map<String, Value>>,
}

/// Who speaks in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "their names say it")]
pub enum MessageType {
    UserMessage,
    BotResponse,
    SystemMessage,
}

/// `system_health`: one measurement of a part of the platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SystemHealth {
    /// What was measured.
    pub component: HealthComponent,
    /// What that means.
    pub status: HealthStatus,
    /// The figure's name, with its unit: `query_ms`.
    pub metric: String,
    /// The figure.
    pub value: f64,
    /// From where on it is no longer healthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// For people.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recommendation: Option<String>,
}

/// The parts of the platform whose health is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "their names say it")]
pub enum HealthComponent {
    Database,
    VectorSearch,
    LlmApi,
    DocumentProcessing,
    General,
}

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "their names say it")]
pub enum HealthStatus {
    Healthy,
    Degraded,
    Down,
}

/// `error_notification`: something went wrong in the app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ErrorNotification {
    /// This occurrence.
    pub error_id: String,
    /// Where: a part of the app, by its own names.
    pub component: String,
    /// How bad it is for the app.
    pub severity: Priority,
    /// For people.
    pub message: String,
    /// Left out for viewers without `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_trace: Option<String>,
    /// How bad it is for whoever uses the app.
    pub user_impact: UserImpact,
    /// What was done, or is to be done, about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// The issue in Sentry. Left out for viewers without `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentry_issue_id: Option<String>,
}

/// How bad an error is for whoever uses the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "their names say it")]
pub enum UserImpact {
    None,
    Minor,
    Major,
    Critical,
}

/// `chatbot_metrics`: the figures of a chatbot's day so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChatbotMetrics {
    /// Conversations under way.
    pub active_conversations: f64,
    /// From a question to its answer on average, in milliseconds.
    pub response_time: f64,
    /// The share of questions that were answered: 0 to 1.
    pub success_rate: f64,
    /// Tokens of the language model.
    pub token_usage: f64,
    /// What they cost, in US dollars.
    pub cost: f64,
    /// What visitors say, 1 to 5 on average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_satisfaction: Option<f64>,
    /// How the figures move, by whatever names the app gives that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "Record<string, unknown>"))]
    pub trends: Option<Map<String, Value>>,
}

/// `user_activity`: what a colleague did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserActivity {
    /// Who.
    pub user_id: String,
    /// What, by the app's own names.
    pub action: String,
    /// The session in which they were signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Whatever else the app tells of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "Record<string, unknown>"))]
    pub metadata: Option<Map<String, Value>>,
}

/// `performance_alert`: a figure has passed its threshold, or is back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PerformanceAlert {
    /// The figure's name, with its unit: `response_time_ms`.
    pub metric: String,
    /// The figure.
    pub value: f64,
    /// What it has passed.
    pub threshold: f64,
    /// Whether it is still beyond.
    pub status: AlertStatus,
    /// For people.
    pub message: String,
    /// The chatbot whose figure it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chatbot_id: Option<String>,
}

/// Whether an alert is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "their names say it")]
pub enum AlertStatus {
    Firing,
    Resolved,
}
