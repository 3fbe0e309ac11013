//! Rows → events, in the binary format: the payload is never parsed, only carried.

use std::error::Error;

use jiff::Timestamp;
use tokio_postgres::{
    Row,
    types::{FromSql, Type},
};

use crate::event::{Audience, Event};

/// A `jsonb` value as the text that Postgres wrote.
struct JsonText(Box<str>);

impl<'a> FromSql<'a> for JsonText {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        match raw.split_first() {
            Some((1, text)) => Ok(Self(std::str::from_utf8(text)?.into())),
            _ => Err("unknown version of the jsonb format".into()),
        }
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::JSONB
    }
}

/// A transaction id that never wraps.
pub(super) struct Xid8(pub(super) u64);

impl<'a> FromSql<'a> for Xid8 {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(u64::from_be_bytes(raw.try_into()?)))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::XID8
    }
}

/// An optional `jsonb` column as text.
pub(super) fn json_text(row: &Row, column: &str) -> Result<Option<Box<str>>, tokio_postgres::Error> {
    Ok(row.try_get::<_, Option<JsonText>>(column)?.map(|json| json.0))
}

/// A row of the outbox.
pub(super) fn event(row: &Row) -> Result<Event, tokio_postgres::Error> {
    let text = |column| row.try_get::<_, Option<Box<str>>>(column);
    Ok(Event {
        id: row.try_get("id")?,
        txid: row.try_get::<_, Xid8>("txid")?.0,
        created_at: row.try_get::<_, Timestamp>("created_at")?,
        event_type: row.try_get("event_type")?,
        audience: Audience::from_name(row.try_get("audience")?),
        organization_id: text("organization_id")?,
        user_id: text("user_id")?,
        chatbot_id: text("chatbot_id")?,
        session_id: text("session_id")?,
        source: text("source")?,
        source_key: text("source_key")?,
        operation: row.try_get("operation")?,
        priority: row.try_get("priority")?,
        data: row.try_get::<_, JsonText>("data")?.0,
    })
}
