//! The notification that wakes servers.

use futures_util::{StreamExt, stream};
use tokio_postgres::{AsyncMessage, NoTls};

use super::{ATTACH_DOCS, DOCS, Stage};
use crate::harness::{Database, Role, eventually};

/// What a server that sleeps does, and one that is awake.
const ASLEEP: &str = "LISTEN rowcast; SELECT pg_advisory_lock_shared(1919907683, 2)";
const AWAKE: &str = "LISTEN rowcast";

/// How often the bell rings for somebody who listens while `write` runs: notifications end with one sent by hand.
async fn rings(db: &Database, listener: &str, write: impl AsyncFnOnce()) -> usize {
    let (client, mut connection) = tokio_postgres::connect(&db.url_as(Role::Server), NoTls).await.unwrap();
    let mut messages = stream::poll_fn(move |context| connection.poll_message(context)).boxed();
    let listen = client.batch_execute(listener);
    tokio::pin!(listen);
    loop {
        tokio::select! {
            done = &mut listen => { done.unwrap(); break }
            _ = messages.next() => {}
        }
    }
    write().await;
    db.connect().await.batch_execute("SELECT pg_notify('rowcast', 'the end')").await.unwrap();
    let mut rings = 0;
    while let Some(message) = messages.next().await {
        if let AsyncMessage::Notification(notification) = message.unwrap() {
            if notification.payload() == "the end" {
                break;
            }
            assert_eq!((notification.channel(), notification.payload()), ("rowcast", ""));
            rings += 1;
        }
    }
    rings
}

#[tokio::test]
async fn it_rings_once_a_transaction_that_has_events() {
    let stage = Stage::new(DOCS).await;
    stage.attach(&format!("{ATTACH_DOCS}, filter => $$r.title <> 'draft'$$")).await;
    let heard = rings(&stage.db, ASLEEP, async || {
        stage.write("INSERT INTO docs SELECT i, 'a', 'x' FROM generate_series(1, 100) i").await;
        stage.write("BEGIN; UPDATE docs SET title = 'y' WHERE id = 1; DELETE FROM docs WHERE id = 2; COMMIT").await;
        stage.own("SELECT rowcast.emit('system_health', NULL, '{}')").await;
        stage.write("TRUNCATE docs").await;
        // None of these has one.
        stage.write("INSERT INTO docs VALUES (1, 'a', 'draft'); UPDATE docs SET title = title; DELETE FROM docs WHERE id = 7").await;
        stage.write("BEGIN; INSERT INTO docs VALUES (2, 'a', 'x'); ROLLBACK").await;
    })
    .await;
    assert_eq!(heard, 4);
}

#[tokio::test]
async fn it_is_silent_while_everybody_is_awake() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    let heard = rings(&stage.db, AWAKE, async || {
        stage.write("INSERT INTO docs SELECT i, 'a', 'x' FROM generate_series(1, 100) i").await;
        stage.own("SELECT rowcast.emit('system_health', NULL, '{}')").await;
    })
    .await;
    assert_eq!(heard, 0);
    let locks = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 1919907683 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let superuser = stage.db.connect_as(Role::Superuser).await;
    eventually("nobody to hold a lock of ours", async || {
        superuser.query(locks, &[]).await.unwrap().is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn it_is_silent_where_the_setting_says_so() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'x')").await;
    let owner = stage.db.connect().await;
    owner.batch_execute("UPDATE rowcast.settings SET value = 'off' WHERE name = 'doorbell'").await.unwrap();
    let heard = rings(&stage.db, ASLEEP, async || {
        stage.write("INSERT INTO docs VALUES (2, 'a', 'x')").await;
        stage.own("SELECT rowcast.emit('system_health', NULL, '{}')").await;
    })
    .await;
    assert_eq!(heard, 0);
    let error =
        owner.batch_execute("UPDATE rowcast.settings SET value = 'loud' WHERE name = 'doorbell'").await.unwrap_err();
    assert!(super::words(&error).contains("Use auto or off"));
}

#[tokio::test]
async fn an_app_that_prepares_transactions_is_not_disturbed() {
    let db = Database::with_two_phase_commit().await;
    let (writer, app) = (db.connect_as(Role::Writer).await, db.connect_as(Role::App).await);
    writer.batch_execute(DOCS).await.unwrap();
    writer.batch_execute(&format!("SELECT rowcast.attach({ATTACH_DOCS})")).await.unwrap();
    let heard = rings(&db, ASLEEP, async || {
        app.batch_execute(&format!(
            "BEGIN; INSERT INTO docs VALUES (1, 'a', 'x'); PREPARE TRANSACTION '{}'",
            db.name()
        ))
        .await
        .unwrap();
        app.batch_execute(&format!("COMMIT PREPARED '{}'", db.name())).await.unwrap();
    })
    .await;
    assert_eq!(heard, 0);
    let superuser = db.connect_as(Role::Superuser).await;
    assert_eq!(superuser.query("SELECT FROM rowcast.outbox", &[]).await.unwrap().len(), 1);
}
