//! A server restarts, and everybody comes back at once: served from the log, with a handful of queries.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Parser;
use rowcast::{
    app::{self, App},
    config::Config,
    metrics::Metrics,
};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::harness::{Database, PATIENCE, Role, SECRET, eventually, sse, token};

/// Clients, each of another user. `bench/storm.rs` is the same with ten times as many.
const CLIENTS: i64 = 500;
const ORGANIZATIONS: i64 = 50;
const EVENTS: i64 = 2_000;

/// Queries of grants that they may cost. Somebody comes first, and each query is for all who came during the one before.
const QUERIES: u64 = 30;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    config: Config,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_come_back_at_once_and_cost_a_handful_of_queries() {
    let db = Database::new().await;
    let admin = db.connect().await;
    let join = "INSERT INTO rowcast.memberships SELECT 'user' || n, 'o' || n % $2::bigint, 'member' FROM generate_series(0, $1::bigint - 1) n";
    admin.execute(join, &[&CLIENTS, &ORGANIZATIONS]).await.unwrap();
    let writer = db.connect_as(Role::Writer).await;
    let emit = "SELECT rowcast.emit('document_processing', 'o' || n % $2::bigint, '{}') FROM generate_series(0, $1::bigint - 1) n";
    writer.query(emit, &[&EVENTS, &ORGANIZATIONS]).await.unwrap();

    // The first server leaves word of how far everything is decided. The second begins there, and has to look further back for its clients.
    let first = Running::start(&db).await;
    let settled = "SELECT id FROM rowcast.settled";
    eventually("the events to be settled", async || {
        // It is stored when there is something to read.
        writer.query(emit, &[&1_i64, &ORGANIZATIONS]).await.unwrap();
        (admin.query_one(settled, &[]).await.unwrap().get::<_, i64>(0) >= EVENTS).then_some(())
    })
    .await;
    let head: i64 = admin.query_one("SELECT max(id) FROM rowcast.outbox", &[]).await.unwrap().get(0);
    first.stop().await;
    let Running { address, metrics, shutdown, serving } = Running::start(&db).await;
    let before = metrics.grant_queries.get();

    let started = Instant::now();
    let mut clients = JoinSet::new();
    for n in 0..CLIENTS {
        clients.spawn(catch_up(address.clone(), n, head));
    }
    let caught_up = tokio::time::timeout(PATIENCE, clients.join_all()).await.expect("they do not catch up");
    println!(
        "{CLIENTS} clients caught up in {:?} with {} queries",
        started.elapsed(),
        metrics.grant_queries.get() - before
    );
    assert!(caught_up.iter().sum::<usize>() > 0);
    assert_eq!((metrics.outbox_scans.get(), metrics.fell_behind.get()), (0, 0), "the log had all of it");
    assert!(metrics.grant_queries.get() - before <= QUERIES, "{} queries", metrics.grant_queries.get() - before);
    Running { address, metrics, shutdown, serving }.stop().await;
}

/// A server in this process, whose work can be counted.
struct Running {
    address: String,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
    serving: JoinHandle<Result<(), app::Error>>,
}

impl Running {
    async fn start(db: &Database) -> Self {
        let url = format!("{}&application_name=server-storm", db.url_as(Role::Server));
        let arguments = ["test", "--database-url", &url, "--jwt-secret", SECRET, "--listen-addr", "127.0.0.1:0"];
        let shutdown = CancellationToken::new();
        let app = App::start(Arguments::parse_from(arguments).config, shutdown.clone()).await.unwrap();
        let (address, metrics) = (app.url(), app.metrics());
        Self { address, metrics, shutdown, serving: tokio::spawn(app.run()) }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.serving.await.unwrap().unwrap();
    }
}

/// Comes back with a cursor from somewhere in the past; returns how many events it had missed, and has had now.
async fn catch_up(url: String, n: i64, head: i64) -> usize {
    let after = fastrand::i64(0..EVENTS);
    let missed = (after..EVENTS).filter(|event| event % ORGANIZATIONS == n % ORGANIZATIONS).map(|event| event + 1);
    // What came later was all of one organization.
    let later = (EVENTS + 1..=head).filter(|_| n % ORGANIZATIONS == 0);
    let missed: Vec<i64> = missed.chain(later).collect();
    let token = token(&format!("user{n}"));
    let mut stream = sse::Client::connect(&url, &token, Some(&after.to_string())).await;
    assert_eq!(stream.next_of("connection_status").await.id.unwrap(), after.to_string());
    for id in &missed {
        assert_eq!(stream.next_of("document_processing").await.json()["id"], id.to_string());
    }
    // Nothing more.
    assert!(tokio::time::timeout(Duration::from_millis(20), stream.next_event()).await.is_err());
    missed.len()
}
