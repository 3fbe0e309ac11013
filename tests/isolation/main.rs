//! Nobody sees what they may not, and everybody all that they may: tried at random.
//!
//! Two servers on one Postgres; writers in several organizations, in none, for one user and for all; and meanwhile, all the time, changes of everything that access depends on: memberships, roles,
//! what event types need, redactions, and the adopter's own tables behind `use_grants`. Clients open, leave, resume with new and old cursors, poll, nap, restrict what they ask for, and change that on open streams. Every
//! COMMIT is noted before and after, every delivery when it was read, and in the end a model of the rules (`rules.rs`), which shares no code with the server, judges each of them (`judge.rs`).
//!
//! `make isolation` runs it for ten minutes, `cargo test` for half a minute. Settings:
//! - `ROWCAST_ISOLATION_SECONDS`: how long things change.
//! - `ROWCAST_ISOLATION_SEED`: the world and the choices of another run.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and tells what it has seen"
)]

#[path = "../soak/choices.rs"]
mod choices;
mod clients;
mod commands;
mod events;
#[path = "../it/harness/mod.rs"]
mod harness;
mod history;
mod judge;
mod moments;
mod officials;
mod rules;
mod world;
mod writers;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{sync::watch, task::JoinSet, time::sleep};
use tokio_postgres::Client as Connection;

use self::{
    choices::Choices,
    clients::{COOKIE, Client, Names},
    events::Key,
    harness::{Database, Role, Server},
    history::History,
    judge::{Verdict, judge},
    moments::{Clock, Timeline},
    rules::Access,
    world::{USERS, World},
};

/// Without `ROWCAST_ISOLATION_SECONDS`.
const SECONDS: u64 = 25;

const WRITERS: u64 = 5;
const OFFICIALS: usize = 4;

/// A log so small that who was away, or slow, reads from the outbox; limits that nobody here is to meet.
const SETTINGS: [(&str, &str); 7] = [
    ("ROWCAST_LOG_MIB", "1"),
    ("ROWCAST_HEARTBEAT", "300ms"),
    ("ROWCAST_LOG", "warn"),
    ("ROWCAST_TOKEN_COOKIE", COOKIE),
    ("ROWCAST_MAX_CONNECTIONS_PER_USER", "10000"),
    ("ROWCAST_CONNECTS_PER_MINUTE", "1000000"),
    ("ROWCAST_COMMANDS_PER_MINUTE", "1000000"),
];

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_what_they_may_not_and_everybody_all_that_they_may() {
    let duration = Duration::from_secs(setting("ROWCAST_ISOLATION_SECONDS").unwrap_or(SECONDS));
    let seed = setting("ROWCAST_ISOLATION_SEED").unwrap_or_else(|| u64::from(fastrand::u32(..)));
    println!("access changes for {duration:?}, ROWCAST_ISOLATION_SEED={seed}");
    let history = happen(duration, seed).await;
    let verdict = judge(&history);
    println!(
        "{:>10} events\n{:>10} changes of access\n{:>10} sessions\n{verdict}ROWCAST_ISOLATION_SEED={seed}",
        history.events.len(),
        history.access.changes(),
        history.sessions.len(),
    );
    assert!(verdict.offences.is_empty(), "{verdict}ROWCAST_ISOLATION_SEED={seed}");
    check_that_it_was_a_test(&history, &verdict, duration);
}

/// A run in which next to nothing happened proves nothing.
fn check_that_it_was_a_test(history: &History, verdict: &Verdict, duration: Duration) {
    let seconds = usize::try_from(duration.as_secs()).unwrap();
    let enough = [
        history.access.changes() > seconds,
        history.sessions.len() > 5 * seconds,
        verdict.owed > 20 * seconds,
        verdict.withheld > 20 * seconds,
        verdict.hidden > 5 * seconds,
        verdict.refused > 0,
        verdict.changed > seconds,
        verdict.rewound > seconds / 5,
        verdict.meddled > seconds / 5,
    ];
    assert!(enough.iter().all(|enough| *enough), "little happened: {enough:?}\n{verdict}");
}

async fn happen(duration: Duration, seed: u64) -> History {
    let db = Database::new().await;
    let world = World::draw(&mut Choices::of(seed, "world", 0).step());
    world::prepare(&db, &world).await;
    let servers = [Server::start_with(&db, &SETTINGS).await, Server::start_with(&db, &SETTINGS).await];
    let urls: Vec<String> = servers.iter().map(Server::url).collect();
    let clock = Arc::<Clock>::default();

    let last = watch::Sender::default();
    let names = Names::default();
    let mut clients = JoinSet::new();
    for number in 0..2 * USERS.len() {
        let mut choices = Choices::of(seed, "client", number as u64);
        let wanted = world::draw_wanted(USERS[number / 2], &mut choices.step());
        let (clock, names) = (Arc::clone(&clock), Arc::clone(&names));
        clients.spawn(Client::new(wanted, urls.clone(), choices, clock, names, last.subscribe()).run());
    }
    let stop = watch::Sender::new(false);
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let emits = number == 0;
        let connection = db.connect_as(if emits { Role::Writer } else { Role::App }).await;
        let choices = Choices::of(seed, "writer", number);
        writers.spawn(writers::write(connection, emits, choices, Arc::clone(&clock), stop.subscribe()));
    }
    let mut officials = JoinSet::new();
    for (number, facts) in world.shared_out(OFFICIALS).into_iter().enumerate() {
        let choices = Choices::of(seed, "official", number as u64);
        officials.spawn(officials::change(db.connect().await, choices, facts, Arc::clone(&clock), stop.subscribe()));
    }
    let visits = tokio::spawn(officials::be_seen(db.connect_as(Role::App).await, stop.subscribe()));

    let end = Instant::now() + duration;
    while Instant::now() < end && !clients.is_empty() {
        // A client that has failed has ended: nobody has been told to.
        tokio::select! {
            () = sleep(end.saturating_duration_since(Instant::now())) => {}
            Some(ended) = clients.join_next() => drop(ended.unwrap()),
        }
    }
    stop.send_replace(true);
    let changes: HashMap<_, Timeline<_>> = officials.join_all().await.into_iter().flatten().collect();
    let events = writers.join_all().await.into_iter().flatten().collect();
    assert!(visits.await.unwrap() > 0);

    let ids = read_outbox(&db.connect().await).await;
    last.send_replace(Some(*ids.last_key_value().unwrap().0));
    let sessions = clients.join_all().await.into_iter().flatten().collect();
    for server in servers {
        server.stop().await;
    }
    let unchanged = world.facts.iter().map(|&(fact, value)| (fact, Timeline::new(value)));
    History { access: Access::new(unchanged.chain(changes)), events, ids, sessions }
}

/// What each event is called that was captured.
async fn read_outbox(connection: &Connection) -> BTreeMap<i64, Key> {
    let all = "SELECT id, operation, data FROM rowcast.outbox";
    let rows = connection.query(all, &[]).await.unwrap();
    let operation =
        |name: &str| ["INSERT", "UPDATE", "DELETE", "EMIT"].into_iter().find(|known| *known == name).unwrap();
    let key = |data: &Value| data["number"].as_u64().unwrap();
    rows.iter().map(|row| (row.get(0), (key(&row.get(2)), operation(row.get(1))))).collect()
}
