//! Rows → events, in the binary format: the payload is never parsed, only carried.

use std::error::Error;

use jiff::Timestamp;
use tokio_postgres::{
    Row,
    types::{FromSql, Type},
};

use crate::event::{Audience, Event};

/// A `jsonb` value as the text that Postgres wrote.
struct JsonText<'a>(&'a str);

impl<'a> FromSql<'a> for JsonText<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        match raw.split_first() {
            Some((1, text)) => Ok(Self(std::str::from_utf8(text)?)),
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
    Ok(row.try_get::<_, Option<JsonText<'_>>>(column)?.map(|json| json.0.into()))
}

/// Where the rows of an answer have the columns of the outbox. Looked for once, not in every row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns([usize; NAMES.len()]);

const NAMES: [&str; 14] = [
    "id",
    "txid",
    "created_at",
    "event_type",
    "audience",
    "organization_id",
    "user_id",
    "chatbot_id",
    "session_id",
    "source",
    "source_key",
    "operation",
    "priority",
    "data",
];

impl Columns {
    /// Those of the answer that this row is of.
    pub(super) fn of(row: &Row) -> Self {
        // One that is not there is an error for whoever reads it.
        Self(NAMES.map(|name| row.columns().iter().position(|column| column.name() == name).unwrap_or(usize::MAX)))
    }

    /// The id of a row; none if it is not one of the outbox.
    pub(super) fn id(&self, row: &Row) -> Result<Option<i64>, tokio_postgres::Error> {
        row.try_get(self.0[0])
    }

    /// A row of the outbox, borrowed from what was read.
    pub(super) fn event<'a>(&self, row: &'a Row) -> Result<Event<&'a str>, tokio_postgres::Error> {
        let [
            id,
            txid,
            created_at,
            event_type,
            audience,
            organization_id,
            user_id,
            chatbot_id,
            session_id,
            source,
            source_key,
            operation,
            priority,
            data,
        ] = self.0;
        Ok(Event {
            id: row.try_get(id)?,
            txid: row.try_get::<_, Xid8>(txid)?.0,
            created_at: row.try_get::<_, Timestamp>(created_at)?,
            event_type: row.try_get(event_type)?,
            audience: Audience::from_name(row.try_get(audience)?),
            organization_id: row.try_get(organization_id)?,
            user_id: row.try_get(user_id)?,
            chatbot_id: row.try_get(chatbot_id)?,
            session_id: row.try_get(session_id)?,
            source: row.try_get(source)?,
            source_key: row.try_get(source_key)?,
            operation: row.try_get(operation)?,
            priority: row.try_get(priority)?,
            data: row.try_get::<_, JsonText<'_>>(data)?.0,
        })
    }
}
