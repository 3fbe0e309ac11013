//! Alert rules that can never fire.

use super::examine;
use crate::harness::Database;

#[tokio::test]
async fn a_rule_that_has_had_no_value() {
    let db = Database::new().await;
    let owner = db.connect().await;
    let rules =
        "INSERT INTO rowcast.alert_rules (metric, comparison, threshold, \"window\", chatbot_id, enabled) VALUES
                 ('responsetime', '>', 5000, NULL, 'bot_x', true), ('responseTime', '>', 10, NULL, NULL, true),
                 ('cost', '>', 10, '1 day', NULL, true), ('off', '>', 10, NULL, NULL, false)";
    owner.batch_execute(rules).await.unwrap();
    assert_eq!(examine(&db).await.level("alert_rules"), "ok", "an hour has not passed");
    let later = "UPDATE rowcast.alert_rules SET created_at = created_at - interval '2 hours';
                 SELECT rowcast.emit('chatbot_metrics', 'acme', '{\"responseTime\": 5}');
                 UPDATE rowcast.settled SET undecided = '{[2,)}';
                 SELECT rowcast.evaluate_alerts()";
    owner.batch_execute(later).await.unwrap();
    let examination = examine(&db).await;
    let said = "alert rule 1 (responsetime > 5000 of bot_x) has had no value in 30 days, or since it was made";
    assert_eq!(examination.one("alert_rules"), ("warning", said));
    owner.batch_execute(&examination.fixes("alert_rules").join("\n")).await.unwrap();
    assert_eq!(examine(&db).await.level("alert_rules"), "ok");
}
