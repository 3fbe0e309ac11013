//! What arrives in the outbox when the app has run for a while, written by a role that has no right on rowcast.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tokio_postgres::Client;

use super::{STEPS, installed, simulate};
use crate::harness::{Database, Role};

/// The data of each event type: the keys that it always has, and those that it may have.
const SHAPES: [(&str, &str, &str); 7] = [
    ("document_processing", "documentId filename stage progress status", "productId error processingTime metadata"),
    ("conversation_activity", "messageId messageType status", "content responseTime error metadata"),
    ("system_health", "component status metric value message", "threshold recommendation"),
    ("error_notification", "errorId component severity message userImpact", "stackTrace resolution sentryIssueId"),
    ("chatbot_metrics", "activeConversations responseTime successRate tokenUsage cost", "userSatisfaction trends"),
    ("user_activity", "userId action", "sessionId metadata"),
    ("performance_alert", "metric value threshold status message", "chatbotId"),
];

/// Keys whose values are a fixed set, with that set.
const CHOICES: [(&str, &str, &str); 8] = [
    ("document_processing", "stage", "upload ocr chunking embedding indexing completed failed"),
    ("document_processing", "status", "processing completed failed"),
    ("conversation_activity", "messageType", "user_message bot_response system_message"),
    ("conversation_activity", "status", "generating completed failed"),
    ("system_health", "component", "database vector_search llm_api document_processing general"),
    ("system_health", "status", "healthy degraded"),
    ("error_notification", "severity", "low medium high"),
    ("performance_alert", "status", "firing resolved"),
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

#[tokio::test]
async fn every_type_arrives_in_its_shape() {
    let (_db, client) = written_by_the_app().await;
    let rows = client.query("SELECT event_type, data::text FROM rowcast.outbox", &[]).await.unwrap();
    let mut seen: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for row in rows {
        seen.entry(row.get(0)).or_default().push(serde_json::from_str(row.get(1)).unwrap());
    }
    let types: Vec<_> = seen.keys().map(String::as_str).collect();
    assert_eq!(types.len(), SHAPES.len(), "{types:?}");
    for (event_type, always, sometimes) in SHAPES {
        let always: BTreeSet<_> = always.split(' ').collect();
        for data in &seen[event_type] {
            let keys: BTreeSet<_> = data.as_object().unwrap().keys().map(String::as_str).collect();
            // Figures of a chatbot whose replies all failed have no average.
            assert!(
                keys.is_superset(&always) && !data.as_object().unwrap().values().any(Value::is_null),
                "{event_type}: {data}"
            );
            assert!(
                keys.iter().all(|key| always.contains(key) || sometimes.split(' ').any(|other| other == *key)),
                "{event_type}: {data}"
            );
        }
    }
    for (event_type, key, choices) in CHOICES {
        let values: BTreeSet<_> = seen[event_type].iter().map(|data| data[key].as_str().unwrap()).collect();
        assert!(values.is_subset(&choices.split(' ').collect()), "{event_type}.{key}: {values:?}");
        assert!(values.len() > 1, "{event_type}.{key} is always {values:?}");
    }
}

#[tokio::test]
async fn every_event_belongs_to_the_organization_of_its_row() {
    let (_db, client) = written_by_the_app().await;
    let astray = client
        .query(
            "SELECT o.id, o.event_type, o.organization_id
             FROM rowcast.outbox o
             LEFT JOIN chatbot.documents d ON o.source = 'chatbot.documents' AND d.id::text = o.source_key
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
