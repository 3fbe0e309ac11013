//! The app's housekeeping: figures, alerts, health checks, and what its signed-in users do.

use std::time::Duration;

use serde_json::json;
use tokio_postgres::Client;

use super::{
    Error, log,
    simulation::{Simulation, Task},
};

/// Between two runs of the job that aggregates the day.
pub(super) const MEASURE_EVERY: Duration = Duration::from_secs(6);

/// Between two health checks, each of another part.
const CHECK_EVERY: Duration = Duration::from_millis(2_500);

/// Between two things that signed-in users do.
const ACT_EVERY: Duration = Duration::from_millis(1_500);

/// On average over a chatbot's last replies, in milliseconds; slower ones raise an alert.
const SLOW_RESPONSE_MS: i32 = 4_000;

/// One check in this many finds something wrong.
const CHECKS_PER_INCIDENT: u32 = 15;

/// A health check of one part of the platform.
struct Probe {
    component: &'static str,
    metric: &'static str,
    /// What it measures on a good day.
    usual: f64,
    threshold: f64,
    recommendation: &'static str,
}

const PROBES: [Probe; 5] = [
    Probe {
        component: "database",
        metric: "query_p95_ms",
        usual: 14.0,
        threshold: 40.0,
        recommendation: "Look for long transactions and missing indexes",
    },
    Probe {
        component: "vector_search",
        metric: "search_p95_ms",
        usual: 85.0,
        threshold: 250.0,
        recommendation: "Rebuild the index or add a replica",
    },
    Probe {
        component: "llm_api",
        metric: "first_token_p95_ms",
        usual: 420.0,
        threshold: 1_200.0,
        recommendation: "Route new conversations to the fallback model",
    },
    Probe {
        component: "document_processing",
        metric: "queue_depth",
        usual: 6.0,
        threshold: 20.0,
        recommendation: "Start another worker",
    },
    Probe {
        component: "general",
        metric: "error_rate_percent",
        usual: 0.4,
        threshold: 1.5,
        recommendation: "Compare with the time of the last deployment",
    },
];

pub(super) async fn measure(app: &mut Simulation, client: &Client) -> Result<(), Error> {
    app.schedule(MEASURE_EVERY, Task::Measure);
    client.execute(include_str!("../../sql/chatbot/queries/refresh_metrics.sql"), &[]).await?;
    client.execute(include_str!("../../sql/chatbot/queries/raise_alerts.sql"), &[&SLOW_RESPONSE_MS]).await?;
    Ok(())
}

pub(super) async fn check_health(app: &mut Simulation, client: &Client, number: usize) -> Result<(), Error> {
    app.schedule(CHECK_EVERY, Task::CheckHealth((number + 1) % PROBES.len()));

    let probe = &PROBES[number];
    let burden = if app.random.u32(..CHECKS_PER_INCIDENT) == 0 {
        2.0 + app.random.f64() * 5.0
    } else {
        0.7 + app.random.f64() * 0.6
    };
    let value = (probe.usual * burden * 100.0).round() / 100.0;
    let (status, severity) = match value / probe.threshold {
        load if load > 2.0 => ("down", "critical"),
        load if load > 1.0 => ("degraded", "high"),
        _ => ("healthy", "info"),
    };
    let message = format!("{} is {status}: {} at {value}, limit {}", probe.component, probe.metric, probe.threshold);
    let details = if status == "healthy" { json!({}) } else { json!({ "recommendation": probe.recommendation }) };
    let entry = log::Entry {
        kind: "health_check",
        component: Some(probe.component),
        severity,
        name: probe.metric,
        value: Some(value),
        threshold: Some(probe.threshold),
        status: Some(status),
        message: &message,
        details,
        ..log::Entry::default()
    };
    entry.write(client).await
}

pub(super) async fn act(app: &mut Simulation, client: &Client) -> Result<(), Error> {
    let next = app.about(ACT_EVERY);
    app.schedule(next, Task::Act);

    let colleague = app.directory.any_colleague(&mut app.random).clone();
    client.execute(include_str!("../../sql/chatbot/queries/touch_user.sql"), &[&colleague.user]).await?;
    let Some(action) = app.random.choice(&app.corpus.actions) else { return Ok(()) };
    let entry = log::Entry {
        kind: "activity",
        organization_id: Some(&colleague.organization),
        user_id: Some(&colleague.user),
        severity: "info",
        name: action,
        message: action,
        details: json!({ "productId": colleague.product }),
        ..log::Entry::default()
    };
    entry.write(client).await
}
