//! Writers at random, who go on whatever the database says.

use std::{iter::Sum, time::Duration};

use tokio::{sync::watch, task::JoinSet, time::sleep};
use tokio_postgres::{Client, Transaction};

use crate::{
    choices::{Choices, milliseconds},
    faults::Urls,
    harness::Role,
    world::{ORGANIZATIONS, TABLES},
};

const WRITERS: u64 = 8;

/// How long to wait for the database to come back.
const RETRY: Duration = Duration::from_millis(50);

/// What they have done.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) commits: u64,
    pub(crate) rollbacks: u64,
    /// Transactions that were broken off, and attempts to connect.
    pub(crate) failures: u64,
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |a, b| Self {
            commits: a.commits + b.commits,
            rollbacks: a.rollbacks + b.rollbacks,
            failures: a.failures + b.failures,
        })
    }
}

/// Puts them to work until they are told to stop.
pub(crate) fn start(urls: &Urls, seed: u64, stop: &watch::Sender<bool>) -> JoinSet<Counts> {
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        writers.spawn(write(urls.clone(), number, Choices::of(seed, "writer", number), stop.subscribe()));
    }
    writers
}

async fn write(urls: Urls, number: u64, mut choices: Choices, stop: watch::Receiver<bool>) -> Counts {
    // One is allowed to emit events; to the others rowcast does not exist.
    let role = if number == 0 { Role::Writer } else { Role::App };
    let mut counts = Counts::default();
    let mut client = None;
    while !*stop.borrow() {
        let mut draw = choices.step();
        sleep(milliseconds(&mut draw, 0..60)).await;
        if client.as_ref().is_none_or(Client::is_closed) {
            client = urls.try_connect(role).await.ok();
        }
        let done = match &mut client {
            Some(client) => transaction(client, role, &mut draw).await.ok(),
            None => None,
        };
        match done {
            Some(true) => counts.commits += 1,
            Some(false) => counts.rollbacks += 1,
            None => {
                counts.failures += 1;
                sleep(RETRY).await;
            }
        }
    }
    counts
}

/// True if it was committed.
async fn transaction(client: &mut Client, role: Role, draw: &mut fastrand::Rng) -> Result<bool, tokio_postgres::Error> {
    let mut transaction = client.transaction().await?;
    for _ in 0..draw.u8(1..4) {
        match draw.u8(..12) {
            0 => {
                // Two deep, of which the inner, or both, come to nothing.
                let mut outer = transaction.savepoint("outer").await?;
                statement(&outer, role, draw).await?;
                let inner = outer.savepoint("inner").await?;
                statement(&inner, role, draw).await?;
                inner.rollback().await?;
                statement(&outer, role, draw).await?;
                if draw.bool() { outer.commit().await? } else { outer.rollback().await? }
            }
            1 => sleep(milliseconds(draw, 1..400)).await,
            _ => statement(&transaction, role, draw).await?,
        }
    }
    let commit = draw.u8(..5) > 0;
    if commit {
        transaction.commit().await?;
    } else {
        transaction.rollback().await?;
    }
    Ok(commit)
}

async fn statement(
    transaction: &Transaction<'_>,
    role: Role,
    draw: &mut fastrand::Rng,
) -> Result<(), tokio_postgres::Error> {
    let (table, _) = TABLES[draw.usize(..TABLES.len())];
    let organization = ORGANIZATIONS[draw.usize(..ORGANIZATIONS.len())];
    let [row, other] = [i64::from(draw.u32(1..150)), i64::from(draw.u32(1..150))];
    match draw.u8(..12) {
        0..4 => {
            let insert = format!("INSERT INTO {table} (organization, version) VALUES ($1, 1)");
            transaction.execute(&insert, &[&organization]).await?;
        }
        4..7 => {
            let update = format!("UPDATE {table} SET version = version + 1 WHERE id = $1");
            transaction.execute(&update, &[&row]).await?;
        }
        7..9 => {
            let update = format!("UPDATE {table} SET version = version + 1 WHERE id IN ($1, $2)");
            transaction.execute(&update, &[&row, &other]).await?;
        }
        9 => {
            let update = format!("UPDATE {table} SET version = version + 1, organization = $2 WHERE id = $1");
            transaction.execute(&update, &[&row, &organization]).await?;
        }
        10 => {
            transaction.execute(&format!("DELETE FROM {table} WHERE id = $1 AND version > 3"), &[&row]).await?;
        }
        _ if role == Role::Writer => {
            let emit = "SELECT rowcast.emit('document_processing', $1, jsonb_build_object('number', $2::bigint))";
            let organization = draw.bool().then_some(organization);
            transaction.execute(emit, &[&organization, &row]).await?;
        }
        _ => {
            let bulk =
                format!("INSERT INTO {table} (organization, version) SELECT $1, 1 FROM generate_series(1, $2::bigint)");
            transaction.execute(&bulk, &[&organization, &(row / 4)]).await?;
        }
    }
    Ok(())
}
