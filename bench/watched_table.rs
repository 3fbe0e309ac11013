//! A table behind `rowcast.use_grants` that every request writes to: what it costs the writers, and how late events are, while its users are connected.
//!
//! Sixteen writers set `last_seen_at` of users at random, as an app does for each request. The table is not watched, watched for the columns that
//! matter, named or found by rowcast, and watched as a whole, in turns. Server, clients and writers share this process and its processors, so only the ratios say something.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on has failed, and tells what it has seen"
)]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

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
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;

const USERS: usize = 1_000;
const ORGANIZATIONS: usize = 100;
const WRITERS: usize = 16;
const ROUNDS: usize = 3;
const ROUND: Duration = Duration::from_secs(4);
/// Between two events.
const PACE: Duration = Duration::from_millis(20);
const SECRET: &str = "for benchmarks, and known to everybody";

const TABLE: &str = "
    CREATE TABLE public.users (id text PRIMARY KEY, organization_id text, disabled_at timestamptz, last_seen_at timestamptz);
    INSERT INTO public.users SELECT 'user' || n, 'o' || n % 100 FROM generate_series(0, 999) n;
    ANALYZE public.users";

const QUERY: &str = "SELECT u.id AS user_id, u.organization_id, NULL::text AS permission FROM public.users u WHERE u.disabled_at IS NULL";

/// Which columns matter cannot be told here.
const WHOLE: &str = "SELECT u.id AS user_id, u.organization_id, NULL::text AS permission FROM public.users u WHERE to_jsonb(u.*) ->> 'disabled_at' IS NULL";

const MODES: [(&str, &str, &str); 4] = [
    ("not watched", QUERY, "{}"),
    (
        "watched, columns named",
        QUERY,
        r#"{"public.users": {"user": "r.id", "columns": ["organization_id", "disabled_at"]}}"#,
    ),
    ("watched, columns found", QUERY, r#"{"public.users": "r.id"}"#),
    ("watched as a whole", WHOLE, r#"{"public.users": "r.id"}"#),
];

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    config: Config,
}

/// What the clients have measured since the last look.
type Latencies = Arc<Mutex<Vec<Duration>>>;

#[derive(Default)]
struct Figures {
    writes: usize,
    queries: u64,
    latencies: Vec<Duration>,
}

#[tokio::main]
async fn main() {
    let directory = std::env::temp_dir().join(format!("rowcast-bench-{:016x}", fastrand::u64(..)));
    let embedded = concat!(env!("CARGO_MANIFEST_DIR"), "/.rowcast/embedded").into();
    let options = Options { directory, embedded, binaries: None, throwaway: true, settings: Vec::new() };
    let postgres = PrivatePostgres::start(options).await.unwrap();
    let url = postgres.url("postgres");
    migrate_at(&url).await.unwrap();
    let admin = connect(&url).await;
    admin.batch_execute(TABLE).await.unwrap();
    watch(&admin, QUERY, "{}").await;

    let arguments = [
        "bench",
        "--database-url",
        &url,
        "--jwt-secret",
        SECRET,
        "--listen-addr",
        "127.0.0.1:0",
        "--max-connects-per-minute",
        "100000",
        "--max-connections-per-address",
        "2000",
    ];
    let arguments = Arguments::try_parse_from(arguments).unwrap_or_else(|_| {
        Arguments::parse_from(["bench", "--database-url", &url, "--jwt-secret", SECRET, "--listen-addr", "127.0.0.1:0"])
    });
    let shutdown = CancellationToken::new();
    let app = App::start(arguments.config, shutdown.clone()).await.unwrap();
    let (address, metrics) = (app.address().to_string(), app.metrics());
    let serving = tokio::spawn(app.run());
    let (epoch, latencies) = (Instant::now(), Latencies::default());
    let mut clients = JoinSet::new();
    for n in 0..USERS {
        let stream = open(&address, n).await;
        clients.spawn(listen(stream, epoch, Arc::clone(&latencies)));
    }

    let mut figures: [Figures; MODES.len()] = Default::default();
    for round in 0..=ROUNDS {
        for ((_, query, tables), figures) in MODES.iter().zip(&mut figures) {
            watch(&admin, query, tables).await;
            let queries = metrics.grant_queries.get();
            let writes = write(&url, &admin, epoch).await;
            let latencies = std::mem::take(&mut *latencies.lock().unwrap());
            // The first round is for warming up.
            if round > 0 {
                figures.writes += writes;
                figures.queries += metrics.grant_queries.get() - queries;
                figures.latencies.extend(latencies);
            }
        }
    }
    report(&mut figures);
    clients.shutdown().await;
    shutdown.cancel();
    let served: Result<(), app::Error> = serving.await.unwrap();
    served.unwrap();
    postgres.stop().await.unwrap();
}

fn report(figures: &mut [Figures; MODES.len()]) {
    let seconds = (ROUND * u32::try_from(ROUNDS).unwrap()).as_secs_f64();
    let base = figures[0].writes;
    println!(
        "{:24} {:>10} {:>6} {:>10} {:>10} {:>14} {:>10}",
        "users is", "writes/s", "ratio", "p50", "p99", "grant reads/s", "events"
    );
    for ((name, ..), figures) in MODES.iter().zip(figures) {
        figures.latencies.sort_unstable();
        let quantile = |percent: usize| figures.latencies[(figures.latencies.len() - 1) * percent / 100];
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        let (rate, ratio, queries) =
            (figures.writes as f64 / seconds, figures.writes as f64 / base as f64, figures.queries as f64 / seconds);
        println!(
            "{name:24} {rate:10.0} {ratio:6.2} {:>10.1?} {:>10.1?} {queries:14.1} {:10}",
            quantile(50),
            quantile(99),
            figures.latencies.len()
        );
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn watch(admin: &Client, query: &str, tables: &str) {
    admin.execute("SELECT rowcast.use_grants($1, $2::text::jsonb)", &[&query, &tables]).await.unwrap();
}

/// One round of everybody writing; how many writes there were.
async fn write(url: &str, admin: &Client, epoch: Instant) -> usize {
    let (writes, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let mut everybody = JoinSet::new();
    for _ in 0..WRITERS {
        let (client, count, done) = (connect(url).await, Arc::clone(&writes), Arc::clone(&done));
        everybody.spawn(async move {
            let update =
                client.prepare("UPDATE public.users SET last_seen_at = clock_timestamp() WHERE id = $1").await.unwrap();
            while !done.load(Ordering::Relaxed) {
                client.execute(&update, &[&format!("user{}", fastrand::usize(..USERS))]).await.unwrap();
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let emit = "SELECT rowcast.emit('document_processing', $1, jsonb_build_object('sent', $2::text))";
    let emit = admin.prepare(emit).await.unwrap();
    let started = Instant::now();
    while started.elapsed() < ROUND {
        let organization = format!("o{}", fastrand::usize(..ORGANIZATIONS));
        admin.execute(&emit, &[&organization, &epoch.elapsed().as_micros().to_string()]).await.unwrap();
        tokio::time::sleep(PACE).await;
    }
    done.store(true, Ordering::Relaxed);
    everybody.join_all().await;
    // What is on its way belongs to this round.
    tokio::time::sleep(Duration::from_millis(500)).await;
    writes.load(Ordering::Relaxed)
}

async fn open(address: &str, n: usize) -> TcpStream {
    let token = token::sign(SECRET, &format!("user{n}"), Duration::from_hours(1)).unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /api/v1/realtime/sse HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let (mut got, mut bytes) = (String::new(), [0; 4 * 1024]);
    while !got.contains("connected") {
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(count > 0, "the stream was refused: {got}");
        got.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
    stream
}

async fn listen(mut stream: TcpStream, epoch: Instant, latencies: Latencies) {
    let (mut got, mut bytes) = (String::new(), [0; 4 * 1024]);
    loop {
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(count > 0, "the stream ended: {got}");
        let now = epoch.elapsed();
        got.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        while let Some((frame, rest)) = got.split_once("\n\n") {
            if let Some((_, sent)) = frame.split_once(r#""sent": ""#) {
                let sent = Duration::from_micros(sent.split('"').next().unwrap().parse().unwrap());
                latencies.lock().unwrap().push(now.saturating_sub(sent));
            }
            got = rest.to_owned();
        }
    }
}
