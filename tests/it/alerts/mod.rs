//! Alerts: rules, what they are judged by, and what is told of it.

mod budgets;
mod changes;
mod flapping;
mod once;
mod reading;
mod rules;
mod samples;
mod stream;
mod writing;

use serde_json::Value;
use tokio_postgres::{Client, Error};

use crate::harness::{Database, Role};

/// A database in which the test has the clock in its hand: times are seconds after this one.
const BEGIN: &str = "timestamptz '2026-03-01 12:00:00+00'";

struct Stage {
    db: Database,
    /// Writes rules, and rows of the outbox with times of its choice.
    owner: Client,
    /// Evaluates with what the migration has granted, and no more.
    server: Client,
}

/// An alert, as clients are told of it.
#[derive(Debug, PartialEq)]
struct Told {
    organization: String,
    priority: String,
    chatbot: Option<String>,
    data: Value,
}

impl Stage {
    async fn new() -> Self {
        let db = Database::new().await;
        Self { owner: db.connect().await, server: db.connect_as(Role::Server).await, db }
    }

    /// With a rule, of which these are columns and values: `metric => 'cost', "for" => '5 min'`.
    async fn with_rule(rule: &str) -> Self {
        let stage = Self::new().await;
        stage.rule(rule).await.unwrap();
        stage
    }

    /// Adds a rule; its id. One whose metric is not said is of the response time.
    async fn rule(&self, rule: &str) -> Result<i64, Error> {
        let parts: Vec<(&str, &str)> = rule.split(", ").map(|part| part.split_once(" => ").unwrap()).collect();
        let (mut columns, mut values): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        if !columns.contains(&"metric") {
            columns.push("metric");
            values.push("'responseTime'");
        }
        let insert = format!(
            "INSERT INTO rowcast.alert_rules ({}) VALUES ({}) RETURNING id",
            columns.join(", "),
            values.join(", ")
        );
        Ok(self.owner.query_one(&insert, &[]).await?.get(0))
    }

    async fn execute(&self, statements: &str) {
        self.owner.batch_execute(statements).await.unwrap();
    }

    /// A `chatbot_metrics` event of acme's bot at that second, with this response time.
    async fn sample(&self, at: f64, value: f64) {
        self.event(at, "bot", &format!(r#"{{"responseTime": {value}}}"#)).await;
    }

    async fn samples(&self, samples: &[(f64, f64)]) {
        for &(at, value) in samples {
            self.sample(at, value).await;
        }
    }

    async fn event(&self, at: f64, chatbot: &str, data: &str) {
        self.event_of("acme", at, chatbot, data).await;
    }

    /// Any such event. It is not settled yet.
    async fn event_of(&self, organization: &str, at: f64, chatbot: &str, data: &str) {
        let insert = format!(
            "INSERT INTO rowcast.outbox (id, created_at, event_type, audience, organization_id, chatbot_id, operation, data)
             VALUES (nextval('rowcast.outbox_id_seq'), {BEGIN} + $1 * interval '1 s', 'chatbot_metrics', 'organization', $2, $3, 'EMIT', $4::text::jsonb)"
        );
        self.owner.execute(&insert, &[&at, &organization, &chatbot, &data]).await.unwrap();
    }

    /// What the servers would store once they had seen all of it.
    async fn settle(&self) {
        self.execute(
            "UPDATE rowcast.settled SET undecided = int8multirange(int8range((SELECT last_value FROM rowcast.outbox_id_seq) + 1, NULL))",
        )
        .await;
    }

    /// Judges all that there is, at that second.
    async fn evaluate(&self, at: f64) {
        self.settle().await;
        self.evaluate_settled(at).await;
    }

    async fn evaluate_settled(&self, at: f64) {
        let evaluate = format!("SELECT rowcast.evaluate_alerts({BEGIN} + $1 * interval '1 s')");
        while self.server.query_one(&evaluate, &[&at]).await.unwrap().get(0) {}
    }

    /// `acme/bot 60: 6200 – 300: 3900`: when it fired and was resolved, and the values then; by when they fired.
    async fn alerts(&self) -> Vec<String> {
        let query = format!(
            "SELECT concat(organization_id, '/' || chatbot_id, ' ', trim_scale(extract(epoch FROM fired_at - {BEGIN})), ': ', round(value, 3)::float8,
                           ' – ' || trim_scale(extract(epoch FROM resolved_at - {BEGIN})) || ': ' || round(resolved_value, 3)::float8)
             FROM rowcast.alerts ORDER BY fired_at, 1"
        );
        self.texts(&query).await
    }

    async fn texts(&self, query: &str) -> Vec<String> {
        self.owner.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// The messages of all events about alerts, in their order.
    async fn messages(&self) -> Vec<String> {
        let messages = "SELECT concat(data->>'status', ': ', data->>'message') FROM rowcast.outbox WHERE source = 'rowcast.alerts' ORDER BY id";
        self.texts(messages).await
    }

    async fn told(&self) -> Vec<Told> {
        let events = "SELECT organization_id, priority, chatbot_id, data::text FROM rowcast.outbox WHERE source = 'rowcast.alerts' ORDER BY id";
        let rows = self.owner.query(events, &[]).await.unwrap();
        let told = rows.iter().map(|row| Told {
            organization: row.get(0),
            priority: row.get(1),
            chatbot: row.get(2),
            data: serde_json::from_str(row.get(3)).unwrap(),
        });
        told.collect()
    }

    async fn number(&self, query: &str) -> i64 {
        self.owner.query_one(query, &[]).await.unwrap().get(0)
    }
}
