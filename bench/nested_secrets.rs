//! What it costs writers that secrets are looked for inside of json columns: rows of a flat table, of one with a jsonb column that holds nothing of the kind, and of one that does.
//!
//! Each is measured with the look and without, by an attachment whose `data` is the same row as an expression, which nobody looks into. One writer, many rows: only the ratios say something.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on has failed, and tells what it has seen"
)]

use std::time::{Duration, Instant};

use rowcast::{
    app::migrate_at,
    private_postgres::{Options, PrivatePostgres},
};
use tokio_postgres::{Client, NoTls};

const ROUNDS: u32 = 5;
const ROWS: usize = 400;

const FLAT: &str = "Please deliver it to the back door, and ring twice.";
const PLAIN: &str = r#"{"method": "POST", "path": "/api/v1/things", "headers": {"accept": "application/json", "userAgent": "Mozilla/5.0 (X11; Linux) AppleWebKit", "contentType": "text/html"},
                        "items": [{"sku": "A-1", "quantity": 1, "unitPrice": 12.5, "tags": ["red", "blue green", "x"]}], "note": "Please deliver my things"}"#;
const SECRET: &str = r#"{"method": "POST", "path": "/api/v1/things", "headers": {"accept": "application/json", "authorization": "Bearer 123456789", "contentType": "text/html"},
                         "items": [{"sku": "A-1", "quantity": 1, "unitPrice": 12.5, "token": "t", "tags": ["red", "blue green"]}], "note": "Please deliver my things"}"#;

#[tokio::main]
async fn main() {
    let directory = std::env::temp_dir().join(format!("rowcast-bench-{:016x}", fastrand::u64(..)));
    let embedded = concat!(env!("CARGO_MANIFEST_DIR"), "/.rowcast/embedded").into();
    let options = Options { directory, embedded, binaries: None, throwaway: true, settings: Vec::new() };
    let postgres = PrivatePostgres::start(options).await.unwrap();
    let url = postgres.url("postgres");
    migrate_at(&url).await.unwrap();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let large = format!(r#"{{"list": [{}]}}"#, [PLAIN; 8].join(","));
    println!("{:24} {:>12} {:>12} {:>7}", "a row with", "looked into", "as it is", "ratio");
    for (name, kind, value) in [
        ("a text", "text", FLAT),
        ("400 bytes of jsonb", "jsonb", PLAIN),
        ("3 KB of jsonb", "jsonb", &large),
        ("secrets in jsonb", "jsonb", SECRET),
    ] {
        measure(&client, name, kind, value).await;
    }
    drop(client);
    postgres.stop().await.unwrap();
}

async fn measure(client: &Client, name: &str, kind: &str, value: &str) {
    let tables = format!(
        "DROP TABLE IF EXISTS public.looked, public.unlooked CASCADE;
         CREATE TABLE public.looked (id bigserial PRIMARY KEY, name text, meta {kind});
         CREATE TABLE public.unlooked (id bigserial PRIMARY KEY, name text, meta {kind});
         SELECT rowcast.attach('public.looked', 'user_activity');
         SELECT rowcast.attach('public.unlooked', 'user_activity', data => 'to_jsonb(r.*)');"
    );
    client.batch_execute(&tables).await.unwrap();
    let (mut looked, mut unlooked) = (Duration::ZERO, Duration::ZERO);
    for round in 0..=ROUNDS {
        let (with, without) = (rows(client, "looked", kind, value).await, rows(client, "unlooked", kind, value).await);
        // The first round is for warming up.
        if round > 0 {
            looked += with;
            unlooked += without;
        }
    }
    let each = |took: Duration| took / ROUNDS / u32::try_from(ROWS).unwrap();
    println!(
        "{name:24} {:>12.1?} {:>12.1?} {:7.2}",
        each(looked),
        each(unlooked),
        looked.as_secs_f64() / unlooked.as_secs_f64()
    );
    client
        .batch_execute("SELECT rowcast.detach('public.looked'); SELECT rowcast.detach('public.unlooked')")
        .await
        .unwrap();
}

async fn rows(client: &Client, table: &str, kind: &str, value: &str) -> Duration {
    let insert = client
        .prepare(&format!("INSERT INTO public.{table} (name, meta) VALUES ('ann', $1::text::{kind})"))
        .await
        .unwrap();
    let started = Instant::now();
    for _ in 0..ROWS {
        client.execute(&insert, &[&value]).await.unwrap();
    }
    started.elapsed()
}
