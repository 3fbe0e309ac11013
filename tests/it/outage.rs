//! Postgres goes away and comes back: streams stay open, say so, and have lost nothing.

use clap::Parser;
use rowcast::{
    app::{App, migrate_at},
    config::Config,
    private_postgres::{Options, PrivatePostgres},
};
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;

use crate::harness::{SECRET, binaries, embedded, eventually, sse, token};

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    config: Config,
}

async fn connect(postgres: &PrivatePostgres) -> Client {
    let (client, connection) = tokio_postgres::connect(&postgres.url("postgres"), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn emit(client: &Client, number: i32) {
    let emit = "SELECT rowcast.emit('document_processing', 'o1', jsonb_build_object('number', $1::int))";
    client.execute(emit, &[&number]).await.unwrap();
}

/// The data of the next event that is no heartbeat.
async fn next(client: &mut sse::Client) -> Value {
    loop {
        let event = client.next_event().await.expect("the stream ended");
        if event.event != "cursor" {
            return event.json()["data"].clone();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_outlive_the_database() {
    let directory = std::env::temp_dir().join(format!("rowcast-outage-{:016x}", fastrand::u64(..)));
    let options = Options {
        directory: directory.clone(),
        embedded: embedded(),
        binaries: binaries().await,
        throwaway: false,
        settings: Vec::new(),
    };
    let postgres = PrivatePostgres::start(options.clone()).await.unwrap();
    let url = postgres.url("postgres");
    migrate_at(&url).await.unwrap();
    let admin = connect(&postgres).await;
    admin.execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member')", &[]).await.unwrap();

    let arguments = ["test", "--database-url", &url, "--jwt-secret", SECRET, "--listen-addr", "127.0.0.1:0"];
    let shutdown = CancellationToken::new();
    let app = App::start(Arguments::parse_from(arguments).config, shutdown.clone()).await.unwrap();
    let address = app.url();
    let serving = tokio::spawn(app.run());
    let mut stream = sse::Client::connect(&address, &token("ann"), None).await;
    assert_eq!(next(&mut stream).await["status"], "connected");
    emit(&admin, 1).await;
    assert_eq!(next(&mut stream).await, json!({"number": 1}));

    postgres.stop().await.unwrap();
    assert_eq!(next(&mut stream).await, json!({"status": "degraded"}));
    let ready = sse::Client::request(&address, "GET", "/readyz", "", "").await;
    assert_eq!((ready.status, ready.header("retry-after")), (503, Some("2")));
    let mut newcomer = sse::Client::connect(&address, &token("ann"), None).await;
    assert_eq!(next(&mut newcomer).await, json!({"status": "closing", "reason": "unavailable"}));
    assert!(newcomer.next_event().await.is_none(), "to a native client any other answer would be final");

    let postgres = PrivatePostgres::start(options).await.unwrap();
    let admin = connect(&postgres).await;
    emit(&admin, 2).await;
    let mut got = [next(&mut stream).await, next(&mut stream).await];
    got.sort_by_key(|data| data["status"].is_string());
    assert_eq!(got, [json!({"number": 2}), json!({"status": "recovered"})]);
    eventually("the server to be ready", async || {
        let ready = sse::Client::request(&address, "GET", "/readyz", "", "").await;
        (ready.status == 200).then_some(())
    })
    .await;

    shutdown.cancel();
    serving.await.unwrap().unwrap();
    postgres.stop().await.unwrap();
    std::fs::remove_dir_all(directory).unwrap();
}
