//! Rules that are changed, switched off or deleted while they fire.

use super::Stage;

async fn firing() -> Stage {
    let stage = Stage::with_rule("comparison => '>', threshold => 10, \"window\" => '1 min', severity => 'low'").await;
    stage.sample(0.0, 11.0).await;
    stage.evaluate(0.0).await;
    assert_eq!(stage.alerts().await, ["acme/bot 0: 11"]);
    stage
}

#[tokio::test]
async fn what_fires_by_a_rule_that_is_gone_is_over_once_and_says_why() {
    for (change, why) in [
        ("DELETE FROM rowcast.alert_rules", "deleted"),
        ("UPDATE rowcast.alert_rules SET enabled = false", "switched off"),
        ("UPDATE rowcast.alert_rules SET threshold = 20", "changed"),
        ("UPDATE rowcast.alert_rules SET \"for\" = '1 min'", "changed"),
        ("UPDATE rowcast.alert_rules SET chatbot_id = 'another'", "changed"),
    ] {
        let stage = firing().await;
        stage.execute(change).await;
        stage.evaluate(5.0).await;
        stage.evaluate(6.0).await;
        assert_eq!(stage.alerts().await, ["acme/bot 0: 11 – 5: 11"], "{change}");
        assert_eq!(stage.messages().await[1..], [format!("resolved: responseTime of bot: the rule was {why}")]);
        assert_eq!(stage.number("SELECT count(*) FROM rowcast.alert_states").await, 0);
        assert_eq!(stage.number("SELECT count(*) FROM rowcast.metric_samples").await, 0);
        // It was told as it was fired.
        assert_eq!(stage.told().await[1].priority, "low");
    }
}

#[tokio::test]
async fn what_does_not_matter_changes_nothing() {
    let stage = firing().await;
    stage.execute("UPDATE rowcast.alert_rules SET description = 'slow answers'; SET intervalstyle = iso_8601").await;
    stage.server.batch_execute("SET intervalstyle = sql_standard").await.unwrap();
    stage.sample(1.0, 12.0).await;
    stage.evaluate(1.0).await;
    assert_eq!(stage.alerts().await, ["acme/bot 0: 11"]);
}

#[tokio::test]
async fn a_changed_rule_is_judged_anew() {
    let stage = firing().await;
    stage.execute("UPDATE rowcast.alert_rules SET threshold = 20").await;
    stage.sample(10.0, 30.0).await;
    stage.evaluate(10.0).await;
    // The average is of what came since: 11 belonged to the other rule.
    assert_eq!(stage.alerts().await, ["acme/bot 0: 11 – 10: 11", "acme/bot 10: 30"]);
    stage.execute("UPDATE rowcast.alert_rules SET enabled = false").await;
    stage.evaluate(11.0).await;
    stage.sample(12.0, 99.0).await;
    stage.evaluate(12.0).await;
    stage.execute("UPDATE rowcast.alert_rules SET enabled = true").await;
    stage.evaluate(13.0).await;
    assert_eq!(stage.alerts().await.len(), 2, "what came while it was off is none of its business");
    stage.sample(14.0, 21.0).await;
    stage.evaluate(14.0).await;
    assert_eq!(stage.alerts().await[2..], ["acme/bot 14: 21"]);
}

#[tokio::test]
async fn an_alert_that_is_ended_by_hand_is_over_and_may_fire_again() {
    let stage = firing().await;
    stage.execute("UPDATE rowcast.alerts SET resolved_at = fired_at, resolution = 'a false alarm'").await;
    assert_eq!(stage.messages().await[1..], ["resolved: a false alarm"]);
    stage.sample(1.0, 12.0).await;
    stage.evaluate(1.0).await;
    assert_eq!(stage.alerts().await.len(), 2);
}
