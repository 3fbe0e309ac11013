//! The outbox as the server reads it: the tailer's steps, and pages of history.

use tokio_postgres::Row;

use super::{
    Connection, Error,
    decode::{self, Xid8},
};
use crate::{
    cursor::IdRange,
    event::Event,
    frontier::{Frontier, Writers},
};

/// What one step of the tailer has read, all in one snapshot.
#[derive(Debug)]
pub struct Batch {
    /// The snapshot, to be given to the next step.
    pub snapshot: String,
    /// Every transaction below this one had ended.
    pub oldest_running: u64,
    /// The users whose access may have changed since the step before; none stands for anybody.
    pub changed_users: Vec<Option<String>>,
    /// The rows, ascending by id.
    pub events: Vec<Event>,
    /// Whether there were as many rows as were asked for, so that there may be more.
    pub full: bool,
}

/// Where a tailer begins.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// Every id up to here is decided.
    pub settled: i64,
    /// The last id that was given out.
    pub drawn: i64,
}

/// Reads what is new above the frontier, and in its gaps; see `sql/queries/read_batch.sql`.
///
/// # Errors
/// When the database fails.
pub async fn read_batch(
    connection: &Connection,
    frontier: &mut Frontier,
    limit: i64,
    previous: Option<&str>,
) -> Result<Batch, Error> {
    let statement = include_str!("../../sql/queries/read_batch.sql");
    let high = frontier.high();
    let (firsts, lasts): (Vec<i64>, Vec<i64>) = frontier.due().into_iter().unzip();
    let (asleep, writers) = frontier.asleep();
    let (asleep_firsts, asleep_lasts): (Vec<i64>, Vec<i64>) = asleep.into_iter().unzip();
    let writers: Vec<String> = writers.iter().map(u64::to_string).collect();
    let rows = connection
        .query(statement, &[&high, &firsts, &lasts, &limit, &previous, &asleep_firsts, &asleep_lasts, &writers])
        .await?;
    let mut batch = Batch {
        snapshot: String::new(),
        oldest_running: 0,
        changed_users: Vec::new(),
        events: Vec::new(),
        full: false,
    };
    for row in &rows {
        if let Some(snapshot) = row.try_get::<_, Option<String>>("snapshot")? {
            batch.oldest_running = snapshot.split(':').next().and_then(|xmin| xmin.parse().ok()).unwrap_or(0);
            batch.snapshot = snapshot;
            batch.changed_users = row.try_get("changed_users")?;
        } else {
            batch.events.push(decode::event(row)?);
        }
    }
    batch.events.sort_unstable_by_key(|event| event.id);
    let full = |count: usize| i64::try_from(count).unwrap_or(i64::MAX) >= limit;
    batch.full = full(batch.events.len());
    // What the limit has left in the gaps may be older events of the same rows, so what is new has to wait for it.
    let in_gaps = batch.events.partition_point(|event| event.id <= high);
    if full(in_gaps) {
        batch.events.truncate(in_gaps);
    }
    Ok(batch)
}

/// Reads which transactions hold the writer mark, and a bound of those that may, when asked for.
///
/// # Errors
/// When the database fails.
pub async fn read_writers(connection: &Connection, with_bound: bool) -> Result<Writers, Error> {
    let statement = include_str!("../../sql/queries/read_marks.sql");
    let row = connection.query_one(statement, &[&with_bound]).await?;
    let recent = row.try_get::<_, Xid8>("recent")?.0;
    let running: Vec<Option<i64>> = row.try_get("writers")?;
    Ok(Writers {
        bound: row.try_get::<_, Option<Xid8>>("bound")?.map(|xid| xid.0),
        running: running.into_iter().map(|xid| xid.map(|xid| widen(xid, recent))).collect(),
    })
}

/// The 64-bit transaction id that `short`, its lower 32 bits, stands for: the one nearest to a recent id.
fn widen(short: i64, recent: u64) -> u64 {
    const WRAP: u64 = 1 << 32;
    let short = short.unsigned_abs() % WRAP;
    let near = recent / WRAP * WRAP + short;
    if near > recent + WRAP / 2 && near >= WRAP {
        near - WRAP
    } else if near + WRAP / 2 < recent {
        near + WRAP
    } else {
        near
    }
}

/// A piece of history.
#[derive(Debug)]
pub struct Page {
    /// The rows, ascending by id.
    pub events: Vec<Event>,
    /// Whether the page ended for want of room, so that there may be more.
    pub full: bool,
}

/// Reads a page of history: rows with ids in `ranges` that belong to `organizations` (none: to any), or to all. It ends after
/// `limit` rows, or with the row that makes it larger than `max_bytes`: the rest of the answer is thrown away as it comes in.
///
/// # Errors
/// When the database fails.
pub async fn read_ranges(
    connection: &Connection,
    ranges: &[IdRange],
    organizations: Option<&[Box<str>]>,
    limit: i64,
    max_bytes: usize,
) -> Result<Page, Error> {
    let statement = include_str!("../../sql/queries/read_ranges.sql");
    let (firsts, lasts): (Vec<i64>, Vec<i64>) = ranges.iter().copied().unzip();
    let mut rows = connection.query_raw(statement, &[&firsts, &lasts, &organizations, &limit]).await?;
    let mut page = Page { events: Vec::new(), full: false };
    let mut bytes = 0;
    while let Some(row) = rows.try_next().await? {
        let event = decode::event(&row)?;
        bytes += event.size();
        page.events.push(event);
        if bytes > max_bytes {
            page.full = true;
            return Ok(page);
        }
    }
    page.full = i64::try_from(page.events.len()).unwrap_or(i64::MAX) >= limit;
    Ok(page)
}

/// Where a tailer begins to read.
///
/// # Errors
/// When the database fails.
pub async fn read_start(connection: &Connection) -> Result<Start, Error> {
    let statement = include_str!("../../sql/queries/read_settled.sql");
    let row: Row = connection.query_one(statement, &[]).await?;
    if row.try_get::<_, &str>("encoding")? == "SQL_ASCII" {
        return Err(Error::Encoding);
    }
    Ok(Start { settled: row.try_get("settled")?, drawn: row.try_get("drawn")? })
}

/// Remembers that every id up to `floor` is decided.
///
/// # Errors
/// When the database fails.
pub async fn store_settled(connection: &Connection, floor: i64) -> Result<(), Error> {
    let statement = include_str!("../../sql/queries/store_settled.sql");
    connection.execute(statement, &[&floor]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_transaction_ids_are_widened_across_the_wrap() {
        const WRAP: u64 = 1 << 32;
        assert_eq!(widen(1_000, 1_005), 1_000);
        assert_eq!(widen(4_294_967_290, WRAP + 5), WRAP - 6);
        assert_eq!(widen(3, WRAP - 2), WRAP + 3);
        assert_eq!(widen(7, 3 * WRAP + 9), 3 * WRAP + 7);
    }
}
