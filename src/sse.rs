//! Event → bytes: the frames of the stream, as the [standard] has them.
//!
//! A frame is rendered once and shared by every client that may see the same bytes. It carries no `id:` line: the cursor belongs to a write, not
//! to an event, and is put before the last frame of the write.
//!
//! [standard]: https://html.spec.whatwg.org/multipage/server-sent-events.html

use std::{fmt::Display, fmt::Write as _, ops::Deref, time::Duration};

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use crate::{cursor::Cursor, event::Event};

/// The heartbeat. It moves the browser's Last-Event-ID past all that was not for it; nobody listens for `cursor`, so no app sees it.
pub const HEARTBEAT: &str = "event: cursor\ndata: {}\n\n";

/// What every event carries around its `data`. A field that does not apply is absent, never null.
// `data` itself is spliced in as text.
#[derive(Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(optional_fields, rename = "EnvelopeHead"))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Envelope<'a> {
    /// The outbox id: decimal digits, not a number, because it may pass 2^53.
    #[serde(serialize_with = "serialize_text")]
    #[cfg_attr(test, ts(type = "string"))]
    id: i64,
    /// One of `rowcast.event_types`.
    r#type: &'a str,
    /// When the row was written: RFC 3339 in UTC, to the microsecond.
    #[serde(serialize_with = "serialize_timestamp")]
    #[cfg_attr(test, ts(type = "string"))]
    timestamp: Timestamp,
    /// The organization that it belongs to; absent for what is platform-wide.
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_id: Option<&'a str>,
    /// The user it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    /// The chatbot it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    chatbot_id: Option<&'a str>,
    /// The conversation or login session it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
    /// How urgent it is.
    #[cfg_attr(test, ts(as = "crate::event::Priority"))]
    priority: &'a str,
    /// What happened to the row.
    #[cfg_attr(test, ts(as = "crate::event::Operation"))]
    operation: &'a str,
    /// `schema.table` of the row; absent for `rowcast.emit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    /// The row's primary key as text; a JSON array when it is composite.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    /// The transaction that wrote it: decimal digits. Events of one transaction have the same.
    #[serde(serialize_with = "serialize_text")]
    #[cfg_attr(test, ts(optional, as = "Option<String>"))]
    txid: u64,
}

/// What an envelope and its frame are about as long as, beside the data.
pub const FRAME_BYTES: usize = 384;

/// The event's frame, with `data` (JSON text) in place of its own.
#[must_use]
pub fn event_frame<Text: Deref<Target = str>>(event: &Event<Text>, data: &str) -> Bytes {
    let mut frame = Vec::with_capacity(FRAME_BYTES + data.len());
    write_event_frame(&mut frame, event, data);
    frame.into()
}

/// Adds it to others.
pub fn write_event_frame<Text: Deref<Target = str>>(frames: &mut Vec<u8>, event: &Event<Text>, data: &str) {
    let envelope = Envelope {
        id: event.id,
        r#type: &event.event_type,
        timestamp: event.created_at,
        organization_id: event.organization_id.as_deref(),
        user_id: event.user_id.as_deref(),
        chatbot_id: event.chatbot_id.as_deref(),
        session_id: event.session_id.as_deref(),
        priority: &event.priority,
        operation: &event.operation,
        source: event.source.as_deref(),
        key: event.source_key.as_deref(),
        txid: event.txid,
    };
    frames.extend_from_slice(b"event: ");
    frames.extend_from_slice(event.event_type.as_bytes());
    frames.extend_from_slice(DATA_LINE);
    // Nothing in it can fail, nor can memory.
    let _ = serde_json::to_writer(&mut *frames, &envelope);
    // JSON has no line breaks outside its strings and none unescaped inside them, so one data line always holds it.
    frames.pop();
    frames.extend_from_slice(b",\"data\":");
    frames.extend_from_slice(data.as_bytes());
    frames.push(b'}');
    frames.extend_from_slice(FRAME_END);
}

/// What stands before the JSON of a frame, and behind it.
const DATA_LINE: &[u8] = b"\ndata: ";
const FRAME_END: &[u8] = b"\n\n";

/// The JSON in a frame of [`event_frame`].
#[must_use]
pub fn frame_data(frame: &Bytes) -> Bytes {
    let type_line = frame.iter().position(|&byte| byte == b'\n').unwrap_or_default();
    frame.slice(type_line + DATA_LINE.len()..frame.len() - FRAME_END.len())
}

/// The line that goes before the last frame of a write: all of `cursor` has been written by then.
#[must_use]
pub fn id_line(cursor: &Cursor) -> String {
    format!("id: {cursor}\n")
}

/// The line that says how long an `EventSource` waits before it comes back. It goes before a frame.
#[must_use]
pub fn retry_line(after: Duration) -> String {
    format!("retry: {}\n", after.as_millis())
}

/// What the server has to say of the connection itself (`connection_status`). Never in the outbox.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "status", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum ConnectionStatus<'a> {
    /// Live delivery is certain from here on.
    Connected {
        /// Names this connection in later requests.
        connection_id: &'a str,
        /// The types that will be sent.
        subscriptions: &'a [Box<str>],
        /// The organizations whose events will be sent; absent for platform staff, who get those of all.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        organizations: Option<Vec<Box<str>>>,
    },
    /// The client's cursor is of no use: it must fetch its data anew, and the stream goes on from the frame's id.
    Reset {
        /// Why.
        reason: ResetReason,
    },
    /// The database cannot be reached. The stream stays open; nothing is lost, it only comes later.
    Degraded,
    /// The database is back, and the stream has caught up or is about to.
    Recovered,
    /// What the user may see has changed.
    AccessChanged {
        /// The types that will be sent from now on.
        subscriptions: &'a [Box<str>],
        /// The organizations whose events will be sent from now on; absent for platform staff, who get those of all.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        organizations: Option<Vec<Box<str>>>,
    },
    /// The token expires soon, and the stream with it, unless it is renewed.
    TokenExpiring {
        /// When: RFC 3339 in UTC.
        #[serde(serialize_with = "serialize_timestamp")]
        #[cfg_attr(test, ts(type = "string"))]
        expires_at: Timestamp,
    },
    /// The stream ends here.
    Closing {
        /// Why.
        reason: CloseReason,
    },
}

/// Why a cursor is of no use, and the stream goes on from the frame's id instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ResetReason {
    /// It is not a cursor.
    InvalidCursor,
    /// Some of what the client lacks has been deleted for its age.
    HistoryExpired,
    /// It claims events that this database does not have: they were lost in a failover, or are of another database.
    CursorAhead,
}

impl ResetReason {
    /// Its name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidCursor => "invalid_cursor",
            Self::CursorAhead => "cursor_ahead",
            Self::HistoryExpired => "history_expired",
        }
    }
}

/// Why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// The server is going down or not up yet; another one, or the same, will take the client.
    Unavailable,
    /// The token's time is over.
    TokenExpired,
    /// The user may no longer see anything.
    AccessRevoked,
    /// Streams of this server last only so long; the client is to come back at once.
    MaxStream,
    /// Somebody has ended the user's streams: `rowcast.disconnect`. Not to be opened again without being asked to.
    Disconnected,
}

impl CloseReason {
    /// Its name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::TokenExpired => "token_expired",
            Self::AccessRevoked => "access_revoked",
            Self::MaxStream => "max_stream",
            Self::Disconnected => "disconnected",
        }
    }
}

/// Made by the server for one stream; never in the outbox, so it has no id.
#[derive(Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "ConnectionStatusEvent"))]
pub(crate) struct StatusEnvelope<'a> {
    /// Always this.
    #[cfg_attr(test, ts(type = "\"connection_status\""))]
    r#type: &'static str,
    /// When the server said it, by its own clock: RFC 3339 in UTC.
    timestamp: String,
    /// What it says.
    data: &'a ConnectionStatus<'a>,
}

/// A `connection_status` frame; it carries an id where the stream goes on from one.
#[must_use]
pub fn status_frame(status: &ConnectionStatus<'_>, cursor: Option<&Cursor>, at: Timestamp) -> String {
    let envelope = StatusEnvelope { r#type: "connection_status", timestamp: rfc3339(at), data: status };
    let mut text = cursor.map(id_line).unwrap_or_default();
    text.push_str(&frame("connection_status", &to_json(&envelope)));
    text
}

fn frame(event_type: &str, json: &str) -> String {
    let mut frame = String::with_capacity(event_type.len() + json.len() + 16);
    // JSON has no line breaks outside its strings and none unescaped inside them, so one data line always holds it.
    let _ = write!(frame, "event: {event_type}\ndata: {json}\n\n");
    frame
}

/// A moment, as everything tells it that the server says.
#[must_use]
pub fn rfc3339(timestamp: Timestamp) -> String {
    format!("{timestamp:.6}")
}

fn serialize_timestamp<S: Serializer>(timestamp: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{timestamp:.6}"))
}

fn serialize_text<S: Serializer>(number: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

fn to_json(value: &impl Serialize) -> String {
    // Only maps with keys that are not strings, and failing Serialize impls, can fail; we have neither.
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Audience;

    fn event() -> Event {
        Event {
            id: 1042,
            txid: 771,
            created_at: "2026-11-23T09:00:00.5Z".parse().unwrap(),
            event_type: "document_processing".into(),
            audience: Audience::Organization,
            organization_id: Some("org-1".into()),
            user_id: None,
            chatbot_id: None,
            session_id: None,
            source: Some("public.documents".into()),
            source_key: Some("7".into()),
            operation: "UPDATE".into(),
            priority: "medium".into(),
            data: r#"{"filename": "a\r\nb.pdf"}"#.into(),
        }
    }

    #[test]
    fn an_event_is_one_block() {
        let event = event();
        let frame = event_frame(&event, &event.data);
        insta::assert_snapshot!(std::str::from_utf8(&frame).unwrap(), @r#"
        event: document_processing
        data: {"id":"1042","type":"document_processing","timestamp":"2026-11-23T09:00:00.500000Z","organizationId":"org-1","priority":"medium","operation":"UPDATE","source":"public.documents","key":"7","txid":"771","data":{"filename": "a\r\nb.pdf"}}
        "#);
        assert!(frame.ends_with(b"}\n\n"));
        let data = frame_data(&frame);
        assert!(data.starts_with(b"{") && data.ends_with(b"}}") && frame.ends_with(&[&data, &b"\n\n"[..]].concat()));
    }
}
