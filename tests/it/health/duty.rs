//! Who does what only one server is to do: by the database's own rules, whatever the servers believe.

use futures_util::future::join_all;
use tokio_postgres::Client;

use crate::harness::{Database, Role, eventually};

async fn take(client: &Client, server: &str) -> bool {
    client.query_one("SELECT rowcast.take_duty('counting', $1)", &[&server]).await.unwrap().get(0)
}

/// Servers that are there.
async fn with_servers(db: &Database, servers: &[&str]) -> Client {
    let owner = db.connect().await;
    for server in servers {
        owner
            .execute("INSERT INTO rowcast.servers (id, started_at, figures) VALUES ($1, now(), '{}')", &[server])
            .await
            .unwrap();
    }
    owner
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_that_ask_at_once_one_has_it() {
    let db = Database::new().await;
    let names: Vec<String> = (0..16).map(|number| format!("server {number}")).collect();
    let owner = with_servers(&db, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for _ in 0..10 {
        let clients = join_all(names.iter().map(|_| db.connect_as(Role::Server))).await;
        let taken = join_all(clients.iter().zip(&names).map(|(client, name)| take(client, name))).await;
        assert_eq!(taken.iter().filter(|taken| **taken).count(), 1, "{taken:?}");
        owner.batch_execute("DELETE FROM rowcast.duties").await.unwrap();
    }
}

#[tokio::test]
async fn it_passes_on_when_its_server_has_gone_or_is_silent_and_not_before() {
    let db = Database::new().await;
    let owner = with_servers(&db, &["one", "two"]).await;
    let client = db.connect_as(Role::Server).await;
    assert!(take(&client, "one").await && take(&client, "one").await && !take(&client, "two").await);
    owner
        .batch_execute("UPDATE rowcast.servers SET seen_at = clock_timestamp() - interval '14 s' WHERE id = 'one'")
        .await
        .unwrap();
    assert!(!take(&client, "two").await, "it may be back");
    owner
        .batch_execute("UPDATE rowcast.servers SET seen_at = clock_timestamp() - interval '16 s' WHERE id = 'one'")
        .await
        .unwrap();
    assert!(take(&client, "two").await && !take(&client, "one").await, "who comes back finds it taken");
    client.execute("SELECT rowcast.forget_server('two')", &[]).await.unwrap();
    assert!(take(&client, "one").await, "a goodbye is enough");
}

/// A crash of the database forgets all servers, until each says again that it is there.
#[tokio::test]
async fn a_server_that_is_not_known_has_what_it_did_just_now() {
    let db = Database::new().await;
    let owner = db.connect().await;
    let client = db.connect_as(Role::Server).await;
    assert!(take(&client, "one").await, "it need not have said that it is there");
    assert!(!take(&client, "two").await && take(&client, "one").await, "they take turns");
    owner.batch_execute("UPDATE rowcast.duties SET done_at = clock_timestamp() - interval '16 s'").await.unwrap();
    assert!(take(&client, "two").await && !take(&client, "one").await, "it was not heard of again");
}

/// The fence: who took it in a transaction that is still open has it, and whoever comes meanwhile waits for the end of that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_writes_keeps_others_from_taking_it_until_it_is_written() {
    let db = Database::new().await;
    let owner = with_servers(&db, &["one", "two"]).await;
    let mut first = db.connect_as(Role::Server).await;
    let second = db.connect_as(Role::Server).await;
    assert!(take(&first, "one").await);
    let writing = first.transaction().await.unwrap();
    assert!(writing.query_one("SELECT rowcast.take_duty('counting', 'one')", &[]).await.unwrap().get::<_, bool>(0));
    // As if it had been frozen at this moment.
    owner.batch_execute("UPDATE rowcast.servers SET seen_at = '-infinity' WHERE id = 'one'").await.unwrap();
    let taking = tokio::spawn(async move { take(&second, "two").await });
    let waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%take_duty%' AND datname = current_database()";
    let superuser = db.connect_as(Role::Superuser).await;
    eventually("the other to wait", async || superuser.query_opt(waits, &[]).await.unwrap()).await;
    assert!(!taking.is_finished());
    writing.commit().await.unwrap();
    assert!(taking.await.unwrap(), "and then has it");
    assert!(!take(&first, "one").await);
}
