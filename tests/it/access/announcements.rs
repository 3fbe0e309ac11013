//! rowcast's own access tables announce what changed in them.

use std::future::poll_fn;

use tokio_postgres::{AsyncMessage, NoTls};

use super::{announced, anybody, user};
use crate::harness::Database;

#[tokio::test]
async fn a_membership_names_its_user() {
    let db = Database::new().await;
    let client = db.connect().await;
    client
        .batch_execute("INSERT INTO rowcast.memberships VALUES ('ada', 'a', 'admin'), ('ben', 'a', 'member')")
        .await
        .unwrap();
    assert_eq!(announced(&client).await, [user("ada", "rowcast.memberships"), user("ben", "rowcast.memberships")]);
    client
        .batch_execute("UPDATE rowcast.memberships SET role = 'admin' WHERE user_id IN ('ada', 'ben')")
        .await
        .unwrap();
    assert_eq!(announced(&client).await, [user("ben", "rowcast.memberships")], "ada was one already");
    client.batch_execute("DELETE FROM rowcast.memberships WHERE user_id = 'ada'").await.unwrap();
    assert_eq!(announced(&client).await, [user("ada", "rowcast.memberships")]);
}

#[tokio::test]
async fn a_membership_that_moves_names_both_users() {
    let db = Database::new().await;
    let client = db.connect().await;
    client.batch_execute("INSERT INTO rowcast.memberships VALUES ('ada', NULL, 'admin')").await.unwrap();
    announced(&client).await;
    client.batch_execute("UPDATE rowcast.memberships SET user_id = 'ben'").await.unwrap();
    assert_eq!(announced(&client).await, [user("ada", "rowcast.memberships"), user("ben", "rowcast.memberships")]);
}

#[tokio::test]
async fn what_changes_nothing_says_nothing() {
    let db = Database::new().await;
    let client = db.connect().await;
    client.batch_execute("INSERT INTO rowcast.memberships VALUES ('ada', 'a', 'admin')").await.unwrap();
    announced(&client).await;
    client
        .batch_execute(
            "UPDATE rowcast.memberships SET role = role;
             UPDATE rowcast.event_types SET required_permission = required_permission;
             UPDATE rowcast.redactions SET replacement = replacement;
             DELETE FROM rowcast.memberships WHERE user_id = 'nobody';
             INSERT INTO rowcast.role_permissions SELECT 'a', 'b' WHERE false",
        )
        .await
        .unwrap();
    assert_eq!(announced(&client).await, []);
}

#[tokio::test]
async fn a_rule_concerns_anybody() {
    let db = Database::new().await;
    let client = db.connect().await;
    for (table, insert, update) in [
        ("event_types", "(name) VALUES ('mine')", "required_permission = 'x'"),
        ("role_permissions", "VALUES ('a', 'b')", "permission = permission || '2'"),
        ("redactions", "VALUES ('mine', '{a,b}', 'p', NULL)", "replacement = '1'"),
    ] {
        for statement in [
            format!("INSERT INTO rowcast.{table} {insert}"),
            format!("UPDATE rowcast.{table} SET {update}"),
            format!("DELETE FROM rowcast.{table}"),
            format!("TRUNCATE rowcast.{table}"),
        ] {
            client.batch_execute(&statement).await.unwrap();
            assert_eq!(announced(&client).await, [anybody(&format!("rowcast.{table}"))], "{statement}");
        }
    }
}

#[tokio::test]
async fn very_many_users_and_truncate_are_anybody() {
    let db = Database::new().await;
    let client = db.connect().await;
    let load = |users: i32| {
        format!(
            "INSERT INTO rowcast.memberships SELECT 'user' || i, 'a', 'm{users}' FROM generate_series(1, {users}) i"
        )
    };
    client.batch_execute(&load(1000)).await.unwrap();
    assert_eq!(announced(&client).await.len(), 1000);
    client.batch_execute(&load(1001)).await.unwrap();
    assert_eq!(announced(&client).await, [anybody("rowcast.memberships")]);
    client.batch_execute("TRUNCATE rowcast.memberships").await.unwrap();
    assert_eq!(announced(&client).await, [anybody("rowcast.memberships")]);
}

#[tokio::test]
async fn an_announcement_rings_the_doorbell() {
    let db = Database::new().await;
    let (listener, mut connection) = tokio_postgres::connect(&db.url(), NoTls).await.unwrap();
    let (sender, mut notifications) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(notification) = message {
                sender.send((notification.channel().to_owned(), notification.payload().to_owned())).unwrap();
            }
        }
    });
    listener.batch_execute("LISTEN rowcast; SELECT pg_advisory_lock_shared(1919907683, 2)").await.unwrap();
    let client = db.connect().await;
    client.batch_execute("INSERT INTO rowcast.memberships VALUES ('ada', 'a', 'admin')").await.unwrap();
    assert_eq!(notifications.recv().await, Some(("rowcast".to_owned(), String::new())));
}
