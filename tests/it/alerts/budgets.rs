//! Sums of cost by the calendar's day and month.

use super::Stage;

/// Spends on a day of 2026.
async fn spend(stage: &Stage, day: &str, organization: &str, chatbot: &str, cost: &str) {
    let insert = format!(
        "INSERT INTO rowcast.daily_costs VALUES ('2026-{day}', '{organization}', '{chatbot}', 0, 0, 0, {cost})
         ON CONFLICT (day, organization_id, chatbot_id) DO UPDATE SET cost = excluded.cost"
    );
    stage.execute(&insert).await;
}

async fn evaluate(stage: &Stage, at: &str) {
    stage.server.query_one(&format!("SELECT rowcast.evaluate_alerts('2026-{at}+00')"), &[]).await.unwrap();
}

/// `acme 2026-03-01: firing`, in the order of firing.
async fn alerts(stage: &Stage) -> Vec<String> {
    let alerts = "SELECT concat(organization_id, '/' || chatbot_id, ' ', period_start, CASE WHEN resolved_at IS NULL THEN ': firing' END) FROM rowcast.alerts ORDER BY id";
    stage.texts(alerts).await
}

#[tokio::test]
async fn a_day_fires_once_and_is_over_at_midnight() {
    let stage = Stage::with_rule(
        "metric => 'cost', comparison => '>', threshold => 50, \"window\" => '1 day', organization_id => 'acme'",
    )
    .await;
    spend(&stage, "02-28", "acme", "a", "1000").await;
    spend(&stage, "03-01", "acme", "a", "40").await;
    spend(&stage, "03-01", "beta", "a", "1000").await;
    evaluate(&stage, "03-01 10:00").await;
    assert_eq!(alerts(&stage).await, [""; 0]);
    // An organization's chatbots are added up.
    spend(&stage, "03-01", "acme", "b", "12.3").await;
    evaluate(&stage, "03-01 11:00").await;
    spend(&stage, "03-01", "acme", "b", "21.1").await;
    evaluate(&stage, "03-01 12:00").await;
    // A correction does not make it fire again.
    spend(&stage, "03-01", "acme", "b", "1").await;
    evaluate(&stage, "03-01 13:00").await;
    spend(&stage, "03-01", "acme", "b", "21.1").await;
    evaluate(&stage, "03-01 23:59:59").await;
    assert_eq!(alerts(&stage).await, ["acme 2026-03-01: firing"]);
    evaluate(&stage, "03-02 00:00:05").await;
    evaluate(&stage, "03-02 00:01").await;
    assert_eq!(alerts(&stage).await, ["acme 2026-03-01"]);
    spend(&stage, "03-02", "acme", "b", "50.01").await;
    evaluate(&stage, "03-02 08:00").await;
    assert_eq!(alerts(&stage).await, ["acme 2026-03-01", "acme 2026-03-02: firing"]);
    assert_eq!(
        stage.messages().await,
        [
            "firing: cost of acme is $52.30 today, above $50.00 a day",
            "resolved: cost of acme was $61.10 on 2026-03-01: the day is over",
            "firing: cost of acme is $50.01 today, above $50.00 a day",
        ]
    );
}

#[tokio::test]
async fn a_month_is_added_up_for_each_organization_or_one_chatbot() {
    let stage =
        Stage::with_rule("metric => 'cost', comparison => '>=', threshold => 100, \"window\" => '1 month'").await;
    stage
        .rule("metric => 'cost', comparison => '>', threshold => 20, \"window\" => '1 month', chatbot_id => 'a'")
        .await
        .unwrap();
    spend(&stage, "01-31", "acme", "a", "500").await;
    for (day, organization, chatbot, cost) in [
        ("02-01", "acme", "a", "20"),
        ("02-14", "acme", "b", "40"),
        ("02-28", "acme", "c", "40"),
        ("02-10", "beta", "a", "30"),
    ] {
        spend(&stage, day, organization, chatbot, cost).await;
    }
    evaluate(&stage, "02-28 23:00").await;
    assert_eq!(alerts(&stage).await, ["acme 2026-02-01: firing", "beta/a 2026-02-01: firing"]);
    evaluate(&stage, "03-01 00:00").await;
    assert_eq!(alerts(&stage).await, ["acme 2026-02-01", "beta/a 2026-02-01"]);
    let mut messages = stage.messages().await;
    messages.sort();
    assert_eq!(
        messages,
        [
            "firing: cost of a is $30.00 this month, above $20.00 a month",
            "firing: cost of acme is $100.00 this month, at or above $100.00 a month",
            "resolved: cost of a was $30.00 in 2026-02: the month is over",
            "resolved: cost of acme was $100.00 in 2026-02: the month is over",
        ]
    );
}

#[tokio::test]
async fn days_are_those_of_the_costs_time_zone() {
    let stage = Stage::with_rule("metric => 'cost', comparison => '>', threshold => 50, \"window\" => '1 day'").await;
    stage.execute("UPDATE rowcast.settings SET value = 'Europe/Berlin' WHERE name = 'cost_time_zone'").await;
    spend(&stage, "03-02", "acme", "a", "60").await;
    evaluate(&stage, "03-01 22:59").await;
    assert_eq!(alerts(&stage).await, [""; 0]);
    evaluate(&stage, "03-01 23:00").await;
    assert_eq!(alerts(&stage).await, ["acme 2026-03-02: firing"]);
    evaluate(&stage, "03-02 22:59").await;
    assert_eq!(alerts(&stage).await, ["acme 2026-03-02: firing"]);
    evaluate(&stage, "03-02 23:00").await;
    assert_eq!(alerts(&stage).await, ["acme 2026-03-02"]);
}

#[tokio::test]
async fn a_threshold_that_is_raised_ends_it_and_one_that_is_still_passed_fires_anew() {
    let stage = Stage::with_rule("metric => 'cost', comparison => '>', threshold => 50, \"window\" => '1 day'").await;
    spend(&stage, "03-01", "acme", "a", "60").await;
    evaluate(&stage, "03-01 10:00").await;
    stage.execute("UPDATE rowcast.alert_rules SET threshold = 100").await;
    evaluate(&stage, "03-01 10:00:01").await;
    assert_eq!(alerts(&stage).await, ["acme 2026-03-01"]);
    stage.execute("UPDATE rowcast.alert_rules SET threshold = 55").await;
    evaluate(&stage, "03-01 10:00:06").await;
    assert_eq!(alerts(&stage).await, ["acme 2026-03-01", "acme 2026-03-01: firing"]);
    assert_eq!(
        stage.messages().await[1..],
        ["resolved: cost of acme: the rule was changed", "firing: cost of acme is $60.00 today, above $55.00 a day"]
    );
}

#[tokio::test]
async fn a_setting_that_is_no_time_zone_stops_budgets_alone() {
    let stage = Stage::with_rule("metric => 'cost', comparison => '>', threshold => 50, \"window\" => '1 day'").await;
    stage.rule("comparison => '>', threshold => 10").await.unwrap();
    // Whatever checks the setting is not there when a dump is restored.
    stage.execute("ALTER TABLE rowcast.settings DISABLE TRIGGER USER; UPDATE rowcast.settings SET value = 'Mars' WHERE name = 'cost_time_zone'").await;
    stage.sample(0.0, 11.0).await;
    stage.evaluate(0.0).await;
    assert_eq!(stage.alerts().await, ["acme/bot 0: 11"]);
}

#[tokio::test]
async fn a_thousand_budgets_are_judged_in_seconds_and_a_chatbot_without_a_name_is_no_sum() {
    let stage = Stage::new().await;
    let fill = "INSERT INTO rowcast.daily_costs
        SELECT date '2026-03-01' + d, 'o' || n % 1000, 'bot' || n, 0, 0, 0, 1 FROM generate_series(0, 29) d, generate_series(1, 2000) n;
        INSERT INTO rowcast.daily_costs VALUES ('2026-03-30', 'o0', '', 0, 0, 0, 0.5);
        INSERT INTO rowcast.alert_rules (metric, comparison, threshold, \"window\", organization_id)
        SELECT 'cost', '>=', 60.5, '1 month', 'o' || n FROM generate_series(0, 999) n;
        INSERT INTO rowcast.alert_rules (metric, comparison, threshold, \"window\", chatbot_id)
        SELECT 'cost', '>=', 30, '1 month', 'bot' || n FROM generate_series(7, 8) n";
    stage.execute(fill).await;
    stage.server.batch_execute("SET statement_timeout = '15 s'").await.unwrap();
    evaluate(&stage, "03-30 10:00").await;
    let firing = ["o0 2026-03-01: firing", "o7/bot7 2026-03-01: firing", "o8/bot8 2026-03-01: firing"];
    assert_eq!(alerts(&stage).await, firing);
    evaluate(&stage, "04-01 00:00").await;
    assert_eq!(alerts(&stage).await, firing.map(|alert| alert.trim_end_matches(": firing")));
    assert_eq!(stage.messages().await[3], "resolved: cost of o0 was $60.50 in 2026-03: the month is over");
}
