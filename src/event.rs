//! What an event is: one row of the outbox.

use std::ops::Deref;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One row of `rowcast.outbox`.
///
/// Texts are boxed, not `String`: a server keeps many thousands of these, and none of them ever grows. Where it is only looked at, they are borrowed from the row that was read.
#[derive(Clone, Debug)]
pub struct Event<Text = Box<str>> {
    /// The outbox id.
    pub id: i64,
    /// The transaction that wrote it, as `xid8`.
    pub txid: u64,
    /// Clock time of the write.
    pub created_at: Timestamp,
    /// One of `rowcast.event_types`.
    pub event_type: Text,
    /// To whom it is addressed.
    pub audience: Audience,
    /// The organization it belongs to; none for platform-wide events and those that nobody may see.
    pub organization_id: Option<Text>,
    /// The user it concerns; for [`Audience::User`] the only one who may see it.
    pub user_id: Option<Text>,
    /// The chatbot it concerns.
    pub chatbot_id: Option<Text>,
    /// The conversation or login session it concerns.
    pub session_id: Option<Text>,
    /// `schema.table` of the row; none for `rowcast.emit`.
    pub source: Option<Text>,
    /// The row's primary key as text.
    pub source_key: Option<Text>,
    /// The name of an [`Operation`].
    pub operation: Text,
    /// The name of a [`Priority`].
    pub priority: Text,
    /// The payload, as the JSON text that Postgres wrote.
    pub data: Text,
}

/// How urgent an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "their names say it")]
pub enum Priority {
    Low,
    Medium,
    High,
    Critical,
}

/// What happened to the row; `EMIT` when there was none (`rowcast.emit`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "their names say it")]
pub enum Operation {
    Insert,
    Update,
    Delete,
    Truncate,
    Emit,
}

/// To whom an event is addressed, before permissions are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The members of its organization.
    Organization,
    /// Everybody.
    Platform,
    /// Its user alone, and those who hold `admin` in its organization.
    User,
    /// Nobody: the organization of the row could not be found.
    Nobody,
}

impl Audience {
    /// The audience of that name in the outbox; a name we do not know is nobody's, so that nothing leaks to be on the safe side.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name {
            "organization" => Self::Organization,
            "platform" => Self::Platform,
            "user" => Self::User,
            _ => Self::Nobody,
        }
    }
}

impl Event<&str> {
    /// The same, to be kept.
    #[must_use]
    pub fn to_boxed(&self) -> Event {
        let boxed = |text: Option<&str>| text.map(Into::into);
        Event {
            id: self.id,
            txid: self.txid,
            created_at: self.created_at,
            event_type: self.event_type.into(),
            audience: self.audience,
            organization_id: boxed(self.organization_id),
            user_id: boxed(self.user_id),
            chatbot_id: boxed(self.chatbot_id),
            session_id: boxed(self.session_id),
            source: boxed(self.source),
            source_key: boxed(self.source_key),
            operation: self.operation.into(),
            priority: self.priority.into(),
            data: self.data.into(),
        }
    }
}

impl<Text: Deref<Target = str>> Event<Text> {
    /// Roughly the memory it holds, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        let texts = [&self.event_type, &self.operation, &self.priority, &self.data];
        let options =
            [&self.organization_id, &self.user_id, &self.chatbot_id, &self.session_id, &self.source, &self.source_key];
        size_of::<Self>()
            + texts.into_iter().map(|text| text.len()).sum::<usize>()
            + options.into_iter().flatten().map(|text| text.len()).sum::<usize>()
    }
}

#[cfg(test)]
impl Event {
    /// An event with that id, of that organization or platform-wide, and nothing particular.
    pub(crate) fn sample(id: i64, organization: Option<&str>) -> Self {
        Self {
            id,
            txid: 1,
            created_at: Timestamp::UNIX_EPOCH,
            event_type: "document_processing".into(),
            audience: if organization.is_some() { Audience::Organization } else { Audience::Platform },
            organization_id: organization.map(Into::into),
            user_id: None,
            chatbot_id: None,
            session_id: None,
            source: None,
            source_key: None,
            operation: "EMIT".into(),
            priority: "medium".into(),
            data: "{}".into(),
        }
    }
}
