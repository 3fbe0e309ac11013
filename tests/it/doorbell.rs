//! The doorbell from the server's side: it sleeps by it, stays awake under load, and comes back to sleep.

use tokio_postgres::Client;

use crate::harness::{self, Database, Role, Server, eventually, sse};

/// How many servers sleep: they hold the lock that makes writers ring.
async fn sleepers(client: &Client) -> i64 {
    let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1919907683 AND objid = 2 AND mode = 'ShareLock'
                AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    client.query_one(held, &[]).await.unwrap().get(0)
}

async fn emit(client: &Client) {
    client.batch_execute("SELECT rowcast.emit('document_processing', 'o1', '{}')").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_sleeps_stays_awake_under_load_and_sleeps_again() {
    let db = Database::new().await;
    let admin = db.connect_as(Role::Superuser).await;
    admin.batch_execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member')").await.unwrap();
    let server = Server::start(&db).await;
    let mut stream = sse::Client::connect(&server.url(), &harness::token("ann"), None).await;
    eventually("the server to sleep", async || (sleepers(&admin).await == 1).then_some(())).await;

    let writer = db.connect_as(Role::Writer).await;
    let mut emitted = 0;
    while sleepers(&admin).await > 0 {
        assert!(emitted < 20_000, "the server sleeps through the load");
        // Many transactions on one way: a burst, however slow the machine.
        let burst = "BEGIN; SELECT rowcast.emit('document_processing', 'o1', '{}'); COMMIT;".repeat(50);
        writer.batch_execute(&burst).await.unwrap();
        emitted += 50;
    }
    // Nobody is rung for now, and nothing is missed.
    emit(&writer).await;
    for _ in 0..=emitted {
        stream.next_of("document_processing").await;
    }
    eventually("the server to sleep again", async || (sleepers(&admin).await == 1).then_some(())).await;
    emit(&writer).await;
    stream.next_of("document_processing").await;
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_is_killed_in_its_sleep_leaves_nobody_ringing() {
    let db = Database::new().await;
    let admin = db.connect_as(Role::Superuser).await;
    let mut server = Server::start(&db).await;
    eventually("the server to sleep", async || (sleepers(&admin).await == 1).then_some(())).await;
    server.kill().await;
    assert_eq!(sleepers(&admin).await, 0);
}
