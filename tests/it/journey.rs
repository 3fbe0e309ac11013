//! The promise as a whole: writers that commit, roll back and dawdle, clients that come and go on two servers, and the outbox as the oracle.
//!
//! Every client must end up with every committed event of its organizations, with none of any other's, and with each row's events in the order in
//! which they were committed.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, Instant},
};

use rowcast::cursor::Cursor;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio_postgres::{Client, error::SqlState};

use crate::harness::{Database, Role, Server, sse};

const ORGANIZATIONS: [&str; 4] = ["o1", "o2", "o3", "o4"];
const WRITERS: u64 = 32;

/// The clients' organizations, as indices; some are in several, the last is platform staff.
const CLIENTS: [&[usize]; 8] = [&[0], &[1], &[2], &[3], &[0, 1], &[1, 2, 3], &[0, 3], &[0, 1, 2, 3]];

/// How long the writers write. `ROWCAST_TEST_JOURNEY_SECONDS` makes it shorter or longer.
fn duration() -> Duration {
    let seconds = std::env::var("ROWCAST_TEST_JOURNEY_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(60))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_committed_event_reaches_whom_it_is_for() {
    let db = Database::new().await;
    prepare(&db).await;
    let servers = [Server::start(&db).await, Server::start(&db).await];
    let deadline = Instant::now() + duration();

    // One transaction of ours is open from before the first event until after the last, and one in another database too.
    let mut whole_test = db.connect_as(Role::App).await;
    let whole_test = whole_test.transaction().await.unwrap();
    whole_test.execute(INSERT, &[&"o1"]).await.unwrap();
    let elsewhere = Database::new().await;
    let mut elsewhere_client = elsewhere.connect().await;
    let foreign = elsewhere_client.transaction().await.unwrap();
    foreign.query_one("SELECT pg_current_xact_id()::text", &[]).await.unwrap();

    let (done, _) = tokio::sync::watch::channel(None::<Oracle>);
    let mut clients = JoinSet::new();
    for (number, organizations) in CLIENTS.iter().enumerate() {
        let urls = servers.each_ref().map(Server::url);
        let expected = done.subscribe();
        clients.spawn(follow(number, organizations, urls, expected));
    }
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let client = db.connect_as(Role::App).await;
        writers.spawn(write(client, number, deadline));
    }
    let written: Counts = writers.join_all().await.into_iter().sum();
    whole_test.commit().await.unwrap();
    foreign.rollback().await.unwrap();

    let oracle = oracle(&db.connect().await).await;
    let events: usize = oracle.values().map(BTreeMap::len).sum();
    assert!(written.commits > 100 && written.rollbacks > 20, "the writers were hardly at work: {written:?}");
    done.send_replace(Some(oracle));
    let mut got = Received::default();
    for received in clients.join_all().await {
        got.events += received.events;
        got.connections += received.connections;
        got.repeats += received.repeats;
        got.late += received.late;
    }
    println!("{written:?}; {events} events in the outbox; clients: {got:?}");
    assert!(got.late > 0, "no event committed out of the order of its id: the test tested nothing");
    for server in servers {
        server.stop().await;
    }
}

/// The committed events of each organization: outbox id → what it says of which row.
type Oracle = HashMap<String, BTreeMap<i64, Fact>>;

/// What an event says: of which row, and its content.
type Fact = (Option<String>, String, Value);

const INSERT: &str = "INSERT INTO items (organization, version) VALUES ($1, 1)";

async fn prepare(db: &Database) {
    let owner = db.connect_as(Role::Writer).await;
    owner
        .batch_execute(
            "CREATE TABLE items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, organization text, version int NOT NULL);
             GRANT SELECT, INSERT, UPDATE, DELETE ON items TO PUBLIC;
             SELECT rowcast.attach('items', 'document_processing', organization_id => 'r.organization');",
        )
        .await
        .unwrap();
    let admin = db.connect().await;
    for (number, organizations) in CLIENTS.iter().enumerate() {
        let user = format!("client{number}");
        for &organization in *organizations {
            let insert = "INSERT INTO rowcast.memberships VALUES ($1, $2, 'member')";
            admin.execute(insert, &[&user, &ORGANIZATIONS[organization]]).await.unwrap();
        }
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    commits: u32,
    rollbacks: u32,
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts
            .fold(Self::default(), |a, b| Self { commits: a.commits + b.commits, rollbacks: a.rollbacks + b.rollbacks })
    }
}

/// One writer: transactions of a few statements, some with savepoints, some with pauses, some rolled back.
async fn write(mut client: Client, seed: u64, deadline: Instant) -> Counts {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut counts = Counts::default();
    while Instant::now() < deadline {
        match write_once(&mut client, &mut random).await {
            Ok(true) => counts.commits += 1,
            Ok(false) => counts.rollbacks += 1,
            // Writers of the same rows deadlock now and then, as in life.
            Err(error) if error.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED) => counts.rollbacks += 1,
            Err(error) => panic!("a write failed: {error:?}"),
        }
    }
    counts
}

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

async fn oracle(admin: &Client) -> Oracle {
    let mut oracle = Oracle::new();
    let rows = admin
        .query("SELECT id, organization_id, source_key, operation, data FROM rowcast.outbox WHERE audience = 'organization'", &[])
        .await
        .unwrap();
    for row in rows {
        let fact = (row.get("source_key"), row.get("operation"), row.get("data"));
        oracle.entry(row.get("organization_id")).or_default().insert(row.get("id"), fact);
    }
    oracle
}

#[derive(Debug, Default)]
struct Received {
    events: usize,
    connections: usize,
    /// Events that came again, because the connection broke between an event and its cursor.
    repeats: usize,
    /// Events whose id was below one that came before.
    late: usize,
}

/// One client: follows the stream, breaks off at random, comes back to either server, until it has what the oracle says.
async fn follow(
    number: usize,
    organizations: &'static [usize],
    urls: [String; 2],
    mut expected: tokio::sync::watch::Receiver<Option<Oracle>>,
) -> Received {
    let mut random = fastrand::Rng::with_seed(1_000 + number as u64);
    let organizations: BTreeSet<&str> = organizations.iter().map(|&organization| ORGANIZATIONS[organization]).collect();
    let token = crate::harness::token(&format!("client{number}"));
    // From the very beginning, so that nothing is missed while the client starts.
    let mut cursor = String::from("0");
    let mut seen: BTreeMap<i64, (String, Fact)> = BTreeMap::new();
    let mut last_of_row: HashMap<String, i64> = HashMap::new();
    let mut received = Received::default();
    let mut give_up = None;
    loop {
        let oracle = expected.borrow_and_update().clone();
        if let Some(oracle) = &oracle {
            let wanted: usize = organizations.iter().filter_map(|&name| oracle.get(name)).map(BTreeMap::len).sum();
            if seen.len() >= wanted {
                compare(number, oracle, &organizations, &seen);
                return received;
            }
            let give_up = *give_up.get_or_insert(Instant::now() + Duration::from_secs(30));
            if Instant::now() > give_up {
                compare(number, oracle, &organizations, &seen);
            }
        }
        let mut stream = sse::Client::connect(&urls[random.usize(..2)], &token, Some(&cursor)).await;
        received.connections += 1;
        let until = Instant::now() + Duration::from_millis(random.u64(20..2_500));
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            let Ok(event) = tokio::time::timeout(left, stream.next_event()).await else { break };
            let Some(event) = event else { break };
            if let Some(id) = event.id {
                cursor = id;
            }
            if event.event != "document_processing" {
                continue;
            }
            let envelope: Value = serde_json::from_str(&event.data).unwrap();
            let id: i64 = envelope["id"].as_str().unwrap().parse().unwrap();
            received.events += 1;
            let last = seen.last_key_value().map(|(&last, _)| last);
            let organization = envelope["organizationId"].as_str().unwrap().to_owned();
            let fact = (
                envelope["key"].as_str().map(Into::into),
                envelope["operation"].as_str().unwrap().into(),
                envelope["data"].clone(),
            );
            if seen.insert(id, (organization, fact)).is_some() {
                received.repeats += 1;
                continue;
            }
            received.late += usize::from(Some(id) < last);
            let row = envelope["key"].as_str().unwrap().to_owned();
            let before = last_of_row.insert(row.clone(), id);
            assert!(before < Some(id), "client {number}: row {row}: event {id} came after {before:?}");
        }
        assert!(cursor.parse::<Cursor>().is_ok(), "{cursor}");
    }
}

fn compare(number: usize, oracle: &Oracle, organizations: &BTreeSet<&str>, seen: &BTreeMap<i64, (String, Fact)>) {
    let wanted: BTreeMap<i64, (String, Fact)> = organizations
        .iter()
        .flat_map(|&name| {
            oracle.get(name).into_iter().flatten().map(move |(&id, fact)| (id, (name.to_owned(), fact.clone())))
        })
        .collect();
    let lost: Vec<_> = wanted.iter().filter(|(id, _)| !seen.contains_key(id)).collect();
    assert!(
        lost.is_empty(),
        "client {number} lost {} of {} events: {:?}",
        lost.len(),
        wanted.len(),
        &lost[..lost.len().min(5)]
    );
    let leaked: Vec<_> = seen.iter().filter(|(id, _)| !wanted.contains_key(id)).collect();
    assert!(leaked.is_empty(), "client {number} got events that were not for it: {:?}", &leaked[..leaked.len().min(5)]);
    assert_eq!(&wanted, seen, "client {number} got events with other contents than the outbox");
}
