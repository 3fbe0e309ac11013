//! Where a client goes on: what it sent as its cursor, and whether that is a place.

use super::Server;
use crate::{
    cursor::Cursor,
    postgres::{self, epochs, outbox},
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

/// Where a client goes on that sent this as its cursor: nothing, if it has none. What it may go on after is said in terms of the current life of the database.
///
/// # Errors
/// When the database fails, or has begun another life that this server has yet to find.
pub async fn resume(server: &Server, sent: &[u8]) -> Result<Resume, postgres::Error> {
    if sent.is_empty() {
        return Ok(Resume::Head);
    }
    let Some(cursor) = std::str::from_utf8(sent).ok().and_then(|text| text.trim().parse::<Cursor>().ok()) else {
        return Ok(Resume::Reset(ResetReason::InvalidCursor));
    };
    let log = server.log();
    if cursor.epoch() > log.epochs().current() {
        let connection = server.database.connection().await?;
        // Another server may know of a failover that this one has yet to find.
        let is_known = cursor.epoch() <= epochs::read_newest(&connection).await?;
        return if is_known { Err(postgres::Error::Replaced) } else { Ok(Resume::Reset(ResetReason::CursorAhead)) };
    }
    let Some(cursor) = log.epochs().carry(&cursor) else { return Ok(Resume::Reset(ResetReason::CursorAhead)) };
    // Another server may be ahead of this one, but none is ahead of the sequence.
    if cursor.high() > log.head().0.high() {
        let connection = server.database.connection().await?;
        if cursor.high() > outbox::read_start(&connection).await?.drawn {
            return Ok(Resume::Reset(ResetReason::CursorAhead));
        }
    }
    Ok(Resume::After(cursor))
}
