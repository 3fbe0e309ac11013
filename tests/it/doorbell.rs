//! The doorbell from the server's side: it sleeps by it, stays awake under load, and comes back to sleep.

use tokio::time::timeout;
use tokio_postgres::Client;

use crate::harness::{self, Database, PATIENCE, Role, Server, doorbell::sleepers, eventually, sse};

async fn emit(client: &Client) {
    client.batch_execute("SELECT rowcast.emit('document_processing', 'o1', '{}')").await.unwrap();
}

/// Emits until no more than these sleep. Returns how many events that took.
async fn keep_awake(db: &Database, admin: &Client, asleep: i64) -> usize {
    let writer = db.connect_as(Role::Writer).await;
    let mut emitted = 0;
    while sleepers(admin).await > asleep {
        assert!(emitted < 20_000, "the server sleeps through the load");
        // Many transactions on one way: a burst, however slow the machine.
        let burst = "BEGIN; SELECT rowcast.emit('document_processing', 'o1', '{}'); COMMIT;".repeat(50);
        timeout(PATIENCE, writer.batch_execute(&burst)).await.expect("writers are held up").unwrap();
        emitted += 50;
    }
    emitted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_sleeps_stays_awake_under_load_and_sleeps_again() {
    let db = Database::new().await;
    let admin = db.connect_as(Role::Superuser).await;
    admin.batch_execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member')").await.unwrap();
    let server = Server::start(&db).await;
    let mut stream = sse::Client::connect(&server.url(), &harness::token("ann"), None).await;
    eventually("the server to sleep", async || (sleepers(&admin).await == 1).then_some(())).await;

    let emitted = keep_awake(&db, &admin, 0).await;
    let writer = db.connect_as(Role::Writer).await;
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

/// As after a restart with two-phase commit: nobody rings from then on.
#[tokio::test]
async fn whether_it_is_rung_for_is_asked_again_on_every_new_connection() {
    let db = Database::new().await;
    let admin = db.connect_as(Role::Superuser).await;
    let server = Server::start(&db).await;
    eventually("the server to sleep", async || (sleepers(&admin).await == 1).then_some(())).await;
    admin.batch_execute("UPDATE rowcast.settings SET value = 'off' WHERE name = 'doorbell'").await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND usename = 'rowcast_test_server'";
    admin.batch_execute(cut).await.unwrap();
    eventually("the server to poll", async || {
        let mut figures = sse::Client::request(&server.url(), "GET", "/metrics", "Connection: close\r\n", "").await;
        let polls = figures.rest().await.contains(r#"rowcast_doorbell{state="unrung"} 1"#);
        (polls && sleepers(&admin).await == 0).then_some(())
    })
    .await;
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

#[tokio::test]
async fn a_server_that_is_killed_under_load_leaves_nobody_ringing() {
    let db = Database::new().await;
    let admin = db.connect_as(Role::Superuser).await;
    let mut server = Server::start(&db).await;
    eventually("the server to sleep", async || (sleepers(&admin).await == 1).then_some(())).await;
    keep_awake(&db, &admin, 0).await;
    server.kill().await;
    assert_eq!(sleepers(&admin).await, 0);
}

/// The others do not know of it, and the writers only know that somebody has to be rung for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_stopped_in_its_sleep_is_in_nobodys_way() {
    let db = Database::new().await;
    let admin = db.connect_as(Role::Superuser).await;
    admin.batch_execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member')").await.unwrap();
    let (stopped, other) = (Server::start(&db).await, Server::start(&db).await);
    let mut late = sse::Client::connect(&stopped.url(), &harness::token("ann"), None).await;
    let mut stream = sse::Client::connect(&other.url(), &harness::token("ann"), None).await;
    late.next_of("connection_status").await;
    stream.next_of("connection_status").await;
    eventually("both to sleep", async || (sleepers(&admin).await == 2).then_some(())).await;
    stopped.signal("STOP");

    // The other one wakes up under load, is served at once, and goes back to sleep beside the one that is stopped.
    let emitted = keep_awake(&db, &admin, 1).await;
    for _ in 0..emitted {
        stream.next_of("document_processing").await;
    }
    eventually("the other to sleep", async || (sleepers(&admin).await == 2).then_some(())).await;
    emit(&admin).await;
    stream.next_of("document_processing").await;

    stopped.signal("CONT");
    for _ in 0..=emitted {
        late.next_of("document_processing").await;
    }
    stopped.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_transactions_can_be_prepared_nobody_sleeps_and_nothing_is_late() {
    let db = Database::with_two_phase_commit().await;
    let admin = db.connect_as(Role::Superuser).await;
    admin.batch_execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member')").await.unwrap();
    let server = Server::start(&db).await;
    let mut stream = sse::Client::connect(&server.url(), &harness::token("ann"), None).await;
    stream.next_of("connection_status").await;
    let begin = std::time::Instant::now();
    for number in 0..10 {
        // Fails in a transaction that has notified.
        admin.batch_execute("BEGIN; SELECT rowcast.emit('document_processing', 'o1', '{}')").await.unwrap();
        admin.batch_execute(&format!("PREPARE TRANSACTION 'p{number}'")).await.unwrap();
        admin.batch_execute(&format!("COMMIT PREPARED 'p{number}'")).await.unwrap();
        stream.next_of("document_processing").await;
        assert_eq!(sleepers(&admin).await, 0);
    }
    // A server that waited to be rung for would have taken a second for each.
    assert!(begin.elapsed() < std::time::Duration::from_secs(5), "{:?}", begin.elapsed());
    server.stop().await;
}
