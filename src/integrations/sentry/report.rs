//! From what Sentry says to a row of `rowcast.errors`.
//!
//! Every text in it was written by whoever causes errors in the app. It is bounded, and one line; what names an organization or a chatbot is taken whole or not at all.

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Refused, Tags, stack,
    webhook::{Event, Issue, IssueChanged, Number, StatusDetails},
};
use crate::event::Priority;

/// The longest message, name of a part of the app, and id, in letters.
const LONGEST_MESSAGE: usize = 500;
const LONGEST_NAME: usize = 100;
const LONGEST_ID: usize = 200;

/// The version of events that there is; Sentry's protocol has had no other for years.
const VERSION: &str = "7";

/// The parts that every dashboard knows, by whatever punctuation an app writes them with.
const COMPONENTS: [&str; 5] = ["database", "vector_search", "llm_api", "document_processing", "general"];

/// What is told of an issue. The names are those of the columns; `rowcast.record_error` makes it one with what is known.
#[derive(Debug, PartialEq, Serialize)]
pub struct Report {
    /// Whether this is one event, of somebody, or something about the issue as a whole.
    pub is_occurrence: bool,
    /// Whether its body says when it was made.
    pub is_dated: bool,
    /// The issue's id.
    pub sentry_issue_id: String,
    /// What people call it.
    pub sentry_short_id: Option<String>,
    /// Whose it is.
    pub organization_id: Option<String>,
    /// Whose it is.
    pub chatbot_id: Option<String>,
    /// The tag `component`.
    pub component: Option<String>,
    /// What logged it.
    pub logger: Option<String>,
    /// The project's slug.
    pub project: Option<String>,
    /// How bad it is.
    pub severity: Option<Priority>,
    /// Its title.
    pub message: Option<String>,
    /// Where it happened.
    pub stack_trace: Option<String>,
    /// Where it stands now.
    pub status: Option<Status>,
    /// How it was resolved, or why nobody looks at it.
    pub resolution: Option<String>,
    /// How often it has happened.
    pub occurrences: Option<i64>,
    /// How many users it has happened to.
    pub users: Option<i64>,
    /// When it happened first.
    pub first_seen: Option<Timestamp>,
    /// When it happened last.
    pub last_seen: Timestamp,
    /// When Sentry sent this.
    pub told_at: Timestamp,
}

/// Where an issue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Somebody has to look at it.
    Unresolved,
    /// It does not happen any more.
    Resolved,
    /// It is not to be looked at.
    Archived,
}

impl Report {
    /// Of an issue that came up or changed its state; none of what is only of interest to those who work on it.
    pub(super) fn of_issue(
        IssueChanged { action, data }: IssueChanged,
        sent: Timestamp,
    ) -> Result<Option<Self>, Refused> {
        let issue = data.issue;
        let status = match &*action {
            "created" | "unresolved" => Status::Unresolved,
            "resolved" => Status::Resolved,
            // Archived was called ignored once, and still is in the API.
            "archived" | "ignored" => Status::Archived,
            _ => return Ok(None),
        };
        Ok(Some(Self {
            is_occurrence: false,
            is_dated: *action == *"created",
            sentry_issue_id: identifier(&issue.id.text()).ok_or(Refused::Malformed)?,
            sentry_short_id: issue.short_id.as_deref().and_then(|id| bounded(id, LONGEST_NAME)),
            organization_id: None,
            chatbot_id: None,
            component: None,
            logger: issue.logger.as_deref().and_then(component),
            project: issue.project.as_ref().and_then(|project| project.slug.as_deref()).and_then(component),
            severity: issue.level.as_deref().and_then(severity),
            message: issue.title.as_deref().and_then(|title| bounded(title, LONGEST_MESSAGE)),
            stack_trace: None,
            status: Some(status),
            resolution: resolution(status, &issue),
            occurrences: issue.count.as_ref().and_then(Number::count),
            users: issue.user_count.as_ref().and_then(Number::count),
            first_seen: Some(issue.first_seen),
            last_seen: issue.last_seen,
            told_at: sent,
        }))
    }

    /// Of one event.
    pub(super) fn of_event(event: &Event, sent: Timestamp, tags: &Tags) -> Result<Self, Refused> {
        if event.version.as_ref().is_some_and(|version| version.text() != VERSION) {
            return Err(Refused::Version);
        }
        let received = event.received().ok_or(Refused::Malformed)?;
        Ok(Self {
            is_occurrence: true,
            is_dated: true,
            sentry_issue_id: identifier(&event.issue_id.text()).ok_or(Refused::Malformed)?,
            sentry_short_id: None,
            organization_id: event.tag(&tags.organization).and_then(identifier),
            chatbot_id: event.tag(&tags.chatbot).and_then(identifier),
            component: event.tag("component").and_then(component),
            logger: event.logger.as_deref().and_then(component),
            project: event.url.as_deref().and_then(slug).and_then(component),
            severity: event.level.as_deref().and_then(severity),
            message: event.title.as_deref().and_then(|title| bounded(title, LONGEST_MESSAGE)),
            stack_trace: event.exception.as_ref().and_then(|thrown| stack::text(thrown.values.as_deref()?)),
            status: None,
            resolution: None,
            occurrences: None,
            // Who it is stays with Sentry.
            users: event.user.is_some().then_some(1),
            first_seen: None,
            last_seen: received,
            told_at: sent,
        })
    }

    /// When it was made, by what is signed. Of a change of state nothing says it: such a webhook may be about an issue that was last seen long ago.
    pub(super) fn made_at(&self) -> Option<Timestamp> {
        self.is_dated.then(|| self.first_seen.unwrap_or(self.last_seen))
    }
}

/// One line of at most so many letters; none if nothing is in it.
pub(super) fn bounded(text: &str, most: usize) -> Option<String> {
    let line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let line = line.trim();
    let cut = line.char_indices().nth(most).map(|(at, _)| at);
    let line = cut.map_or_else(|| line.to_owned(), |at| format!("{}…", &line[..at]));
    (!line.is_empty()).then_some(line)
}

/// An id, as it is. A part of one would be somebody else's.
fn identifier(text: &str) -> Option<String> {
    let is_one = !text.is_empty() && text.chars().count() <= LONGEST_ID && !text.chars().any(char::is_control);
    is_one.then(|| text.to_owned())
}

fn component(text: &str) -> Option<String> {
    let plain = text.trim().to_lowercase().replace([' ', '-', '.'], "_");
    if COMPONENTS.contains(&&*plain) { Some(plain) } else { bounded(text, LONGEST_NAME) }
}

/// The project in `…/api/0/projects/<organization>/<project>/events/…`.
fn slug(url: &str) -> Option<&str> {
    url.split("/projects/").nth(1)?.split('/').nth(1)
}

fn severity(level: &str) -> Option<Priority> {
    match level {
        "fatal" => Some(Priority::Critical),
        "error" => Some(Priority::High),
        "warning" => Some(Priority::Medium),
        "info" | "debug" => Some(Priority::Low),
        _ => None,
    }
}

fn resolution(status: Status, issue: &Issue) -> Option<String> {
    let details = issue.status_details.as_ref();
    match (status, details) {
        (Status::Unresolved, _) => None,
        (Status::Resolved, Some(StatusDetails { in_release: Some(release), .. })) => {
            Some(format!("resolved in release {}", bounded(release, LONGEST_NAME)?))
        }
        (Status::Resolved, Some(StatusDetails { in_next_release: Some(true), .. })) => {
            Some("resolved in the next release".to_owned())
        }
        (Status::Resolved, Some(StatusDetails { in_commit: Some(_), .. })) => Some("resolved by a commit".to_owned()),
        (Status::Resolved, _) => Some("resolved".to_owned()),
        (Status::Archived, _) => Some(
            match issue.substatus.as_deref() {
                Some("archived_until_escalating") => "archived until it happens more often",
                Some("archived_until_condition_met") => "archived until a condition is met",
                Some("archived_forever") => "archived for good",
                _ => "archived",
            }
            .to_owned(),
        ),
    }
}
