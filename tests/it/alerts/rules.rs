//! What a rule means: threshold, `for`, `window`, hysteresis, and what happens when values stop.

use rowcast::payload::Payload;
use serde_json::json;

use super::{Stage, Told};

#[tokio::test]
async fn it_fires_and_is_resolved_and_says_so_in_plain_words() {
    let stage = Stage::with_rule("comparison => '>', threshold => 5000, severity => 'high'").await;
    stage.samples(&[(0.0, 900.0), (60.0, 6200.0), (120.0, 7000.0), (180.0, 5000.0)]).await;
    stage.evaluate(180.0).await;
    assert_eq!(stage.alerts().await, ["acme/bot 60: 6200 – 180: 5000"]);
    let told = |value: f64, status: &str, message: &str| Told {
        organization: "acme".to_owned(),
        priority: "high".to_owned(),
        chatbot: Some("bot".to_owned()),
        data: json!({"metric": "responseTime", "value": value, "threshold": 5000, "status": status, "message": message, "chatbotId": "bot"}),
    };
    let expected = [
        told(6200.0, "firing", "responseTime of bot is 6,200 ms, above 5,000 ms"),
        told(5000.0, "resolved", "responseTime of bot is 5,000 ms, no longer above 5,000 ms"),
    ];
    let told = stage.told().await;
    // Postgres writes 6200, serde 6200.0: the same number.
    assert_eq!(told.iter().map(|told| told.data["value"].as_f64()).collect::<Vec<_>>(), [Some(6200.0), Some(5000.0)]);
    for (told, expected) in told.iter().zip(&expected) {
        assert_eq!(
            (&told.organization, &told.priority, &told.chatbot),
            (&expected.organization, &expected.priority, &expected.chatbot)
        );
        let payload = |data: &serde_json::Value| {
            serde_json::from_value::<Payload>(json!({"type": "performance_alert", "data": data})).unwrap()
        };
        assert_eq!(payload(&told.data), payload(&expected.data));
    }
}

#[tokio::test]
async fn each_comparison_is_what_it_says() {
    // Values one after the other; at which of them it fires and is resolved.
    for (comparison, values, expected) in [
        (">", [10.0, 10.1, 10.0], "acme/bot 1: 10.1 – 2: 10"),
        (">=", [9.9, 10.0, 9.9], "acme/bot 1: 10 – 2: 9.9"),
        ("<", [10.0, 9.9, 10.0], "acme/bot 1: 9.9 – 2: 10"),
        ("<=", [10.1, 10.0, 10.1], "acme/bot 1: 10 – 2: 10.1"),
    ] {
        let stage = Stage::with_rule(&format!("comparison => '{comparison}', threshold => 10")).await;
        for (at, value) in (0_u8..).zip(values) {
            stage.sample(f64::from(at), value).await;
        }
        stage.evaluate(2.0).await;
        assert_eq!(stage.alerts().await, [expected], "{comparison}");
    }
}

#[tokio::test]
async fn it_fires_when_the_value_has_been_beyond_for_long_enough_without_a_break() {
    let stage = Stage::with_rule("comparison => '>', threshold => 10, \"for\" => '5 min'").await;
    stage
        .samples(&[
            (0.0, 11.0),
            (120.0, 12.0),
            (240.0, 13.0),
            (299.0, 10.0),
            (300.0, 14.0),
            (400.0, 11.0),
            (599.0, 15.0),
        ])
        .await;
    stage.evaluate(599.0).await;
    assert_eq!(stage.alerts().await, [""; 0], "there was a break at 299, and 600 has not come");
    // Time passes by values, not by the clock.
    stage.evaluate(700.0).await;
    assert_eq!(stage.alerts().await, [""; 0]);
    stage.sample(710.0, 16.0).await;
    stage.evaluate(710.0).await;
    assert_eq!(stage.alerts().await, ["acme/bot 710: 16"]);
    assert_eq!(stage.messages().await, ["firing: responseTime of bot is 16 ms, above 10 ms for 5 min"]);
}

#[tokio::test]
async fn it_is_resolved_when_the_value_has_been_back_for_as_long() {
    let stage = Stage::with_rule("comparison => '>', threshold => 10, \"for\" => '1 min'").await;
    stage
        .samples(&[(0.0, 11.0), (60.0, 11.0), (80.0, 9.0), (130.0, 9.0), (139.0, 12.0), (140.0, 8.0), (199.9, 7.0)])
        .await;
    stage.evaluate(199.9).await;
    assert_eq!(stage.alerts().await, ["acme/bot 60: 11"], "it was beyond again at 139");
    stage.sample(200.0, 6.0).await;
    stage.evaluate(200.0).await;
    assert_eq!(stage.alerts().await, ["acme/bot 60: 11 – 200: 6"]);
    assert_eq!(stage.messages().await[1], "resolved: responseTime of bot is 6 ms, no longer above 10 ms for 1 min");
}

#[tokio::test]
async fn a_value_that_dances_on_the_threshold_fires_once() {
    let stage = Stage::with_rule("comparison => '>', threshold => 10, resolve_threshold => 8").await;
    for at in 0..100_u8 {
        stage.sample(f64::from(at), if at % 2 == 0 { 10.5 } else { 8.5 }).await;
    }
    stage.evaluate(99.0).await;
    assert_eq!(stage.alerts().await, ["acme/bot 0: 10.5"]);
    stage.sample(100.0, 8.0).await;
    stage.evaluate(100.0).await;
    assert_eq!(stage.alerts().await, ["acme/bot 0: 10.5 – 100: 8"]);
    assert_eq!(stage.messages().await[1], "resolved: responseTime of bot is 8 ms, no longer above 8 ms");
}

#[tokio::test]
async fn a_window_is_the_average_from_its_beginning_to_the_value_both_included() {
    let stage = Stage::with_rule("comparison => '>', threshold => 10, \"window\" => '1 min'").await;
    stage.samples(&[(0.0, 4.0), (30.0, 12.0), (60.0, 14.0), (61.0, 8.0), (150.0, 3.0)]).await;
    stage.evaluate(150.0).await;
    // 4, 8, 10 (of all three), then 34/3 without the first.
    assert_eq!(stage.alerts().await, ["acme/bot 61: 11.333 – 150: 3"]);
    assert_eq!(
        stage.messages().await,
        [
            "firing: responseTime of bot is 11.33 ms on average over 1 min, above 10 ms",
            "resolved: responseTime of bot is 3 ms on average over 1 min, no longer above 10 ms"
        ]
    );
}

#[tokio::test]
async fn nothing_fires_by_what_is_stale() {
    let stage =
        Stage::with_rule("comparison => '>', threshold => 10, \"for\" => '5 min', stale_after => '10 min'").await;
    stage.samples(&[(0.0, 11.0), (300.0, 11.0)]).await;
    stage.evaluate(901.0).await;
    assert_eq!(stage.alerts().await, [""; 0], "300 is more than ten minutes ago");
    // What is stale began the time all the same.
    stage.sample(900.0, 12.0).await;
    stage.evaluate(905.0).await;
    assert_eq!(stage.alerts().await, ["acme/bot 900: 12"]);
    // A gap is a break.
    let stage =
        Stage::with_rule("comparison => '>', threshold => 10, \"for\" => '5 min', stale_after => '10 min'").await;
    stage.samples(&[(0.0, 11.0), (601.0, 11.0), (900.0, 11.0)]).await;
    stage.evaluate(900.0).await;
    assert_eq!(stage.alerts().await, [""; 0]);
    stage.sample(901.0, 12.0).await;
    stage.evaluate(901.0).await;
    assert_eq!(stage.alerts().await, ["acme/bot 901: 12"]);
}

#[tokio::test]
async fn what_fires_is_over_when_its_values_stop() {
    let stage = Stage::with_rule("comparison => '>', threshold => 10, stale_after => '10 min'").await;
    stage.sample(0.0, 11.0).await;
    stage.evaluate(600.0).await;
    assert_eq!(stage.alerts().await, ["acme/bot 0: 11"]);
    stage.evaluate(601.0).await;
    stage.evaluate(602.0).await;
    assert_eq!(stage.alerts().await, ["acme/bot 0: 11 – 600: 11"]);
    assert_eq!(stage.messages().await[1..], ["resolved: responseTime of bot has had no value for 10 min"]);
    // The same when nobody looked at the clock in between.
    stage.samples(&[(1000.0, 12.0), (1700.0, 13.0)]).await;
    stage.evaluate(1700.0).await;
    let expected = ["acme/bot 0: 11 – 600: 11", "acme/bot 1700: 13"];
    assert_eq!(stage.alerts().await, expected, "1000 was stale, and fired nothing");
    stage.sample(2400.0, 14.0).await;
    stage.evaluate(2400.0).await;
    assert_eq!(stage.alerts().await[1..], ["acme/bot 1700: 13 – 2300: 13", "acme/bot 2400: 14"]);
}

#[tokio::test]
async fn each_organization_and_chatbot_is_judged_by_itself() {
    let stage = Stage::with_rule("comparison => '>', threshold => 10, \"for\" => '10 s'").await;
    stage.rule("comparison => '>', threshold => 100, organization_id => 'acme', chatbot_id => 'b'").await.unwrap();
    for (organization, chatbot, at, value) in [
        ("acme", "a", 0.0, 11),
        ("acme", "b", 1.0, 11),
        ("beta", "b", 2.0, 111),
        ("acme", "a", 10.0, 12),
        ("acme", "b", 10.0, 12),
        ("acme", "b", 11.0, 111),
    ] {
        stage.event_of(organization, at, chatbot, &format!(r#"{{"responseTime": {value}}}"#)).await;
    }
    stage.evaluate(11.0).await;
    let by_rule = "SELECT concat(rule_id, ' ', organization_id, '/', chatbot_id) FROM rowcast.alerts ORDER BY 1";
    assert_eq!(stage.texts(by_rule).await, ["1 acme/a", "1 acme/b", "2 acme/b"]);
}

#[tokio::test]
async fn a_rule_that_makes_no_sense_is_refused_by_a_name_that_says_why() {
    let stage = Stage::new().await;
    for (rule, constraint) in [
        ("comparison => '=', threshold => 1", "comparison_is_one_of_4"),
        ("comparison => '>', threshold => 'NaN'", "threshold_is_a_number"),
        ("comparison => '>', threshold => 'Infinity'", "threshold_is_a_number"),
        (
            "comparison => '>', threshold => 1, resolve_threshold => 2",
            "resolve_threshold_is_on_the_side_where_all_is_well",
        ),
        (
            "comparison => '<', threshold => 1, resolve_threshold => 0.5",
            "resolve_threshold_is_on_the_side_where_all_is_well",
        ),
        ("comparison => '>', threshold => 1, \"for\" => '-1 s'", "for_is_up_to_30_days"),
        ("comparison => '>', threshold => 1, \"window\" => '0'", "window_is_up_to_a_day_or_a_month_of_cost"),
        ("comparison => '>', threshold => 1, \"window\" => '25 hours'", "window_is_up_to_a_day_or_a_month_of_cost"),
        ("comparison => '>', threshold => 1, \"window\" => '1 month'", "window_is_up_to_a_day_or_a_month_of_cost"),
        (
            "metric => 'cost', comparison => '>', threshold => 1, \"window\" => '30 days'",
            "window_is_up_to_a_day_or_a_month_of_cost",
        ),
        ("comparison => '>', threshold => 1, stale_after => '0'", "stale_after_is_some_time_up_to_30_days"),
        ("comparison => '>', threshold => 1, severity => 'urgent'", "severity_is_low_medium_high_or_critical"),
        ("comparison => '>', threshold => 1, organization_id => ''", "organization_has_a_name"),
        ("comparison => '>', threshold => 1, chatbot_id => ''", "chatbot_has_a_name"),
        ("metric => '', comparison => '>', threshold => 1", "metric_has_a_name"),
        ("metric => 'cost', comparison => '<', threshold => 1, \"window\" => '1 day'", "budget_can_only_be_exceeded"),
        (
            "metric => 'cost', comparison => '>', threshold => 1, \"window\" => '1 month', \"for\" => '1 h'",
            "budget_is_for_its_whole_period",
        ),
    ] {
        let error = stage.rule(rule).await.unwrap_err();
        assert_eq!(error.as_db_error().unwrap().constraint(), Some(constraint), "{rule}");
    }
    for rule in [
        "comparison => '<=', threshold => 0.9, resolve_threshold => 0.95, \"for\" => '30 days', \"window\" => '1 day'",
        "metric => 'cost', comparison => '>', threshold => 1, \"window\" => '24 hours'",
        "metric => 'cost', comparison => '>=', threshold => 1, \"window\" => '1 month'",
    ] {
        stage.rule(rule).await.unwrap();
    }
    let budgets = "SELECT coalesce(budget, 'none') FROM rowcast.alert_rules ORDER BY id DESC LIMIT 3";
    assert_eq!(stage.texts(budgets).await, ["month", "none", "none"], "24 hours are no day of the calendar");
}
