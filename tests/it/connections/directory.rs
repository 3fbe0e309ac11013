//! The directory of streams: true when streams end, when servers end in whatever way, and when the database forgets it.

use std::time::Duration;

use tokio_postgres::Client;

use super::open;
use crate::{
    documents,
    harness::{Database, PATIENCE, Role, Server, eventually},
};

/// The users of the streams that are said to be open.
async fn users(client: &Client) -> Vec<String> {
    let rows = client.query("SELECT user_id FROM rowcast.live_connections ORDER BY user_id", &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn wait_for(client: &Client, expected: &[&str]) {
    let what = format!("{expected:?} to be connected");
    eventually(&what, async || (users(client).await == expected).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_are_in_it_while_they_are_open() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let reader = db.connect_as(Role::Reader).await;
    let servers = [Server::start(&db).await, Server::start(&db).await];
    let ann = open(&servers[0], "ann", "").await;
    let ben = open(&servers[1], "ben", "subscriptions=system_health").await;
    assert_eq!(users(&reader).await, ["ann", "ben"]);
    let types: Vec<String> =
        reader.query_one("SELECT event_types FROM rowcast.connections WHERE id = $1", &[&ben.1]).await.unwrap().get(0);
    assert_eq!(types, ["system_health"]);
    drop(ann);
    wait_for(&reader, &["ben"]).await;
    let [first, second] = servers;
    second.stop().await;
    let left = reader.query_one("SELECT count(*) FROM rowcast.connections", &[]).await.unwrap();
    assert_eq!(left.get::<_, i64>(0), 0, "a server that leaves takes its streams along");
    first.stop().await;
    let servers = reader.query_one("SELECT count(*) FROM rowcast.servers", &[]).await.unwrap();
    assert_eq!(servers.get::<_, i64>(0), 0);
}

/// As after a crash or a failover, which empty unlogged tables.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_database_has_forgotten_is_entered_anew() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let owner = db.connect().await;
    let server = Server::start(&db).await;
    let _streams = [open(&server, "ann", "").await, open(&server, "ben", "").await];
    owner.batch_execute("TRUNCATE rowcast.servers, rowcast.connections, rowcast.rates").await.unwrap();
    wait_for(&owner, &["ann", "ben"]).await;
    server.stop().await;
}

/// Other servers answer 404 to whoever asks for a stream that is not in the directory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_comes_back_is_told_at_once() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let superuser = db.connect_as(Role::Superuser).await;
    let server = Server::start(&db).await;
    let _stream = open(&server, "ann", "").await;
    // The server has just said that it is there, and will not say it by itself for more than 4 s.
    superuser.batch_execute("UPDATE rowcast.servers SET seen_at = '-infinity'").await.unwrap();
    let seen = "SELECT FROM rowcast.servers WHERE seen_at > '-infinity'";
    eventually("the server to say that it is there", async || superuser.query_opt(seen, &[]).await.unwrap().map(drop))
        .await;
    let crash = "TRUNCATE rowcast.servers, rowcast.connections;
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'server%'";
    superuser.batch_execute(crash).await.unwrap();
    tokio::time::timeout(Duration::from_secs(4), wait_for(&superuser, &["ann"])).await.expect("it waits for its time");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_server_leaves_counts_for_no_more_than_15_seconds() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let owner = db.connect().await;
    let mut server = Server::start(&db).await;
    let other = Server::start(&db).await;
    let _streams = [open(&server, "ann", "").await, open(&other, "ben", "").await];
    server.kill().await;
    tokio::time::timeout(PATIENCE, wait_for(&owner, &["ben"])).await.unwrap();
    // And is deleted, with what is no more than a memory of who was there.
    let age = "UPDATE rowcast.servers SET seen_at = seen_at - interval '1 minute' WHERE seen_at < clock_timestamp() - interval '12 s';
        UPDATE rowcast.connections SET connected_at = connected_at - interval '1 minute';
        UPDATE rowcast.rates SET empty_at = empty_at - interval '2 minutes' WHERE user_id = 'ann'";
    owner.batch_execute(age).await.unwrap();
    eventually("what is left to be deleted", async || {
        let left = "SELECT (SELECT count(*) FROM rowcast.connections) + (SELECT count(*) FROM rowcast.servers),
            EXISTS (SELECT FROM rowcast.rates WHERE user_id = 'ann')";
        let left = owner.query_one(left, &[]).await.unwrap();
        (left.get::<_, i64>(0) == 2 && !left.get::<_, bool>(1)).then_some(())
    })
    .await;
    other.stop().await;
}
