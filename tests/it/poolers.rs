//! A pooler in transaction mode in front of the database: everything works, with a direct connection to listen on at once, without one by polling.

use std::time::{Duration, Instant};

use rowcast::{app::migrate_at, postgres};
use tokio_postgres::Client;

use crate::{
    faults::Stage,
    harness::{self, OwnPostgres, Place, Pooler, Role, Server, Through, doorbell, eventually, sse},
};

/// What a session leaves behind that others would stumble over, on the pooler's connections: settings, statements, channels, locks.
const LEFT_BEHIND: &str = "
    SELECT current_setting('statement_timeout') <> '0' OR current_setting('idle_session_timeout') <> '0'
        OR EXISTS (SELECT FROM pg_prepared_statements)
        OR EXISTS (SELECT FROM pg_listening_channels())
        OR EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())";

async fn assert_clean(place: &impl Place) {
    // As the server, so that it is the server's connections that are borrowed, several at a time to meet all of them.
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(place.connect_as(Role::Server).await);
    }
    for client in &clients {
        client.batch_execute("BEGIN").await.unwrap();
    }
    for client in &clients {
        let left: bool = client.query_typed_one(LEFT_BEHIND, &[]).await.unwrap().get(0);
        assert!(!left, "a session that was borrowed was given back changed");
        client.batch_execute("ROLLBACK").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_direct_connection_to_listen_on_nothing_is_missing() {
    let postgres = OwnPostgres::start(&[]).await;
    let pooler = Pooler::start(postgres.socket()).await;
    let direct = postgres.url_as(Role::Server);
    let stage = Stage::open_through(postgres, pooler.address(), 2, &[("ROWCAST_NOTIFY_DATABASE_URL", &direct)]).await;
    let log = stage.servers[0].log();
    assert!(log.contains("listening for notifications") && log.contains("pooler in transaction mode"), "{log}");
    assert_clean(&Through { place: &stage.postgres, address: pooler.address() }).await;
    stage.finish(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_one_that_is_said_and_events_are_polled_for() {
    let postgres = OwnPostgres::start(&[]).await;
    let pooler = Pooler::start(postgres.socket()).await;
    let through = Through { place: &postgres, address: pooler.address() };
    let admin = postgres.connect_as(Role::Superuser).await;
    admin.batch_execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member')").await.unwrap();
    let server = Server::start(&through).await;
    let mut stream = sse::Client::connect(&server.url(), &harness::token("ann"), None).await;
    stream.next_of("connection_status").await;
    let advice = "give a direct one in ROWCAST_NOTIFY_DATABASE_URL";
    eventually("the advice", async || server.log().contains(advice).then_some(())).await;

    // Each just after a read that found nothing: a server that believed in the bell would take a second for each.
    let begin = Instant::now();
    for _ in 0..10 {
        emit(&admin).await;
        stream.next_of("document_processing").await;
    }
    assert!(begin.elapsed() < Duration::from_secs(5), "events are late: {:?}", begin.elapsed());
    assert_eq!(doorbell::sleepers(&admin).await, 0, "nobody may be rung for who cannot hear");
    assert_clean(&through).await;
    server.stop().await;
}

#[tokio::test]
async fn a_database_is_not_migrated_through_one() {
    let postgres = OwnPostgres::start(&[]).await;
    let pooler = Pooler::start(postgres.socket()).await;
    let through = Through { place: &postgres, address: pooler.address() };
    let url = through.url_as(Role::Server);
    migrate_at(&url).await.expect("there is nothing to be done");
    postgres
        .connect_as(Role::Superuser)
        .await
        .batch_execute("UPDATE rowcast.settings SET value = '0.0.1 x' WHERE name = 'functions_version'")
        .await
        .unwrap();
    let refused = migrate_at(&url).await;
    assert!(matches!(refused, Err(postgres::Error::Pooled)), "{refused:?}");
}

async fn emit(client: &Client) {
    client.batch_execute("SELECT rowcast.emit('document_processing', 'o1', '{}')").await.unwrap();
}
