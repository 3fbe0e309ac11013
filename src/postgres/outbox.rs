//! The outbox as the server reads it: the tailer's steps, and pages of history.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::{
    Connection, Error,
    decode::{self, Xid8},
};
use crate::{
    cursor::IdRange,
    event::Event,
    frontier::{Frontier, Writer, Writers},
};

/// What one step of the tailer has read, all in one snapshot.
#[derive(Debug)]
pub struct Batch {
    /// The timeline of the server that answered.
    pub timeline: i64,
    /// The number of the newest life that a server has found.
    pub epoch: i32,
    /// When, by its clock.
    pub read_at: Timestamp,
    /// The snapshot, to be given to the next step.
    pub snapshot: String,
    /// Every transaction below this one had ended.
    pub oldest_running: u64,
    /// The users whose access may have changed since the step before; none stands for anybody.
    pub changed_users: Vec<Option<String>>,
    /// What servers have been told since the step before, as JSON, in the order in which it was said.
    pub commands: Vec<String>,
    /// The rows, ascending by id.
    pub events: Vec<Event>,
    /// Whether there were as many rows as were asked for, so that there may be more.
    pub full: bool,
}

/// Where a tailer begins.
#[derive(Clone, Debug)]
pub struct Start {
    /// The ids that are not decided: ascending ranges, the last without end.
    pub undecided: Vec<IdRange>,
    /// The last id that was given out.
    pub drawn: i64,
    /// Every id up to here has been deleted for its age.
    pub expired_through: i64,
}

/// What the step before the next one saw.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// Its snapshot, if it was taken in the same life of the database.
    pub snapshot: Option<String>,
    /// From when on commands count if it was not: some time before it. None at the first step of all.
    pub commands_since: Option<Timestamp>,
}

/// Reads what is new above the frontier, and in its gaps; see `sql/functions/28_read_batch.sql`.
///
/// # Errors
/// When the database fails.
pub async fn read_batch(
    connection: &Connection,
    frontier: &mut Frontier,
    limit: i64,
    before: &Before,
) -> Result<Batch, Error> {
    let statement = include_str!("../../sql/queries/read_batch.sql");
    let high = frontier.high();
    let rows = loop {
        let (firsts, lasts): (Vec<i64>, Vec<i64>) = frontier.due().into_iter().unzip();
        let sleeping: Vec<String> = frontier.owners_of_sleeping().iter().map(u64::to_string).collect();
        let Before { snapshot, commands_since } = before;
        let rows =
            connection.query(statement, &[&high, &firsts, &lasts, &limit, snapshot, &sleeping, commands_since]).await?;
        if !frontier.wake(&ended(&rows)?) {
            break rows;
        }
    };
    let mut batch = Batch {
        timeline: 0,
        epoch: 0,
        read_at: Timestamp::UNIX_EPOCH,
        snapshot: String::new(),
        oldest_running: 0,
        changed_users: Vec::new(),
        commands: Vec::new(),
        events: Vec::new(),
        full: false,
    };
    for row in &rows {
        if let Some(snapshot) = row.try_get::<_, Option<String>>("snapshot")? {
            batch.oldest_running = snapshot.split(':').next().and_then(|xmin| xmin.parse().ok()).unwrap_or(0);
            batch.snapshot = snapshot;
            batch.timeline = row.try_get("timeline")?;
            batch.epoch = row.try_get::<_, Option<i32>>("epoch")?.unwrap_or_default();
            batch.read_at = row.try_get("read_at")?;
            batch.changed_users = row.try_get("changed_users")?;
            batch.commands = row.try_get("commands")?;
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

/// The transactions that had ended, of those that were asked about.
fn ended(rows: &[Row]) -> Result<Vec<u64>, Error> {
    for row in rows {
        if let Some(ended) = row.try_get::<_, Option<Vec<&str>>>("ended")? {
            return Ok(ended.into_iter().filter_map(|xid| xid.parse().ok()).collect());
        }
    }
    Ok(Vec::new())
}

/// Reads which transactions may still write, and with which ids; and a bound of their own ids, when asked for.
///
/// # Errors
/// When the database fails.
pub async fn read_writers(connection: &Connection, with_bound: bool) -> Result<Writers, Error> {
    let statement = include_str!("../../sql/queries/read_marks.sql");
    let mut writers = Writers { bound: None, running: Vec::new() };
    for row in connection.query(statement, &[&with_bound]).await? {
        writers.bound = row.try_get::<_, Option<Xid8>>("bound")?.map(|xid| xid.0);
        let recent = row.try_get::<_, Xid8>("recent")?.0;
        let Some(firsts) = row.try_get::<_, Option<Vec<i64>>>("firsts")? else { continue };
        let lasts: Vec<i64> = row.try_get("lasts")?;
        let xid = row.try_get::<_, Option<i64>>("xid")?.map(|xid| widen(xid, recent));
        writers.running.push(Writer { xid, windows: firsts.into_iter().zip(lasts).collect() });
    }
    Ok(writers)
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
    /// Above this id there may be more: the page ended for want of room, or where another way of reading begins. None: that was all.
    pub read_through: Option<i64>,
    /// Every id up to here had been deleted for its age.
    pub expired_through: i64,
}

/// Reads a page of history: rows with ids in `ranges` that belong to `organizations` (none: to any), or to all. It ends after
/// `limit` rows, or with the row that makes it larger than `max_bytes`: the rest of the answer is thrown away as it comes in.
/// See `sql/queries/read_ranges.sql`.
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
    let mut page = Page { events: Vec::new(), read_through: None, expired_through: 0 };
    let mut room = (usize::try_from(limit).unwrap_or(usize::MAX), max_bytes);
    while let Some(row) = rows.try_next().await? {
        if let Some(expired_through) = row.try_get("expired_through")? {
            page.expired_through = expired_through;
            page.read_through = row.try_get("read_through")?;
            continue;
        }
        let event = decode::event(&row)?;
        room = (room.0.saturating_sub(1), room.1.saturating_sub(event.size()));
        if room.0 == 0 || room.1 == 0 {
            page.read_through = Some(event.id);
        }
        page.events.push(event);
        if room.1 == 0 {
            break;
        }
    }
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
    let firsts: Vec<i64> = row.try_get("firsts")?;
    let lasts: Vec<Option<i64>> = row.try_get("lasts")?;
    let undecided = firsts.into_iter().zip(lasts).map(|(first, last)| (first, last.unwrap_or(i64::MAX))).collect();
    Ok(Start { undecided, drawn: row.try_get("drawn")?, expired_through: row.try_get("expired_through")? })
}

/// What has committed by now, as the text of a cursor.
///
/// # Errors
/// When the database fails.
pub async fn current_cursor(connection: &Connection) -> Result<Box<str>, Error> {
    let row = connection.query_one(include_str!("../../sql/queries/current_cursor.sql"), &[]).await?;
    Ok(row.try_get("cursor")?)
}

/// Remembers that every id is decided but for these ranges, of which the last is without end; unless the timeline is another one by now.
///
/// # Errors
/// When the database fails.
pub async fn store_settled(connection: &Connection, undecided: &[IdRange], timeline: i64) -> Result<(), Error> {
    let statement = include_str!("../../sql/queries/store_settled.sql");
    let (firsts, lasts): (Vec<i64>, Vec<Option<i64>>) =
        undecided.iter().map(|&(first, last)| (first, (last < i64::MAX).then_some(last))).unzip();
    connection.execute(statement, &[&firsts, &lasts, &timeline]).await?;
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
