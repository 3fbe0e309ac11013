//! What arrives in the outbox when the app has run for a while, written by a role that has no right on rowcast.

use std::collections::{BTreeMap, BTreeSet};

use rowcast::payload::Payload;
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::{STEPS, installed, simulate};
use crate::harness::{Database, Role};

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

/// The types of the event types, the panels and the documents are those of `src/payload.rs`, so what is attached must make them, to the letter.
#[tokio::test]
async fn every_type_arrives_in_its_shape() {
    let (_db, client) = written_by_the_app().await;
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

#[tokio::test]
async fn figures_without_an_answer_are_no_event() {
    let (_db, client) = installed().await;
    let write = "INSERT INTO chatbot.daily_metrics (chatbot_id, day, active_conversations, replies, response_time_ms, success_rate, tokens_used, cost_usd)
                 SELECT id, current_date, 1, 1, $1, $2::float8::numeric, 0, 0 FROM chatbot.chatbot_instances ORDER BY id LIMIT 1
                 ON CONFLICT (chatbot_id, day) DO UPDATE SET response_time_ms = EXCLUDED.response_time_ms, success_rate = EXCLUDED.success_rate";
    let told = async || {
        let told = "SELECT data::text FROM rowcast.outbox WHERE event_type = 'chatbot_metrics'";
        client.query(told, &[]).await.unwrap().iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>()
    };
    client.execute(write, &[&None::<i32>, &Some(0.0)]).await.unwrap();
    client.execute(write, &[&Some(900), &None::<f64>]).await.unwrap();
    assert_eq!(told().await, [""; 0]);
    client.execute(write, &[&Some(900), &Some(0.5)]).await.unwrap();
    let [told] = &told().await[..] else { panic!("{:?}", told().await) };
    is_in_shape("chatbot_metrics", &serde_json::from_str(told).unwrap());
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
                 ON c.id = CASE o.source WHEN 'chatbot.messages' THEN s.chatbot_id WHEN 'chatbot.daily_metrics' THEN o.source_key::jsonb ->> 0 END
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
