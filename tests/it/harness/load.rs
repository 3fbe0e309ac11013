//! Constant work for a server: concurrent writers that commit, roll back, use savepoints and dawdle, and go on whatever happens to the database.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, task::JoinSet};
use tokio_postgres::{Client, NoTls, error::SqlState};

use super::{GLANCE, Place, Role, eventually};

/// Whose rows the writers write.
pub(crate) const ORGANIZATIONS: [&str; 4] = ["o1", "o2", "o3", "o4"];

/// The followers' organizations, as indices; some are in several, the last is platform staff.
pub(super) const MEMBERS: [&[usize]; 8] = [&[0], &[1], &[2], &[3], &[0, 1], &[1, 2, 3], &[0, 3], &[0, 1, 2, 3]];

/// Adds a row of an organization.
pub(crate) const INSERT: &str = "INSERT INTO items (organization, version) VALUES ($1, 1)";

/// Makes the table that the writers write, attached, and the followers' memberships.
pub(crate) async fn prepare(place: &impl Place) {
    let owner = place.connect_as(Role::Writer).await;
    owner
        .batch_execute(
            "CREATE TABLE items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, organization text, version int NOT NULL);
             GRANT SELECT, INSERT, UPDATE, DELETE ON items TO PUBLIC;
             SELECT rowcast.attach('items', 'document_processing', organization_id => 'r.organization');",
        )
        .await
        .unwrap();
    let admin = place.connect_as(Role::Owner).await;
    for (number, organizations) in MEMBERS.iter().enumerate() {
        let user = follower(number);
        for &organization in *organizations {
            let insert = "INSERT INTO rowcast.memberships VALUES ($1, $2, 'member')";
            admin.execute(insert, &[&user, &ORGANIZATIONS[organization]]).await.unwrap();
        }
    }
}

/// The user id of one of the followers.
pub(super) fn follower(number: usize) -> String {
    format!("client{number}")
}

/// What the writers have done.
#[derive(Debug, Default, Clone)]
pub(crate) struct Counts {
    pub(crate) commits: u64,
    pub(crate) rollbacks: u64,
    /// Transactions that the database did not let through, and attempts to connect.
    pub(crate) failures: u64,
    /// What it said, the last time.
    pub(crate) last_failure: Option<String>,
}

/// Writers at work. They end with it.
pub(crate) struct Load {
    writers: JoinSet<Counts>,
    stop: watch::Sender<bool>,
    failures: Arc<AtomicU64>,
}

impl Load {
    /// Puts `writers` to work; each rests for up to twice `rest` between two transactions. The seed decides what they do, not when.
    pub(crate) fn start(place: &impl Place, writers: u64, rest: Duration, seed: u64) -> Self {
        let stop = watch::Sender::new(false);
        let failures = Arc::default();
        let url = place.url_as(Role::App);
        let mut set = JoinSet::new();
        for number in 0..writers {
            let random = fastrand::Rng::with_seed(seed.wrapping_mul(1_000).wrapping_add(number));
            set.spawn(write(url.clone(), random, rest, stop.subscribe(), Arc::clone(&failures)));
        }
        Self { writers: set, stop, failures }
    }

    /// Completes when this many more transactions have failed.
    pub(crate) async fn fail(&self, count: u64) {
        let failures = || self.failures.load(Ordering::Relaxed);
        let enough = failures() + count;
        eventually("writes to fail", async || (failures() >= enough).then_some(())).await;
    }

    /// Lets every writer finish its transaction.
    pub(crate) async fn stop(self) -> Counts {
        self.stop.send_replace(true);
        self.writers.join_all().await.into_iter().fold(Counts::default(), |a, b| Counts {
            commits: a.commits + b.commits,
            rollbacks: a.rollbacks + b.rollbacks,
            failures: a.failures + b.failures,
            last_failure: a.last_failure.or(b.last_failure),
        })
    }
}

/// One writer, over as many connections as it takes.
async fn write(
    url: String,
    mut random: fastrand::Rng,
    rest: Duration,
    stop: watch::Receiver<bool>,
    failures: Arc<AtomicU64>,
) -> Counts {
    let mut counts = Counts::default();
    while !*stop.borrow() {
        let mut client = match tokio_postgres::connect(&url, NoTls).await {
            Ok((client, connection)) => {
                // It ends with the client.
                tokio::spawn(connection);
                client
            }
            Err(error) => {
                counts.note_failure(&error);
                failures.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(GLANCE).await;
                continue;
            }
        };
        while !*stop.borrow() && !client.is_closed() {
            match write_once(&mut client, &mut random).await {
                Ok(true) => counts.commits += 1,
                Ok(false) => counts.rollbacks += 1,
                // Writers of the same rows deadlock now and then, as in life.
                Err(error) if error.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED) => counts.rollbacks += 1,
                Err(error) => {
                    counts.note_failure(&error);
                    failures.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(GLANCE).await;
                }
            }
            tokio::time::sleep(rest.mul_f64(2.0 * random.f64())).await;
        }
    }
    counts
}

impl Counts {
    fn note_failure(&mut self, error: &tokio_postgres::Error) {
        self.failures += 1;
        self.last_failure =
            Some(error.as_db_error().map_or_else(|| error.to_string(), |said| said.message().to_owned()));
    }
}

/// One transaction of a few statements. True if it was committed.
async fn write_once(client: &mut Client, random: &mut fastrand::Rng) -> Result<bool, tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    for _ in 0..random.u8(1..4) {
        let organization = ORGANIZATIONS[random.usize(..4)];
        let row = i64::from(random.u32(1..200));
        match random.u8(..10) {
            0..4 => drop(transaction.execute(INSERT, &[&organization]).await?),
            4..7 => {
                let update = "UPDATE items SET version = version + 1 WHERE id = $1";
                transaction.execute(update, &[&row]).await?;
            }
            7 => {
                let moved = "UPDATE items SET version = version + 1, organization = $2 WHERE id = $1";
                transaction.execute(moved, &[&row, &organization]).await?;
            }
            8 => drop(transaction.execute("DELETE FROM items WHERE id = $1 AND version > 3", &[&row]).await?),
            _ => {
                transaction.batch_execute("SAVEPOINT here").await?;
                transaction.execute(INSERT, &[&organization]).await?;
                transaction.batch_execute("ROLLBACK TO SAVEPOINT here").await?;
            }
        }
        if random.u8(..4) == 0 {
            let pause = if random.u8(..20) == 0 { 400 } else { 20 };
            tokio::time::sleep(Duration::from_millis(random.u64(..pause))).await;
        }
    }
    let commit = random.u8(..5) > 0;
    if commit {
        transaction.commit().await?;
    } else {
        transaction.rollback().await?;
    }
    Ok(commit)
}
