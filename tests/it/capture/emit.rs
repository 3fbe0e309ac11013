//! Events that no table row stands for.

use serde_json::json;

use super::{Stage, words};
use crate::harness::Role;

#[tokio::test]
async fn an_emitted_event_is_a_row_of_the_outbox() {
    let stage = Stage::new("").await;
    let id: i64 = stage
        .writer
        .query_one(
            r#"SELECT rowcast.emit('document_processing', 'acme', '{"a": 1}', 'high', 'ada', 'bot', 'session')"#,
            &[],
        )
        .await
        .unwrap()
        .get(0);
    stage.own("SELECT rowcast.emit('system_health', NULL, '{}')").await;
    let events = stage.events().await;
    assert_eq!(events[0].id, id);
    assert_eq!(events[0].summary(), "EMIT - @acme");
    assert_eq!(events[0].priority, "high");
    assert_eq!(
        (events[0].user_id.as_deref(), events[0].chatbot_id.as_deref(), events[0].session_id.as_deref()),
        (Some("ada"), Some("bot"), Some("session"))
    );
    assert_eq!((&events[0].source, &events[0].data), (&None, &json!({"a": 1})));
    assert_eq!(events[1].summary(), "EMIT - all");
    assert_eq!(events[1].priority, "medium");
}

#[tokio::test]
async fn nonsense_is_refused_with_a_hint() {
    let stage = Stage::new("").await;
    for (arguments, complaint, hint) in [
        ("'nonsense', NULL, '{}'", "unknown event type: 'nonsense'", "document_processing, error_notification"),
        ("NULL, NULL, '{}'", "unknown event type: NULL", "rowcast.event_types"),
        ("'connection_status', NULL, '{}'", "connection_status events are made by the server", "Choose another type"),
        ("'system_health', NULL, '{}', 'urgent'", "unknown priority: 'urgent'", "low, medium, high or critical"),
        ("'system_health', NULL, '{}', NULL", "unknown priority: NULL", "low, medium, high or critical"),
        ("'system_health', NULL, NULL", "data must not be NULL", "'{}'"),
    ] {
        let error = stage.writer.batch_execute(&format!("SELECT rowcast.emit({arguments})")).await.unwrap_err();
        assert!(words(&error).contains(complaint), "{}", words(&error));
        assert!(words(&error).contains(hint), "{}", words(&error));
    }
    assert_eq!(stage.told().await, [""; 0]);
}

#[tokio::test]
async fn the_limit_of_payloads_holds_here_too() {
    let stage = Stage::new("").await;
    stage.own("SELECT rowcast.emit('system_health', NULL, jsonb_build_object('x', repeat('x', 70000)))").await;
    assert_eq!(stage.only_data().await, json!({"truncated": true}));
}

#[tokio::test]
async fn an_adopters_own_type_can_be_emitted() {
    let stage = Stage::new("").await;
    stage.db.connect().await.batch_execute("INSERT INTO rowcast.event_types VALUES ('invoice_paid')").await.unwrap();
    stage.own("SELECT rowcast.emit('invoice_paid', 'acme', '{}')").await;
    assert_eq!(stage.events().await[0].kind, "invoice_paid");
}

#[tokio::test]
async fn it_marks_its_transaction_and_names_its_search_path_itself() {
    let stage = Stage::new("").await;
    stage
        .own("BEGIN; CREATE TEMPORARY TABLE outbox (id int); SET LOCAL search_path = pg_temp; SELECT rowcast.emit('system_health', NULL, '{}')")
        .await;
    let mark = "SELECT count(*) FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND objid = 1 AND pid = pg_catalog.pg_backend_pid()";
    assert_eq!(stage.writer.query_one(mark, &[]).await.unwrap().get::<_, i64>(0), 1);
    stage.own("COMMIT").await;
    assert_eq!(stage.told().await, ["EMIT - all"]);
}

#[tokio::test]
async fn who_may_emit() {
    let stage = Stage::new("").await;
    let server = stage.db.connect_as(Role::Server).await;
    server.batch_execute("SELECT rowcast.emit('system_health', NULL, '{}')").await.unwrap();
    for role in [Role::App, Role::Reader] {
        let client = stage.db.connect_as(role).await;
        let error = client.batch_execute("SELECT rowcast.emit('system_health', NULL, '{}')").await.unwrap_err();
        assert!(words(&error).contains("permission denied"), "{role:?}");
    }
}
