//! What is a value: which events, which fields of theirs.

use super::Stage;
use crate::harness::{Database, Role};

#[tokio::test]
async fn a_metric_is_a_key_or_a_path_and_a_number() {
    let stage = Stage::new().await;
    for metric in ["responseTime", "trends.responseTime.change", "p95.ms", "queueLength"] {
        stage.rule(&format!("metric => '{metric}', comparison => '>', threshold => 10")).await.unwrap();
    }
    let data = [
        r#"{"responseTime": 11, "trends": {"responseTime": {"change": 12.5}}, "p95.ms": 13, "p95": {"ms": 99}, "queueLength": "14.5"}"#,
        r#"{"responseTime": null, "trends": null, "p95.ms": null, "queueLength": "many"}"#,
        r#"{"responseTime": "NaN", "trends": 4, "p95": [1], "queueLength": {"a": 1}}"#,
        r#"{"responseTime": 1e400, "trends": {"responseTime": {"change": true}}, "queueLength": "Infinity"}"#,
        r#"{"truncated": true}"#,
        r#"{"erased": true}"#,
        "[1, 2]",
        "5",
        "{}",
    ];
    for (at, data) in (0_u8..).zip(data) {
        stage.event(f64::from(at), "bot", data).await;
    }
    stage.evaluate(9.0).await;
    let expected = ["acme/bot 0: 11", "acme/bot 0: 12.5", "acme/bot 0: 13", "acme/bot 0: 14.5"];
    let mut alerts = stage.alerts().await;
    alerts.sort();
    assert_eq!(alerts, expected, "nothing after the first was a value");
    assert_eq!(stage.number("SELECT count(DISTINCT sampled_at) FROM rowcast.alert_states").await, 1);
}

#[tokio::test]
async fn a_value_next_to_nothing_stops_nobody() {
    let stage = Stage::with_rule("comparison => '<', threshold => 1").await;
    stage.event(0.0, "bot", r#"{"responseTime": 1e-400}"#).await;
    stage.event(1.0, "bot", r#"{"responseTime": 1e299}"#).await;
    stage.evaluate(1.0).await;
    assert_eq!(stage.messages().await.len(), 2);
    assert_eq!(stage.told().await[0].data["value"].as_f64(), Some(0.0));
}

#[tokio::test]
async fn only_figures_of_an_organization_that_are_there_count() {
    let stage = Stage::with_rule("comparison => '>', threshold => 10").await;
    let insert = "INSERT INTO rowcast.outbox (id, created_at, event_type, audience, organization_id, operation, data) SELECT nextval('rowcast.outbox_id_seq'), ";
    for (audience, organization, event_type, operation) in [
        ("platform", "NULL", "chatbot_metrics", "INSERT"),
        ("nobody", "NULL", "chatbot_metrics", "INSERT"),
        ("user", "'acme'", "chatbot_metrics", "INSERT"),
        ("organization", "'acme'", "performance_alert", "INSERT"),
        ("organization", "'acme'", "chatbot_metrics", "DELETE"),
        ("organization", "'acme'", "chatbot_metrics", "TRUNCATE"),
    ] {
        let values = format!(
            "{}, '{event_type}', '{audience}', {organization}, '{operation}', '{{\"responseTime\": 99}}'",
            super::BEGIN
        );
        stage.execute(&format!("{insert}{values}")).await;
    }
    stage.evaluate(0.0).await;
    assert_eq!(stage.alerts().await, [""; 0]);
    // A row that is updated is a new value, and no chatbot is as good as one.
    let values =
        format!("{}, 'chatbot_metrics', 'organization', 'acme', 'UPDATE', '{{\"responseTime\": 11}}'", super::BEGIN);
    stage.execute(&format!("{insert}{values}")).await;
    stage.evaluate(0.0).await;
    assert_eq!(stage.alerts().await, ["acme 0: 11"]);
    assert_eq!(stage.messages().await, ["firing: responseTime of acme is 11 ms, above 10 ms"]);
    assert!(stage.told().await[0].data.get("chatbotId").is_none());
}

#[tokio::test]
async fn an_apps_own_table_of_figures_is_as_good_as_any() {
    let db = Database::new().await;
    let (owner, writer) = (db.connect().await, db.connect_as(Role::Writer).await);
    let attach = "CREATE TABLE figures (bot text PRIMARY KEY, org text, latency numeric);
                  SELECT rowcast.attach('figures', 'chatbot_metrics', organization_id => 'r.org', chatbot_id => 'r.bot')";
    writer.batch_execute(attach).await.unwrap();
    owner
        .batch_execute("INSERT INTO rowcast.alert_rules (metric, comparison, threshold) VALUES ('latency', '>=', 2.5)")
        .await
        .unwrap();
    writer
        .batch_execute("INSERT INTO figures VALUES ('x', 'acme', 1); UPDATE figures SET latency = 2.50")
        .await
        .unwrap();
    let evaluate = "UPDATE rowcast.settled SET undecided = int8multirange(int8range((SELECT last_value FROM rowcast.outbox_id_seq) + 1, NULL));
                    SELECT rowcast.evaluate_alerts()";
    owner.batch_execute(evaluate).await.unwrap();
    let message: String = owner.query_one("SELECT message FROM rowcast.alerts", &[]).await.unwrap().get(0);
    assert_eq!(message, "latency of x is 2.5, at or above 2.5");
}

#[tokio::test]
async fn figures_are_written_with_their_units() {
    let stage = Stage::new().await;
    for (metric, value, expected) in [
        ("responseTime", "6200", "6,200 ms"),
        ("responseTime", "6200.456", "6,200.46 ms"),
        ("successRate", "0.823", "82.3%"),
        ("cost", "1234.5", "$1,234.50"),
        ("cost", "0.0042", "$0.0042"),
        ("tokenUsage", "1200000", "1,200,000 tokens"),
        ("userSatisfaction", "3.25", "3.25"),
        ("anything", "-0.5", "-0.5"),
        ("anything", "1e20", "1e+20"),
    ] {
        let figure = stage.texts(&format!("SELECT rowcast.alert_figure('{metric}', {value})")).await;
        assert_eq!(figure, [expected], "{metric} {value}");
    }
    for (span, expected) in [
        ("90 s", "90 s"),
        ("300 s", "5 min"),
        ("2 h", "2 h"),
        ("24 h", "1 day"),
        ("3 days", "3 days"),
        ("0.5 s", "0.5 s"),
    ] {
        assert_eq!(stage.texts(&format!("SELECT rowcast.alert_span('{span}')")).await, [expected]);
    }
}

#[tokio::test]
async fn a_name_that_fits_into_no_index_stops_nobody() {
    let stage = Stage::with_rule("comparison => '>', threshold => 10").await;
    let endless: String = std::iter::repeat_with(fastrand::alphanumeric).take(12_000).collect();
    stage.event(0.0, &endless, r#"{"responseTime": 11}"#).await;
    stage.event_of(&endless, 0.0, "bot", r#"{"responseTime": 12}"#).await;
    stage.sample(1.0, 13.0).await;
    stage.evaluate(1.0).await;
    assert_eq!(stage.alerts().await, ["acme/bot 1: 13"]);
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_nothing_late() {
    let stage = Stage::with_rule("comparison => '>', threshold => 10").await;
    stage.rule("comparison => '>', threshold => 10, \"window\" => '2 h'").await.unwrap();
    stage.sample(3_600.0, 11.0).await;
    stage.evaluate(3_600.0).await;
    stage.sample(5.0, 3.0).await;
    stage.evaluate(5.0).await;
    assert_eq!(stage.alerts().await, ["acme/bot 3600: 11 – 3600: 3"; 2]);
    stage.sample(6.0, 12.0).await;
    stage.evaluate(6.0).await;
    let expected = ["acme/bot 6: 12", "acme/bot 3600: 11 – 3600: 3", "acme/bot 3600: 11 – 3600: 3"];
    assert_eq!(stage.alerts().await, expected, "the average is 7.5: what was later than now is not in it");
}
