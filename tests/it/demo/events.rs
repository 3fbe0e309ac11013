//! What arrives in the outbox when the app has run for a while, written by a role that has no right on rowcast.

use std::collections::{BTreeMap, BTreeSet};

use rowcast::{demo, payload::Payload};
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::{STEPS, installed, simulate};
use crate::harness::{Database, Role, Server, eventually};

/// What has more than one value as soon as the app has run for a while.
const VARIED: [(&str, &str); 8] = [
    ("document_processing", "stage"),
    ("document_processing", "status"),
    ("conversation_activity", "messageType"),
    ("conversation_activity", "status"),
    ("system_health", "component"),
    ("system_health", "status"),
    ("error_notification", "severity"),
    ("performance_alert", "status"),
];

/// The app's rows become events of the contract.
async fn written_by_the_app() -> (Database, Client) {
    let (db, client) = installed().await;
    let name = Role::App.name();
    client
        .batch_execute(&format!(
            "GRANT USAGE ON SCHEMA chatbot TO {name}; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA chatbot TO {name}"
        ))
        .await
        .unwrap();
    let app = db.connect_as(Role::App).await;
    assert!(app.query("SELECT FROM rowcast.outbox", &[]).await.is_err(), "the app has no right on rowcast");
    simulate(&app, 1, STEPS).await;
    (db, client)
}

/// What the producers are asked for, quicker than the demo does.
const PRODUCERS: [(&str, &str); 5] = [
    ("ROWCAST_HEALTH_INTERVAL", "1s"),
    ("ROWCAST_HEALTH_VECTOR_QUERY", demo::SEARCH),
    ("ROWCAST_METRICS_INTERVAL", "1s"),
    ("ROWCAST_ALERTS", "1s"),
    ("ROWCAST_ACTIVITY", "true"),
];

/// The types of the event types, the panels and the documents are those of `src/payload.rs`, so what is attached and what rowcast makes of it must be these, to the letter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_arrives_in_its_shape() {
    let (db, client) = written_by_the_app().await;
    let server = Server::start_with(&db, &PRODUCERS).await;
    let firing = "SELECT FROM rowcast.alerts WHERE metric = 'cost'";
    eventually("a budget to be passed", async || client.query(firing, &[]).await.unwrap().pop()).await;
    client.batch_execute("UPDATE rowcast.alert_rules SET threshold = 1000000 WHERE metric = 'cost'").await.unwrap();
    let over = "SELECT FROM rowcast.outbox WHERE event_type = 'performance_alert' AND data->>'status' = 'resolved'";
    eventually("the budget to be raised", async || client.query(over, &[]).await.unwrap().pop()).await;
    let measured = "SELECT FROM rowcast.health_checks WHERE component = 'vector_search'";
    eventually("vector search to be measured", async || client.query(measured, &[]).await.unwrap().pop()).await;
    server.stop().await;
    let rows = client.query("SELECT event_type, data::text FROM rowcast.outbox", &[]).await.unwrap();
    let mut seen: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for row in rows {
        let (event_type, data): (String, Value) = (row.get(0), serde_json::from_str(row.get(1)).unwrap());
        is_in_shape(&event_type, &data);
        seen.entry(event_type).or_default().push(data);
    }
    let built_in = client
        .query("SELECT name FROM rowcast.event_types WHERE name <> 'connection_status' ORDER BY name", &[])
        .await
        .unwrap();
    let built_in: Vec<String> = built_in.iter().map(|row| row.get(0)).collect();
    assert_eq!(seen.keys().collect::<Vec<_>>(), built_in.iter().collect::<Vec<_>>());
    for (event_type, key) in VARIED {
        let values: BTreeSet<_> = seen[event_type].iter().map(|data| data[key].as_str().unwrap()).collect();
        assert!(values.len() > 1, "{event_type}.{key} is always {values:?}");
    }
}

/// No field too many and none too few, none of another type, none null, and figures where the documents say that they are.
#[track_caller]
fn is_in_shape(event_type: &str, data: &Value) {
    let payload = serde_json::from_value(json!({"type": event_type, "data": data}));
    let payload = payload.unwrap_or_else(|wrong| panic!("{event_type}: {wrong}: {data}"));
    assert!(!data.as_object().unwrap().values().any(Value::is_null), "{event_type}: {data}");
    let is_possible = match payload {
        Payload::DocumentProcessing(document) => {
            (0.0..=100.0).contains(&document.progress) && document.processing_time.is_none_or(|time| time >= 0.0)
        }
        Payload::ConversationActivity(message) => message.response_time.is_none_or(|time| time >= 0.0),
        Payload::ChatbotMetrics(figures) => {
            (0.0..=1.0).contains(&figures.success_rate)
                && figures.user_satisfaction.is_none_or(|stars| (1.0..=5.0).contains(&stars))
                && [figures.active_conversations, figures.response_time, figures.token_usage, figures.cost]
                    .iter()
                    .all(|figure| *figure >= 0.0)
        }
        Payload::SystemHealth(_)
        | Payload::ErrorNotification(_)
        | Payload::UserActivity(_)
        | Payload::PerformanceAlert(_) => true,
    };
    assert!(is_possible, "{event_type}: {data}");
}

/// A type that lost a field, or has one too many, does not pass for one of its kind.
#[test]
fn a_shape_is_told_from_another() {
    let alert = json!({"metric": "m", "value": 1, "threshold": 2, "status": "firing", "message": "x"});
    is_in_shape("performance_alert", &alert);
    for (key, value) in [("more", json!(1)), ("status", json!("lit")), ("value", json!("1")), ("message", Value::Null)]
    {
        let mut wrong = alert.clone();
        wrong[key] = value;
        assert!(std::panic::catch_unwind(|| is_in_shape("performance_alert", &wrong)).is_err(), "{wrong}");
    }
    assert!(std::panic::catch_unwind(|| is_in_shape("user_activity", &alert)).is_err());
}

#[tokio::test]
async fn every_event_belongs_to_the_organization_of_its_row() {
    let (_db, client) = written_by_the_app().await;
    let astray = client
        .query(
            "SELECT o.id, o.event_type, o.organization_id
             FROM rowcast.outbox o
             LEFT JOIN chatbot.documents d ON o.source IN ('chatbot.documents', 'chatbot.document_chunks') AND d.id::text = o.source_key
             LEFT JOIN chatbot.messages m ON o.source = 'chatbot.messages' AND m.id::text = o.source_key
             LEFT JOIN chatbot.conversation_sessions s ON s.id = m.session_id
             LEFT JOIN chatbot.system_events e ON o.source = 'chatbot.system_events' AND e.id::text = o.source_key
             LEFT JOIN chatbot.chatbot_instances c
                 ON c.id = s.chatbot_id
             WHERE o.organization_id IS DISTINCT FROM coalesce(d.organization_id, c.organization_id, e.organization_id)
                OR o.audience <> CASE o.event_type WHEN 'system_health' THEN 'platform' ELSE 'organization' END
                OR o.chatbot_id IS DISTINCT FROM coalesce(c.id, e.chatbot_id)
                OR o.session_id IS DISTINCT FROM s.id::text",
            &[],
        )
        .await
        .unwrap();
    assert!(astray.is_empty(), "{astray:?}");
    let organizations: i64 = client
        .query_one("SELECT count(DISTINCT organization_id) FROM rowcast.outbox WHERE source = 'chatbot.messages'", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(organizations, 3);
}
