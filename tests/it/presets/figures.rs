//! Figures of chatbots, and the app's log: health, errors, alerts and activity.

use serde_json::{Value, json};

use super::Stage;

const FIGURES: &str = "
    CREATE TABLE chatbots (id int PRIMARY KEY, organization_id text); INSERT INTO chatbots VALUES (3, 'o1');
    CREATE TABLE daily_metrics (chatbot_id int, day date, active_conversations int, avg_response_time_ms real, success_rate numeric, tokens_used bigint, cost numeric,
        user_satisfaction numeric, trends jsonb, PRIMARY KEY (chatbot_id, day))";

#[tokio::test]
async fn figures_are_an_event_once_there_are_all_of_them_and_all_are_numbers() {
    let stage = Stage::new(FIGURES).await;
    assert_eq!(stage.attach("chatbot", &json!({})).await, ["app.daily_metrics chatbot_metrics"]);
    stage.write("INSERT INTO daily_metrics VALUES (3, '2026-03-01', 2, NULL, 0.5, 9007199254740993, 1.25)").await;
    stage.write("UPDATE daily_metrics SET avg_response_time_ms = 'NaN'").await;
    assert!(stage.events().await.is_empty());
    stage.write("UPDATE daily_metrics SET avg_response_time_ms = 812.5").await;
    stage.write("UPDATE daily_metrics SET user_satisfaction = 'NaN', trends = '[]'").await;
    stage.write(r#"UPDATE daily_metrics SET user_satisfaction = 4.5, trends = '{"cost": 0.1}'"#).await;
    let events = stage.events().await;
    assert!(events.iter().all(|event| event.audience == "o1" && event.chatbot.as_deref() == Some("3")), "{events:?}");
    let figures = json!({"activeConversations": 2, "responseTime": 812.5, "successRate": 0.5, "tokenUsage": 9_007_199_254_740_992_i64, "cost": 1.25});
    assert_eq!((&events[0].data, &events[1].data), (&figures, &figures));
    assert_eq!((&events[2].data["userSatisfaction"], &events[2].data["trends"]), (&json!(4.5), &json!({"cost": 0.1})));
}

const LOG: &str = "CREATE TABLE system_events (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text, organization_id text, user_id text, component text,
    severity text, name text, value float8, threshold float8, status text, message text, details jsonb)";

#[tokio::test]
async fn one_log_is_four_types_of_event() {
    let stage = Stage::new(LOG).await;
    assert_eq!(
        stage.attach("chatbot", &json!({})).await,
        [
            "app.system_events system_health",
            "app.system_events error_notification",
            "app.system_events performance_alert",
            "app.system_events user_activity"
        ]
    );
    let none: [Value; 0] = [];
    for (row, told) in [
        (
            "'health_check', NULL, NULL, 'Postgres', NULL, 'query_ms', 1200, 1000, 'WARN', 'slow', '{\"recommendation\": \"look\"}'",
            json!({"component": "database", "status": "degraded", "metric": "query_ms", "value": 1200, "threshold": 1000, "message": "slow", "recommendation": "look"}),
        ),
        (
            "'health_check', NULL, NULL, 'the moon', NULL, 'up', 1, NULL, 'ok', NULL, NULL",
            json!({"component": "general", "status": "healthy", "metric": "up", "value": 1, "message": "up"}),
        ),
        (
            "'error', 'o1', NULL, NULL, 'FATAL', 'Boom', NULL, NULL, NULL, 'it broke', '{\"stackTrace\": \"at x\"}'",
            json!({"errorId": "err-3", "component": "general", "severity": "critical", "message": "it broke", "stackTrace": "at x", "userImpact": "critical"}),
        ),
        (
            "'error', 'o1', NULL, 'api', 'warning', 'Boom', NULL, NULL, NULL, NULL, '{\"userImpact\": \"none\", \"sentryIssueId\": 7}'",
            json!({"errorId": "err-4", "component": "api", "severity": "medium", "message": "err-4", "userImpact": "none", "sentryIssueId": "7"}),
        ),
        (
            "'alert', 'o1', NULL, NULL, NULL, 'cost_usd', 12, 10, 'Triggered', 'dear', NULL",
            json!({"metric": "cost_usd", "value": 12, "threshold": 10, "status": "firing", "message": "dear"}),
        ),
        (
            "'alert', 'o1', NULL, NULL, NULL, 'cost_usd', 9, 10, 'closed', NULL, NULL",
            json!({"metric": "cost_usd", "value": 9, "threshold": 10, "status": "resolved", "message": "cost_usd"}),
        ),
        (
            "'activity', 'o1', 'ann', NULL, NULL, 'login', NULL, NULL, NULL, NULL, '{\"sessionId\": \"s1\", \"page\": 2, \"password\": \"x\"}'",
            json!({"userId": "ann", "action": "login", "sessionId": "s1", "metadata": {"page": 2}}),
        ),
    ] {
        stage.write(&format!("INSERT INTO system_events (kind, organization_id, user_id, component, severity, name, value, threshold, status, message, details) VALUES ({row})")).await;
        let [event] = &stage.events().await[..] else { panic!("{row}") };
        assert_eq!(event.data, told, "{row}");
        assert_eq!(event.audience, if event.kind == "system_health" { "all" } else { "o1" });
    }
    // A row that is none of them, and rows without what their type needs.
    stage
        .write(
            "INSERT INTO system_events (kind, organization_id, user_id, name, value, threshold, status) VALUES
             ('deploy', 'o1', NULL, 'x', 1, 1, 'ok'), ('health_check', NULL, NULL, 'x', 'NaN', 1, 'ok'), ('alert', 'o1', NULL, 'x', 1, NULL, 'ok'), ('activity', 'o1', NULL, 'x', 1, 1, 'ok')",
        )
        .await;
    assert_eq!(stage.told("any").await, none);
}

#[tokio::test]
async fn a_table_of_alerts_alone_needs_to_be_said_that_all_its_rows_are() {
    let stage = Stage::new("CREATE TABLE my_alerts (id int PRIMARY KEY, organization_id text, metric text, value int, threshold int, status text, message text)").await;
    let refused =
        stage.try_attach("chatbot", &json!({"alerts.table": "my_alerts"}), Some(&["alerts"])).await.unwrap_err();
    assert!(refused.starts_with("alerts: app.my_alerts has no column kind Say which: --set alerts.rows="), "{refused}");
    stage.attach("chatbot", &json!({"alerts.table": "my_alerts", "alerts.rows": "true"})).await;
    stage.write("INSERT INTO my_alerts VALUES (1, 'o1', 'm', 2, 1, 'open', 'x')").await;
    assert_eq!(
        stage.only().await,
        json!({"metric": "m", "value": 2, "threshold": 1, "status": "firing", "message": "x"})
    );
}
