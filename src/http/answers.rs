//! What the routes answer, as JSON: the bodies, and the one shape of every error.
//!
//! Moments are RFC 3339 in UTC. A field that does not apply is absent; null is said only where a figure is missing for the moment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::code::Code;
use crate::sse::ResetReason;

/// The body of every answer that is not a success.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ErrorBody {
    /// Always false.
    #[cfg_attr(test, ts(type = "false"))]
    pub success: bool,
    /// What was wrong.
    pub error: ErrorDescription,
}

/// What was wrong with a request.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ErrorDescription {
    /// For programs.
    pub code: Code,
    /// For people. It never repeats what was sent.
    pub message: String,
}

/// What is answered when a change of an open stream is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommandAnswer {
    /// Always true.
    #[cfg_attr(test, ts(type = "true"))]
    pub success: bool,
    /// What was done.
    pub message: Done,
    /// The types that are sent from now on.
    pub event_types: Vec<Box<str>>,
    /// When the stream ends, unless it is renewed.
    pub expires_at: String,
}

/// What was done to an open stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "CommandDone"))]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// More types are sent.
    Subscribed,
    /// Fewer types are sent.
    Unsubscribed,
    /// It stays open for longer.
    Renewed,
}

/// What is answered to Sentry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookAnswer {
    /// Always true.
    pub success: bool,
    /// What became of it.
    pub message: Taken,
}

/// What became of a webhook that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    /// It is in `rowcast.errors`.
    Recorded,
    /// It was there before, word for word.
    Repeated,
    /// It is of an issue that we do not have, and of which nothing has been seen for long.
    Outdated,
    /// It tells nothing of an error.
    Ignored,
    /// It is of a kind that we do not know.
    Unknown,
}

impl Taken {
    /// As it is counted.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Repeated => "repeated",
            Self::Outdated => "outdated",
            Self::Ignored => "ignored",
            Self::Unknown => "unknown",
        }
    }
}

/// A ticket for a browser's own `EventSource`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TicketAnswer {
    /// Always true.
    #[cfg_attr(test, ts(type = "true"))]
    pub success: bool,
    /// Goes into the URL, as `ticket`.
    pub ticket: Box<str>,
    /// When it is of no use any more: the end of the token that it was made for.
    pub expires_at: String,
    /// By when it has to be used for the first time.
    pub first_use_before: String,
}

/// What a poll is answered beside its `events`.
// These are spliced in as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
pub struct PollPosition {
    /// Ask again with this as `after`. It covers all that was looked at, whether it was for this client or not.
    pub cursor: String,
    /// The cursor that was asked with is of no use, and this is why: fetch the data anew, and go on from `cursor`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset: Option<ResetReason>,
}

/// What is answered by `GET /api/v1/realtime/stats`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatisticsAnswer {
    /// Always true.
    #[cfg_attr(test, ts(type = "true"))]
    pub success: bool,
    /// Who is connected.
    pub data: Statistics,
}

/// Who is connected, on all servers.
// `sql/queries/read_statistics.sql` puts it together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Statistics {
    /// Streams that are open.
    pub total_connections: u64,
    /// Those whose client took something within the last three heartbeats.
    pub active_connections: u64,
    /// How many streams each user has.
    #[cfg_attr(test, ts(type = "Record<string, number>"))]
    pub connections_by_user: BTreeMap<String, u64>,
    /// How many streams each organization has. Those of platform staff, who are in every organization, count for none.
    #[cfg_attr(test, ts(type = "Record<string, number>"))]
    pub connections_by_organization: BTreeMap<String, u64>,
    /// On how many streams each type is sent.
    #[cfg_attr(test, ts(type = "Record<string, number>"))]
    pub event_types: BTreeMap<String, u64>,
    /// Now, by the database's clock.
    pub timestamp: String,
    /// For how many seconds the server that answers has been running.
    pub server_uptime: u64,
    /// How late events are on all servers.
    pub delivery_lag: OverallLag,
    /// Each server; null for whoever may not know of all organizations.
    pub servers: Option<Vec<ServerStatistics>>,
}

/// What one server tells of itself, every 5 s.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServerStatistics {
    /// Made up at its start.
    pub id: String,
    /// When it started.
    pub started_at: String,
    /// Streams that are open on it.
    pub connections: u64,
    /// Streams that were opened on it since it started.
    pub connections_opened: u64,
    /// Events that it has read from the outbox since then, by type.
    #[cfg_attr(test, ts(type = "Record<string, number>"))]
    pub events_read: BTreeMap<String, u64>,
    /// Events that it has sent since then, each once for every client.
    pub events_sent: u64,
    /// How late they were; null where nothing was sent of late.
    #[cfg_attr(test, ts(optional = false))]
    pub delivery_lag: Option<Lag>,
}

/// From a row's writing to the socket, over the last seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "DeliveryLag"))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lag {
    /// On average, in milliseconds.
    pub mean_ms: f64,
    /// At most, in milliseconds.
    pub max_ms: f64,
}

/// As one server's, over all servers; null where nothing was sent of late.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OverallLag {
    /// On average, in milliseconds.
    pub mean_ms: Option<f64>,
    /// At most, in milliseconds.
    pub max_ms: Option<f64>,
}

/// What is answered by `GET /api/v1/realtime/explain`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExplanationAnswer {
    /// Always true.
    #[cfg_attr(test, ts(type = "true"))]
    pub success: bool,
    /// Why.
    pub data: Explanation,
}

/// Why the user who asks sees an event.
// `sql/queries/explain_to_user.sql` puts it together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Explanation {
    /// The event, as in the question.
    pub event_id: String,
    /// Its type.
    pub event_type: String,
    /// Whom it is for, before permissions are looked at.
    pub audience: VisibleAudience,
    /// The organization that it belongs to; absent for what is platform-wide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
    /// The permission that its type requires; absent where membership is enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_permission: Option<String>,
    /// Whether it is delivered: an open stream of the user's includes it.
    pub delivered: bool,
    /// What each rule of docs/access.md says, in the order in which servers go by them.
    pub rules: Vec<Rule>,
    /// The fields that this user gets removed or replaced.
    pub hidden: Vec<HiddenField>,
}

/// Whom an event is for, of those that anybody may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "Audience"))]
#[serde(rename_all = "snake_case")]
pub enum VisibleAudience {
    /// The members of its organization.
    Organization,
    /// Everybody.
    Platform,
    /// One user, and those who hold `admin` in its organization.
    User,
}

/// What one rule says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields, rename = "ExplainedRule"))]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name in docs/access.md.
    pub rule: String,
    /// Whether it lets the event pass; absent where it only tells something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passes: Option<bool>,
    /// For people.
    pub detail: String,
}

/// A field of `data` that a user does not get as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HiddenField {
    /// The way to it through the objects of `data`.
    pub path: Vec<String>,
    /// Whoever holds this sees it.
    pub permission: String,
    /// What stands in its place; absent where it is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "unknown"))]
    pub replacement: Option<Value>,
}
