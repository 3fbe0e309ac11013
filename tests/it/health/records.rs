//! What is written down: each state once, by whose turn it is, and not for ever.

use serde_json::{Value, json};
use tokio_postgres::Client;

use super::{course, events, reader};
use crate::harness::{Database, Role};

fn report(status: &str, since: u32, checked_at: u32) -> Value {
    let at = |minute| format!("2026-01-01T00:{minute:02}:00Z");
    json!({
        "component": "llm_api", "metric": "response_ms", "status": status, "value": f64::from(checked_at), "unit": "ms",
        "threshold": 300.0, "message": "It answered.", "since": at(since), "checked_at": at(checked_at),
    })
}

async fn record(client: &Client, server: &str, reports: &[Value]) -> bool {
    let record = "SELECT rowcast.record_health('health_llm_api', $1, $2)";
    client.query_one(record, &[&server, &Value::from(reports)]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_state_is_one_row_however_often_it_is_told_and_again_changes_nothing() {
    let db = Database::new().await;
    let (reader, server) = (reader(&db).await, db.connect_as(Role::Server).await);
    let all = [report("healthy", 0, 0), report("healthy", 0, 1), report("down", 2, 4), report("healthy", 5, 6)];
    for _ in 0..2 {
        assert!(record(&server, "one", &all).await);
        assert_eq!(course(&reader, "llm_api", "response_ms").await, ["healthy", "down", "healthy"]);
        let events = events(&reader, "response_ms").await;
        let told: Vec<_> =
            events.iter().map(|(priority, data)| (&**priority, data["value"].as_f64().unwrap())).collect();
        assert_eq!(
            told,
            [("medium", 0.0), ("low", 1.0), ("critical", 4.0), ("medium", 6.0)],
            "what is only told again is less"
        );
    }
    let latest = "SELECT status, since::text, checked_at::text FROM rowcast.health";
    let rows = reader.query(latest, &[]).await.unwrap();
    assert_eq!((rows.len(), rows[0].get::<_, &str>(0)), (1, "healthy"));
}

#[tokio::test]
async fn a_server_whose_turn_it_is_not_writes_nothing() {
    let db = Database::new().await;
    let (reader, server) = (reader(&db).await, db.connect_as(Role::Server).await);
    let owner = db.connect().await;
    owner
        .batch_execute("INSERT INTO rowcast.servers (id, started_at, figures) VALUES ('one', now(), '{}')")
        .await
        .unwrap();
    assert!(record(&server, "one", &[report("healthy", 0, 0)]).await);
    assert!(!record(&server, "two", &[report("down", 1, 1)]).await);
    assert_eq!(course(&reader, "llm_api", "response_ms").await, ["healthy"]);
}

/// The clock of the one that takes over may be behind.
#[tokio::test]
async fn no_state_begins_before_the_one_that_it_ends() {
    let db = Database::new().await;
    let server = db.connect_as(Role::Server).await;
    record(&server, "one", &[report("healthy", 5, 5), report("down", 4, 6)]).await;
    let order = "SELECT bool_and(since <= checked_at) AND array_agg(since ORDER BY id) = array_agg(since ORDER BY since, id) FROM rowcast.health_checks";
    assert!(reader(&db).await.query_one(order, &[]).await.unwrap().get::<_, bool>(0));
}

/// A clock may be ahead, or jump back between two measurements.
#[tokio::test]
async fn a_wrong_clock_keeps_nobody_from_writing_what_comes_after() {
    let db = Database::new().await;
    let (reader, server) = (reader(&db).await, db.connect_as(Role::Server).await);
    let at = |status: &str, since: &str, checked_at: &str| {
        let mut report = report(status, 0, 0);
        report["since"] = since.into();
        report["checked_at"] = checked_at.into();
        report
    };
    let now = || jiff::Timestamp::now().to_string();
    let tomorrow = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24)).to_string();
    assert!(record(&server, "one", &[at("healthy", &tomorrow, &tomorrow)]).await);
    assert!(record(&server, "one", &[at("down", &tomorrow, &now())]).await);
    assert!(record(&server, "one", &[at("healthy", &now(), &now())]).await);
    assert_eq!(course(&reader, "llm_api", "response_ms").await, ["healthy", "down", "healthy"]);
    let future =
        "SELECT count(*) FROM rowcast.health_checks WHERE checked_at > clock_timestamp() OR since > checked_at";
    assert_eq!(reader.query_one(future, &[]).await.unwrap().get::<_, i64>(0), 0);
}

#[tokio::test]
async fn history_ends_after_thirty_days_and_ten_thousand_states() {
    let db = Database::new().await;
    let (reader, owner) = (reader(&db).await, db.connect().await);
    let many = "ALTER TABLE rowcast.health_checks DISABLE TRIGGER USER;
        INSERT INTO rowcast.health_checks (component, metric, status, value, message, since, checked_at)
        SELECT 'general', 'figure', 'down', n, 'x', now() - (40 - n / 500.0) * interval '1 day', now() - (40 - n / 500.0) * interval '1 day'
        FROM generate_series(1, 20000) n;
        ALTER TABLE rowcast.health_checks ENABLE TRIGGER USER";
    owner.batch_execute(many).await.unwrap();
    let steps = owner
        .query("SELECT detail FROM rowcast.maintain() WHERE partition = 'rowcast.health_checks'", &[])
        .await
        .unwrap();
    assert_eq!(steps.iter().map(|row| row.get(0)).collect::<Vec<String>>(), ["10000 states that were over long ago"]);
    let left = "SELECT count(*), min(value)::int FROM rowcast.health_checks";
    let left = reader.query_one(left, &[]).await.unwrap();
    assert_eq!((left.get::<_, i64>(0), left.get::<_, i32>(1)), (10_000, 10_001));
    owner.batch_execute("UPDATE rowcast.health_checks SET since = since - interval '20 days', checked_at = checked_at - interval '20 days' WHERE value < 16000").await.unwrap();
    let gone = owner.query_one("SELECT rowcast.prune_health()", &[]).await.unwrap();
    assert_eq!(gone.get::<_, i64>(0), 5_000, "what is older than thirty days");
    let left = reader.query_one("SELECT min(value)::int FROM rowcast.health_checks", &[]).await.unwrap();
    assert_eq!(left.get::<_, i32>(0), 15_001);
    let deletions = "SELECT count(*) FROM rowcast.outbox WHERE operation = 'DELETE'";
    assert_eq!(reader.query_one(deletions, &[]).await.unwrap().get::<_, i64>(0), 0, "to forget is no news");
}
