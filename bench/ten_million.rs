//! Does an outbox of ten million rows slow anything down? Compared, in one run, with one of ten thousand, on a private Postgres.
//!
//! ```sh
//! cargo bench --bench ten_million [-- ROWS]
//! ```
//!
//! Prints one line for each measurement: small, large, and their ratio. All partitions but the last are closed and indexed.

#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
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
    task::JoinHandle,
};
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;

const SECRET: &str = "for the benchmarks of rowcast, and known to everybody";

/// The size that is compared with.
const SMALL: i64 = 10_000;

/// How many organizations share the events.
const ORGANIZATIONS: i64 = 1_000;

/// The events of one more organization, spread over all of the outbox.
const RARE: usize = 10;

/// Events written at once while the outbox is filled: about what maintenance finds done between two of its runs.
const FILL: i64 = 500_000;

/// Commits whose way to the client is measured.
const COMMITS: usize = 300;

#[derive(Parser)]
struct Serve {
    #[command(flatten)]
    config: Config,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Cargo says --bench to every benchmark.
    let rows = std::env::args().skip(1).find(|argument| argument != "--bench");
    let rows = rows.map_or(Ok(10_000_000), |rows| rows.parse())?;
    let settings = [("max_wal_size", "8GB"), ("shared_buffers", "512MB")];
    let postgres = PrivatePostgres::start(Options {
        directory: std::env::temp_dir().join(format!("rowcast-bench-{:016x}", fastrand::u64(..))),
        embedded: ".rowcast/embedded".into(),
        binaries: std::env::var_os("ROWCAST_POSTGRES_BIN").map(Into::into),
        throwaway: true,
        settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    })
    .await?;
    let small = measure(&postgres, "small", SMALL).await?;
    let large = measure(&postgres, "large", rows).await?;
    println!("\n{:<44} {:>12} {:>12} {:>7}", "", format!("{SMALL} rows"), format!("{rows} rows"), "ratio");
    for ((what, small), (_, large)) in small.iter().zip(&large) {
        let ratio = large.as_secs_f64() / small.as_secs_f64();
        println!("{what:<44} {:>12} {:>12} {ratio:>7.2}", shown(*small), shown(*large));
    }
    postgres.stop().await?;
    Ok(())
}

fn shown(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

/// Everything, on a database of this many rows.
async fn measure(postgres: &PrivatePostgres, name: &str, rows: i64) -> anyhow::Result<Vec<(&'static str, Duration)>> {
    let admin = connect(&postgres.url("postgres")).await?;
    admin.batch_execute(&format!("CREATE DATABASE {name}")).await?;
    let url = postgres.url(name);
    migrate_at(&url).await?;
    let client = connect(&url).await?;
    let filling = Instant::now();
    fill(&client, rows).await?;
    println!("{name}: {rows} rows filled and maintained in {:.0} s", filling.elapsed().as_secs_f64());

    let mut figures = Vec::new();
    let started = Instant::now();
    let server = Server::start(&url).await?;
    figures.push(("server start", started.elapsed()));

    let (median, p99) = commit_to_client(&client, &server).await?;
    figures.push(("commit to client, median", median));
    figures.push(("commit to client, p99", p99));
    let last = number(&client, "SELECT max(id) FROM rowcast.outbox").await?;
    for (what, count) in [
        ("replay of the last 10,000, per thousand", 10_000.min(rows)),
        ("replay of the last 100,000, per thousand", 100_000.min(rows)),
    ] {
        let took = server.replay("staff", last - count, usize::try_from(count)?).await?;
        figures.push((what, took.div_f64(f64::from(i32::try_from(count)?) / 1e3)));
    }
    figures.push(("replay of ten rare events, from the beginning", server.replay("rare", 0, RARE).await?));
    figures.push(("current_cursor()", timed(&client, "SELECT rowcast.current_cursor()").await?));
    figures.push(("erase()", timed(&client, "SELECT rowcast.erase('public.bench', '7')").await?));
    figures.push(("maintain(), nothing to do", timed(&client, "SELECT rowcast.maintain()").await?));
    server.stop().await?;
    Ok(figures)
}

/// Writes the rows, with a call of maintenance between two loads, as a server would make it, and lets them be settled.
async fn fill(client: &Client, rows: i64) -> anyhow::Result<()> {
    client
        .batch_execute(
            "INSERT INTO rowcast.memberships (user_id, organization_id, role) VALUES ('staff', NULL, 'member'), ('rare', 'rare', 'member')",
        )
        .await?;
    let load = "INSERT INTO rowcast.outbox (id, event_type, audience, organization_id, source, source_key, operation, data)
                SELECT nextval('rowcast.outbox_id_seq'), 'document_processing', 'organization',
                       CASE WHEN n % $3 = 0 THEN 'rare' ELSE 'o' || n % $4 END, 'public.bench', n::text, 'UPDATE',
                       jsonb_build_object('documentId', n, 'stage', 'indexing', 'progress', n % 100, 'filename', 'handbook-' || n || '.pdf',
                                          'metadata', jsonb_build_object('pages', n % 400, 'language', 'en'))
                FROM generate_series($1::bigint, $2::bigint) n";
    let every = rows / i64::try_from(RARE)?;
    let mut first = 1;
    while first <= rows {
        let last = (first + FILL - 1).min(rows);
        client.execute(load, &[&first, &last, &every, &ORGANIZATIONS]).await?;
        client
            .execute("UPDATE rowcast.settled SET undecided = int8multirange(int8range($1::bigint + 1, NULL))", &[&last])
            .await?;
        while number(client, "SELECT count(*) FROM rowcast.maintain() WHERE action <> 'postponed'").await? > 0 {}
        first = last + 1;
    }
    client.batch_execute("VACUUM ANALYZE rowcast.outbox").await?;
    Ok(())
}

/// From before the commit is sent to when the client has the frame, event by event.
async fn commit_to_client(client: &Client, server: &Server) -> anyhow::Result<(Duration, Duration)> {
    let mut stream = server.connect("staff", None).await?;
    stream.count("event: connection_status", 1).await?;
    let mut times = Vec::with_capacity(COMMITS);
    for _ in 0..COMMITS {
        let started = Instant::now();
        client.batch_execute("SELECT rowcast.emit('document_processing', 'o1', '{}')").await?;
        stream.count("event: document_processing", 1).await?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok((times[COMMITS / 2], times[COMMITS * 99 / 100]))
}

/// The best of a few.
async fn timed(client: &Client, statement: &str) -> anyhow::Result<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let started = Instant::now();
        client.batch_execute(statement).await?;
        best = best.min(started.elapsed());
    }
    Ok(best)
}

async fn number(client: &Client, query: &str) -> anyhow::Result<i64> {
    Ok(client.query_one(query, &[]).await?.get(0))
}

async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // It ends with the client.
    tokio::spawn(connection);
    Ok(client)
}

/// A server in this process, whose log is as small as it can be, so that history is read from the outbox.
struct Server {
    address: String,
    shutdown: CancellationToken,
    running: JoinHandle<Result<(), app::Error>>,
}

impl Server {
    async fn start(url: &str) -> anyhow::Result<Self> {
        let arguments =
            ["serve", "--database-url", url, "--jwt-secret", SECRET, "--listen-addr", "127.0.0.1:0", "--log-mib", "1"];
        let config = Serve::try_parse_from(arguments)?.config;
        let shutdown = CancellationToken::new();
        let app = App::start(config, shutdown.clone()).await?;
        let address = app.address().to_string();
        Ok(Self { address, shutdown, running: tokio::spawn(app.run()) })
    }

    async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        Ok(self.running.await??)
    }

    /// Opens a stream.
    async fn connect(&self, user: &str, cursor: Option<i64>) -> anyhow::Result<Stream> {
        let token = token::sign(SECRET, user, Duration::from_hours(1)).context("no token")?;
        let cursor = cursor.map(|cursor| format!("Last-Event-ID: {cursor}\r\n")).unwrap_or_default();
        let mut socket = TcpStream::connect(&self.address).await?;
        let request = format!(
            "GET /api/v1/realtime/sse HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n{cursor}\r\n"
        );
        socket.write_all(request.as_bytes()).await?;
        Ok(Stream { socket, pending: Vec::new() })
    }

    /// How long it takes until so many events have come after the cursor.
    async fn replay(&self, user: &str, cursor: i64, events: usize) -> anyhow::Result<Duration> {
        let started = Instant::now();
        let mut stream = self.connect(user, Some(cursor)).await?;
        stream.count("event: document_processing", events).await?;
        Ok(started.elapsed())
    }
}

/// What comes of a stream. Frames are not taken apart, but for their first lines.
struct Stream {
    socket: TcpStream,
    pending: Vec<u8>,
}

impl Stream {
    /// Reads until so many lines of this text have come.
    async fn count(&mut self, line: &str, count: usize) -> anyhow::Result<()> {
        let mut seen = 0;
        while seen < count {
            let mut lines = 0;
            while let Some(end) = self.pending[lines..].iter().position(|&byte| byte == b'\n') {
                seen += usize::from(self.pending[lines..].starts_with(line.as_bytes()));
                lines += end + 1;
            }
            self.pending.drain(..lines);
            let read = tokio::time::timeout(Duration::from_mins(1), self.socket.read_buf(&mut self.pending));
            ensure!(seen >= count || read.await?? > 0, "the stream ended after {seen} of {count}");
        }
        Ok(())
    }
}
