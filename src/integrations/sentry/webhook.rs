//! The bodies of Sentry's webhooks, as it documents them; of each what we use. Everything else is passed over unread. In lists of what apps have sent, null stands for what
//! Sentry could not make out.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, de::DeserializeOwned};

use super::Refused;

/// Reads a body.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|_| Refused::Malformed)
}

/// Resource `issue`: an issue has come up, or its state has changed.
#[derive(Debug, Deserialize)]
pub(super) struct IssueChanged {
    pub(super) action: Box<str>,
    pub(super) data: IssueData,
}

#[derive(Debug, Deserialize)]
pub(super) struct IssueData {
    pub(super) issue: Issue,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Issue {
    pub(super) id: Number,
    pub(super) short_id: Option<Box<str>>,
    pub(super) title: Option<Box<str>>,
    pub(super) level: Option<Box<str>>,
    pub(super) logger: Option<Box<str>>,
    pub(super) project: Option<Project>,
    pub(super) substatus: Option<Box<str>>,
    pub(super) status_details: Option<StatusDetails>,
    pub(super) count: Option<Number>,
    pub(super) user_count: Option<Number>,
    pub(super) first_seen: Timestamp,
    pub(super) last_seen: Timestamp,
}

#[derive(Debug, Deserialize)]
pub(super) struct Project {
    pub(super) slug: Option<Box<str>>,
}

/// How an issue was resolved.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "Sentry's own names")]
pub(super) struct StatusDetails {
    pub(super) in_release: Option<Box<str>>,
    pub(super) in_next_release: Option<bool>,
    pub(super) in_commit: Option<serde::de::IgnoredAny>,
}

/// Resource `event_alert`: an alert rule has found an event.
#[derive(Debug, Deserialize)]
pub(super) struct EventAlert {
    pub(super) data: EventAlertData,
}

#[derive(Debug, Deserialize)]
pub(super) struct EventAlertData {
    pub(super) event: Event,
}

/// Resource `error`: any event of an error.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorCreated {
    pub(super) data: ErrorData,
}

#[derive(Debug, Deserialize)]
pub(super) struct ErrorData {
    pub(super) error: Event,
}

#[derive(Debug, Deserialize)]
pub(super) struct Event {
    pub(super) issue_id: Number,
    pub(super) version: Option<Number>,
    pub(super) title: Option<Box<str>>,
    pub(super) level: Option<Box<str>>,
    pub(super) logger: Option<Box<str>>,
    /// By its API, which has the project's slug.
    pub(super) url: Option<Box<str>>,
    /// When it happened, by the clock of whoever it happened to.
    pub(super) datetime: Option<Timestamp>,
    /// When Sentry had it, in seconds of Unix time.
    pub(super) received: Option<f64>,
    pub(super) tags: Option<Vec<Option<Tag>>>,
    pub(super) user: Option<serde::de::IgnoredAny>,
    pub(super) exception: Option<Exceptions>,
}

impl Event {
    /// When Sentry had it, or at least when it happened.
    pub(super) fn received(&self) -> Option<Timestamp> {
        let received = self.received.and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok());
        received.and_then(|since| Timestamp::from_duration(since).ok()).or(self.datetime)
    }

    /// What this tag says.
    pub(super) fn tag(&self, name: &str) -> Option<&str> {
        let tags = self.tags.iter().flatten().flatten();
        tags.filter(|Tag(key, _)| key.as_deref() == Some(name)).find_map(|Tag(_, value)| value.as_deref())
    }
}

/// A name and what it says.
#[derive(Debug, Deserialize)]
pub(super) struct Tag(Option<Box<str>>, Option<Box<str>>);

/// What was thrown: the cause first, what came of it last.
#[derive(Debug, Deserialize)]
pub(super) struct Exceptions {
    pub(super) values: Option<Vec<Option<Exception>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Exception {
    #[serde(rename = "type")]
    pub(super) kind: Option<Box<str>>,
    pub(super) stacktrace: Option<Stacktrace>,
}

/// Calls, the oldest first.
#[derive(Debug, Deserialize)]
pub(super) struct Stacktrace {
    pub(super) frames: Option<Vec<Option<Frame>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Frame {
    pub(super) filename: Option<Box<str>>,
    pub(super) module: Option<Box<str>>,
    pub(super) function: Option<Box<str>>,
    pub(super) lineno: Option<u64>,
}

/// What Sentry writes as a number in one place, and as a text in another.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Number {
    Written(Box<str>),
    Counted(u64),
}

impl Number {
    /// As a text.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Written(text) => text.to_string(),
            Self::Counted(count) => count.to_string(),
        }
    }

    /// As a number that Postgres has; none if it is no such number.
    pub(super) fn count(&self) -> Option<i64> {
        match self {
            Self::Written(text) => text.parse().ok().filter(|count| *count >= 0),
            Self::Counted(count) => i64::try_from(*count).ok(),
        }
    }
}
