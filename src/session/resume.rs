//! Where a client goes on: what it sent as its cursor, and whether that is a place.

use super::Server;
use crate::{
    cursor::Cursor,
    postgres::{self, outbox},
    sse::ResetReason,
};

/// Where a client goes on.
#[derive(Clone, Debug)]
pub enum Resume {
    /// From now on.
    Head,
    /// After what it has seen.
    After(Cursor),
    /// It sent something of no use: from now on, but it must be told to fetch anew.
    Reset(ResetReason),
}

/// Where a client goes on that sent this as its cursor: nothing, if it has none.
///
/// # Errors
/// When the database fails.
pub async fn resume(server: &Server, sent: &[u8]) -> Result<Resume, postgres::Error> {
    if sent.is_empty() {
        return Ok(Resume::Head);
    }
    let Some(cursor) = std::str::from_utf8(sent).ok().and_then(|text| text.trim().parse::<Cursor>().ok()) else {
        return Ok(Resume::Reset(ResetReason::InvalidCursor));
    };
    // Another server may be ahead of this one, but none is ahead of the sequence.
    let (head, _) = server.log.head();
    if cursor.high() > head.high() {
        let connection = server.database.connection().await?;
        if cursor.high() > outbox::read_start(&connection).await?.drawn {
            return Ok(Resume::Reset(ResetReason::CursorAhead));
        }
    }
    // This database has had one life so far; a cursor of a later one is of another database.
    if cursor.epoch() > 0 {
        return Ok(Resume::Reset(ResetReason::CursorAhead));
    }
    Ok(Resume::After(cursor))
}
