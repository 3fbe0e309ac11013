//! Connections that are lent out come back in order, or not at all.

use std::time::Duration;

use rowcast::postgres;
use tokio::time::timeout;

use crate::harness::{Database, Role, eventually};

/// Who gives up waiting for an answer has not stopped Postgres from working on it.
#[tokio::test]
async fn a_question_that_was_given_up_is_cancelled_and_its_connection_is_not_used_again() {
    let db = Database::new().await;
    let admin = db.connect_as(Role::Superuser).await;
    let pool = postgres::Database::new(&db.url_as(Role::Server), 1).unwrap();
    let backend = async || {
        let connection = pool.connection().await.unwrap();
        connection.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get::<_, i32>(0)
    };
    let before = backend().await;
    assert_eq!(backend().await, before, "a connection that owes nothing is used again");

    let connection = pool.connection().await.unwrap();
    let question = connection.query("SELECT pg_sleep(3600)", &[]);
    assert!(timeout(Duration::from_millis(100), question).await.is_err());
    drop(connection);
    assert_ne!(backend().await, before);
    eventually("the question to be cancelled", async || {
        let asked = "SELECT FROM pg_stat_activity WHERE pid = $1";
        admin.query(asked, &[&before]).await.unwrap().is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_the_role_has_been_given_does_not_apply() {
    let db = Database::new().await;
    let url =
        format!("{}&options=-c%20statement_timeout%3D500%20-c%20idle_session_timeout%3D500", db.url_as(Role::Server));
    let pool = postgres::Database::new(&url, 1).unwrap();
    let connection = pool.connection().await.unwrap();
    let settings = "SELECT current_setting('statement_timeout'), current_setting('idle_session_timeout')";
    let row = connection.query_one(settings, &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(1)), ("30s", "0"));
}
