//! Who may write what, and what is kept.

use super::Stage;
use crate::harness::Role;

#[tokio::test]
async fn rules_are_the_owners_and_everybody_who_reads_may_look() {
    let stage = Stage::with_rule("comparison => '>', threshold => 10").await;
    stage.sample(0.0, 11.0).await;
    stage.evaluate(0.0).await;
    let reader = stage.db.connect_as(Role::Reader).await;
    for table in ["alert_rules", "alert_states", "alerts", "metric_samples", "alerting"] {
        reader.batch_execute(&format!("SELECT * FROM rowcast.{table}")).await.unwrap();
        for role in [Role::Server, Role::Reader, Role::Writer] {
            let client = stage.db.connect_as(role).await;
            let error = client.batch_execute(&format!("DELETE FROM rowcast.{table}")).await.unwrap_err();
            assert!(error.as_db_error().unwrap().message().contains("permission denied"), "{role:?} {table}");
        }
    }
    for role in [Role::Reader, Role::Writer, Role::App] {
        let client = stage.db.connect_as(role).await;
        assert!(client.batch_execute("SELECT rowcast.evaluate_alerts()").await.is_err(), "{role:?}");
    }
}

#[tokio::test]
async fn history_ends_after_90_days_but_what_fires_stays() {
    let stage = Stage::with_rule("comparison => '>', threshold => 10, \"window\" => '1 h'").await;
    let alert = "INSERT INTO rowcast.alerts (rule_id, organization_id, metric, severity, fired_at, value, threshold, message, resolved_at, rule)
                 SELECT 1, 'org' || days, 'm', 'low', now() - interval '1 year', 1, 1, '', CASE WHEN days > 0 THEN now() - days * interval '1 day' END, '{}'
                 FROM unnest('{0,89,91,200}'::int[]) days";
    stage.execute(alert).await;
    let samples = "INSERT INTO rowcast.metric_samples SELECT rule, 'acme', 'bot', now() - n * interval '1 s', n, 1 FROM generate_series(1, 3700) n, unnest('{1,9}'::int[]) rule;
                   INSERT INTO rowcast.metric_samples SELECT 1, 'acme', 'busy', now() - n * interval '1 ms', n, 1 FROM generate_series(1, 10100) n;
                   INSERT INTO rowcast.alert_states SELECT 1, 'org0', chatbot, now() - age, 1, 1
                   FROM (VALUES ('', interval '40 days'), ('silent', interval '31 days'), ('quiet', interval '29 days')) AS s (chatbot, age)";
    stage.execute(samples).await;
    // What keeps others waiting is done in calls of its own.
    let mut steps = Vec::new();
    for _ in 0..5 {
        steps.extend(stage.texts("SELECT detail FROM rowcast.maintain() WHERE partition = 'rowcast.alerts'").await);
    }
    assert_eq!(steps, ["2 alerts that were over 90 days ago"]);
    assert_eq!(stage.texts("SELECT organization_id FROM rowcast.alerts ORDER BY 1").await, ["org0", "org89"]);
    assert_eq!(
        stage.texts("SELECT chatbot_id FROM rowcast.alert_states ORDER BY 1").await,
        ["", "quiet"],
        "the one that fires, and the young one"
    );
    let kept = "SELECT concat(rule_id, ' ', chatbot_id, ' ', count(*) > 3500, ' ', count(*) <= 10000, ' ', min(event_id)) FROM rowcast.metric_samples GROUP BY rule_id, chatbot_id ORDER BY 1";
    assert_eq!(stage.texts(kept).await, ["1 bot t t 1", "1 busy t t 1"]);
}
