//! System health: what is measured, by whom, what is made of it, and what is never told.

#[cfg(feature = "bedrock")]
mod bedrock;
mod database;
mod duty;
mod endpoints;
mod outage;
mod peer;
mod records;
mod search;
mod secrets;
mod servers;
mod settings;

use serde_json::Value;
use tokio_postgres::Client;

use crate::harness::{Database, Role, Server, eventually, sse};

/// So that a test takes no longer than it must.
const QUICK: [(&str, &str); 2] = [("ROWCAST_HEALTH_AGREEING", "1"), ("ROWCAST_HEALTH_RESTATE", "1h")];

/// A state that is written down.
#[derive(Clone, Debug)]
struct Check {
    value: f64,
    message: String,
    recommendation: Option<String>,
}

/// The latest of a figure, once it is in this state.
async fn until(reader: &Client, component: &str, metric: &str, status: &str) -> Check {
    let latest = "SELECT value, message, recommendation FROM rowcast.health WHERE component = $1 AND metric = $2 AND status = $3";
    eventually(&format!("{component} {metric} to be {status}"), async || {
        let row = reader.query_opt(latest, &[&component, &metric, &status]).await.unwrap()?;
        Some(Check { value: row.get(0), message: row.get(1), recommendation: row.get(2) })
    })
    .await
}

/// All states of a figure, in their order.
async fn course(reader: &Client, component: &str, metric: &str) -> Vec<String> {
    let course = "SELECT status FROM rowcast.health_checks WHERE component = $1 AND metric = $2 ORDER BY id";
    let rows = reader.query(course, &[&component, &metric]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The data of every event of a figure, with its priority, in their order.
async fn events(reader: &Client, metric: &str) -> Vec<(String, Value)> {
    let events = "SELECT priority, data FROM rowcast.outbox WHERE event_type = 'system_health' AND data ->> 'metric' = $1 ORDER BY id";
    let rows = reader.query(events, &[&metric]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Settings by which a URL is watched as the language model, ten times a second; it is late after 300 ms, and down after 900.
fn model(url: &str) -> Vec<(&str, &str)> {
    let mut settings = vec![
        ("ROWCAST_HEALTH_LLM_URL", url),
        ("ROWCAST_HEALTH_LLM_INTERVAL", "100ms"),
        ("ROWCAST_HEALTH_LLM_THRESHOLD", "300ms"),
    ];
    settings.extend(QUICK);
    settings
}

async fn reader(db: &Database) -> Client {
    db.connect_as(Role::Reader).await
}

/// What a server tells of itself.
async fn figures(server: &Server) -> String {
    sse::Client::request(&server.url(), "GET", "/metrics", "Connection: close\r\n", "").await.rest().await
}
