//! Which life of the database a connection speaks to, and the list of all that servers have found.

use jiff::Timestamp;
use tokio_postgres::Row;
use tracing::warn;

use super::{Connection, Error};
use crate::{
    cursor::{Cursor, IdRange},
    epoch::{Epochs, Life},
};

/// What somebody who was there still knows of a life.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Which life.
    pub life: Life,
    /// Its number.
    pub epoch: u32,
    /// Ids that were rolled back in it.
    pub rolled_back: Cursor,
    /// The highest id that was seen in it.
    pub high: i64,
    /// Of the events that were seen last, id and time.
    pub latest: Vec<(i64, Timestamp)>,
}

/// Where we are.
#[derive(Clone, Debug)]
pub struct Current {
    /// The life that the connection speaks to.
    pub life: Life,
    /// All lives up to it.
    pub epochs: Epochs,
}

/// Looks up which life of the database this is. If no server has found it yet, we have.
///
/// # Errors
/// When the database fails, is a standby, or has a sequence that lags behind its table.
pub async fn enter(connection: &Connection, memory: Option<&Memory>) -> Result<Current, Error> {
    loop {
        let (life, drawn) = read_life(connection).await?;
        let found = read_epochs(connection).await?;
        let undone = match (found.last(), memory) {
            (Some(newest), Some(memory)) if newest.is(memory) => is_undone(connection, memory, drawn).await?,
            _ => false,
        };
        if !undone && found.last().is_some_and(|newest| newest.life == life) {
            return Ok(current(life, &found, memory));
        }
        let (epoch, inherited) = match found.last() {
            Some(newest) => (newest.epoch + 1, read_inherited(connection, life, newest, memory).await?),
            None => (0, Cursor::default()),
        };
        if begin(connection, life, epoch, &inherited).await? && epoch > 0 {
            warn!(epoch, %inherited, "another life of the database has begun; clients that have seen more than it inherited will fetch anew");
        }
    }
}

/// The number of the newest life that any server has found.
///
/// # Errors
/// When the database fails.
pub async fn read_newest(connection: &Connection) -> Result<u32, Error> {
    let newest = read_epochs(connection).await?.last().map_or(0, |row| row.epoch);
    Ok(u32::try_from(newest).unwrap_or(0))
}

/// One row of `rowcast.epochs`.
struct Found {
    epoch: i32,
    life: Life,
    inherited: Cursor,
}

fn current(life: Life, found: &[Found], memory: Option<&Memory>) -> Current {
    // Where a row has been deleted, nobody knows what was inherited, and everybody fetches anew.
    let inherited = |epoch| found.iter().find(|row| row.epoch == epoch).map(|row| row.inherited.clone());
    let newest = found.last().map_or(0, |row| row.epoch);
    let mut epochs = Epochs::new((1..=newest).map(|epoch| inherited(epoch).unwrap_or_default()).collect());
    if let Some(memory) = memory
        && found.iter().any(|row| row.is(memory))
    {
        epochs.note_rolled_back(memory.epoch, &memory.rolled_back);
    }
    Current { life, epochs }
}

impl Found {
    fn is(&self, memory: &Memory) -> bool {
        i64::from(self.epoch) == i64::from(memory.epoch) && self.life == memory.life
    }
}

/// Whether the database has forgotten some of what was seen, though it calls itself the same: a crash undoes what was committed asynchronously, and a copy of
/// its files may have been put back.
async fn is_undone(connection: &Connection, memory: &Memory, drawn: i64) -> Result<bool, Error> {
    if drawn < memory.high {
        return Ok(true);
    }
    let (ids, times): (Vec<i64>, Vec<i64>) =
        memory.latest.iter().map(|(id, time)| (*id, time.as_microsecond())).unzip();
    let statement = include_str!("../../sql/queries/count_undone.sql");
    Ok(connection.query_one(statement, &[&ids, &times]).await?.try_get::<_, i64>("undone")? > 0)
}

/// Which life this is, and how far ids have been given out in it.
async fn read_life(connection: &Connection) -> Result<(Life, i64), Error> {
    let statement = include_str!("../../sql/queries/read_life.sql");
    let row = connection.query_one(statement, &[]).await?;
    let (drawn, highest) = (row.try_get("drawn")?, row.try_get("highest")?);
    if drawn < highest {
        return Err(Error::SequenceBehind { drawn, highest });
    }
    Ok((life(&row)?, drawn))
}

async fn read_epochs(connection: &Connection) -> Result<Vec<Found>, Error> {
    let statement = include_str!("../../sql/queries/read_epochs.sql");
    let rows = connection.query(statement, &[]).await?;
    let found = rows.iter().map(|row| {
        let text: &str = row.try_get("inherited")?;
        // What cannot be read inherits nothing: then everybody fetches anew.
        Ok(Found { epoch: row.try_get("epoch")?, life: life(row)?, inherited: text.parse().unwrap_or_default() })
    });
    Ok(found.collect::<Result<_, tokio_postgres::Error>>()?)
}

fn life(row: &Row) -> Result<Life, tokio_postgres::Error> {
    Ok(Life {
        system_identifier: row.try_get("system_identifier")?,
        database: row.try_get("database")?,
        timeline: row.try_get("timeline")?,
    })
}

async fn read_inherited(
    connection: &Connection,
    life: Life,
    newest: &Found,
    memory: Option<&Memory>,
) -> Result<Cursor, Error> {
    let statement = include_str!("../../sql/queries/read_inherited.sql");
    let row = connection.query_one(statement, &[&life.is_promoted_from(&newest.life)]).await?;
    let (firsts, lasts): (Vec<i64>, Vec<i64>) = (row.try_get("firsts")?, row.try_get("lasts")?);
    let inherited = Cursor::with_gaps(row.try_get("high")?, firsts.into_iter().zip(lasts).collect::<Vec<IdRange>>());
    Ok(match memory {
        Some(memory) if newest.is(memory) => inherited.union(&memory.rolled_back.truncated(inherited.high())),
        _ => inherited,
    })
}

/// False if another server was faster, or the life has ended already.
async fn begin(connection: &Connection, life: Life, epoch: i32, inherited: &Cursor) -> Result<bool, Error> {
    let statement = include_str!("../../sql/queries/begin_epoch.sql");
    let Life { system_identifier, database, timeline } = life;
    let inherited = inherited.to_string();
    let begun = connection.query(statement, &[&epoch, &system_identifier, &database, &timeline, &inherited]).await?;
    Ok(!begun.is_empty())
}
