//! What browsers are told of alerts, and who is.

use serde_json::json;

use super::Stage;
use crate::harness::{Role, Server, sse, token};

#[tokio::test]
async fn a_chatbot_manager_hears_of_alerts_of_the_own_organization_alone() {
    let stage = Stage::with_rule("comparison => '>', threshold => 5000, severity => 'critical'").await;
    let members = "INSERT INTO rowcast.memberships VALUES ('ann', 'acme', 'admin'), ('bob', 'beta', 'admin'), ('cat', 'acme', 'member')";
    stage.execute(members).await;
    let server = Server::start_with(&stage.db, &[("ROWCAST_ALERTS", "50ms")]).await;
    let mut ann =
        sse::Client::connect_with(&server.url(), "subscriptions=performance_alert", &token("ann"), None).await;
    let mut bob =
        sse::Client::connect_with(&server.url(), "subscriptions=performance_alert", &token("bob"), None).await;
    let mut cat = sse::Client::connect(&server.url(), &token("cat"), None).await;
    let writer = stage.db.connect_as(Role::Writer).await;
    let emit = async |organization: &str, value: f64| {
        let emit = "SELECT rowcast.emit('chatbot_metrics', $1, jsonb_build_object('responseTime', $2::float8), chatbot_id => 'bot_x')";
        writer.query_one(emit, &[&organization, &value]).await.unwrap();
    };
    emit("acme", 6200.0).await;
    let event = ann.next_of("performance_alert").await.json();
    let data = json!({
        "metric": "responseTime", "value": 6200, "threshold": 5000, "status": "firing",
        "message": "responseTime of bot_x is 6,200 ms, above 5,000 ms", "chatbotId": "bot_x"
    });
    assert_eq!(event["data"], data);
    for (field, expected) in [
        ("type", "performance_alert"),
        ("organizationId", "acme"),
        ("chatbotId", "bot_x"),
        ("priority", "critical"),
        ("operation", "INSERT"),
        ("source", "rowcast.alerts"),
        ("key", "1"),
    ] {
        assert_eq!(event[field], expected, "{event}");
    }
    emit("acme", 3900.0).await;
    let event = ann.next_of("performance_alert").await.json();
    assert_eq!(
        (&event["data"]["status"], &event["data"]["value"], &event["key"]),
        (&json!("resolved"), &json!(3900), &json!("1"))
    );
    emit("beta", 9000.0).await;
    let event = bob.next_of("performance_alert").await.json();
    assert_eq!((&event["organizationId"], &event["key"]), (&json!("beta"), &json!("2")), "the first that bob hears of");
    // A member hears of none: what comes next is what comes first.
    writer.batch_execute("SELECT rowcast.emit('document_processing', 'acme', '{}')").await.unwrap();
    loop {
        let event = cat.next_event().await.unwrap();
        assert!(!["performance_alert", "chatbot_metrics"].contains(&event.event.as_str()), "{}", event.data);
        if event.event == "document_processing" {
            break;
        }
    }
    drop((ann, bob, cat));
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_is_told_not_to_evaluates_nothing() {
    let stage = Stage::with_rule("comparison => '>', threshold => 10").await;
    let server = Server::start_with(&stage.db, &[("ROWCAST_ALERTS", "off")]).await;
    let emit = "SELECT rowcast.emit('chatbot_metrics', 'acme', '{\"responseTime\": 11}')";
    stage.db.connect_as(Role::Writer).await.batch_execute(emit).await.unwrap();
    let settled = async || (stage.number("SELECT id FROM rowcast.settled").await == 1).then_some(());
    crate::harness::eventually("it to be settled", settled).await;
    // A second one, which is told nothing, does it by default.
    assert_eq!(stage.texts("SELECT unread::text FROM rowcast.alerting").await, ["{[1,)}"]);
    let other = Server::start(&stage.db).await;
    crate::harness::eventually("it to fire", async || (!stage.alerts().await.is_empty()).then_some(())).await;
    for server in [server, other] {
        server.stop().await;
    }
}
