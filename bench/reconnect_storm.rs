//! Everybody comes back at once: a server restarts, and thousands of clients, each of another user and somewhere in the past, want what they missed.
//!
//! Server and clients share this process and its processors. It prints how long it took until the last of them had caught up, and what that cost the database.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on has failed, and tells what it has seen"
)]

use std::time::{Duration, Instant};

use clap::Parser;
use rowcast::{
    access::token,
    app::{self, App, migrate_at},
    config::Config,
    private_postgres::{Options, PrivatePostgres},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};
use tokio_postgres::NoTls;
use tokio_util::sync::CancellationToken;

const CLIENTS: i64 = 5_000;
const ORGANIZATIONS: i64 = 500;
/// Less than a server looks back at its start.
const EVENTS: i64 = 9_000;
const SECRET: &str = "for benchmarks, and known to everybody";

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    config: Config,
}

#[tokio::main]
async fn main() {
    let directory = std::env::temp_dir().join(format!("rowcast-bench-{:016x}", fastrand::u64(..)));
    let embedded = concat!(env!("CARGO_MANIFEST_DIR"), "/.rowcast/embedded").into();
    let options = Options { directory, embedded, binaries: None, throwaway: true, settings: Vec::new() };
    let postgres = PrivatePostgres::start(options).await.unwrap();
    let url = postgres.url("postgres");
    migrate_at(&url).await.unwrap();
    let (admin, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let join = "INSERT INTO rowcast.memberships SELECT 'user' || n, 'o' || n % $2::bigint, 'member' FROM generate_series(0, $1::bigint - 1) n";
    admin.execute(join, &[&CLIENTS, &ORGANIZATIONS]).await.unwrap();
    let emit = "SELECT rowcast.emit('document_processing', 'o' || n % $2::bigint, '{}') FROM generate_series(0, $1::bigint - 1) n";
    admin.query(emit, &[&EVENTS, &ORGANIZATIONS]).await.unwrap();

    let arguments = ["bench", "--database-url", &url, "--jwt-secret", SECRET, "--listen-addr", "127.0.0.1:0"];
    // All of them come from here.
    let arguments = arguments.into_iter().chain(["--max-connections-per-address", "10000"]);
    let shutdown = CancellationToken::new();
    let app = App::start(Arguments::parse_from(arguments).config, shutdown.clone()).await.unwrap();
    let (address, metrics) = (app.address().to_string(), app.metrics());
    let queries_before = metrics.grant_queries.get();
    let serving = tokio::spawn(app.run());
    let started = Instant::now();
    let mut clients = JoinSet::new();
    for n in 0..CLIENTS {
        clients.spawn(catch_up(address.clone(), n));
    }
    let caught_up = tokio::time::timeout(Duration::from_mins(2), clients.join_all()).await.unwrap();
    let took = started.elapsed();
    println!(
        "{CLIENTS} clients caught up in {took:.2?}, with {} events",
        caught_up.iter().map(|(missed, _)| missed).sum::<usize>()
    );
    println!("{} queries of grants", metrics.grant_queries.get() - queries_before);
    println!("{} pages of history were read from the outbox", metrics.outbox_scans.get());
    drop(caught_up);
    shutdown.cancel();
    let served: Result<(), app::Error> = serving.await.unwrap();
    served.unwrap();
    postgres.stop().await.unwrap();
}

/// Returns how many events it had missed, and has had now, and the stream, which stays open.
async fn catch_up(address: String, n: i64) -> (usize, TcpStream) {
    let after = fastrand::i64(0..EVENTS - ORGANIZATIONS);
    let missed = (after..EVENTS).filter(|event| event % ORGANIZATIONS == n % ORGANIZATIONS).count();
    let token = token::sign(SECRET, &format!("user{n}"), Duration::from_hours(1)).unwrap();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let request = format!(
        "GET /api/v1/realtime/sse HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nLast-Event-ID: {after}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut got = String::new();
    let mut bytes = [0; 4 * 1024];
    while got.matches("event: document_processing").count() < missed {
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(count > 0, "the stream ended: {got}");
        got.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
    (missed, stream)
}
