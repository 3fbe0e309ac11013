//! Figures and costs are kept for as long as their settings say.

use super::App;

async fn prepare(app: &App) {
    app.dba
        .batch_execute(
            "INSERT INTO rowcast.chatbot_metrics (measured_at, window_length, organization_id, chatbot_id, messages, active_conversations,
                 input_tokens, output_tokens, unpriced_tokens, unpriced_models, cost, trends)
             SELECT now() - age * interval '1 day', '1 h', 'acme', 'ann', age, 0, 0, 0, 0, '{}', 0, '{}' FROM unnest('{1,89,91,500}'::bigint[]) age;
             INSERT INTO rowcast.daily_costs
             SELECT current_date - age, 'acme', 'ann', 0, 0, 0, age FROM unnest('{1,398,402}'::integer[]) age",
        )
        .await
        .unwrap();
}

/// What is left, by age in days.
async fn left(app: &App) -> [String; 2] {
    app.server.batch_execute("SELECT rowcast.maintain()").await.unwrap();
    app.server.batch_execute("SELECT rowcast.maintain()").await.unwrap();
    let left = app.texts(
        "SELECT coalesce(string_agg(messages::text, ' ' ORDER BY messages), '') FROM rowcast.chatbot_metrics
         UNION ALL SELECT coalesce(string_agg(cost::text, ' ' ORDER BY cost), '') FROM rowcast.daily_costs",
    );
    left.await.try_into().unwrap()
}

#[tokio::test]
async fn figures_end_after_90_days_and_costs_after_400_unless_told_otherwise() {
    let app = App::new().await;
    prepare(&app).await;
    for setting in ["metrics_retention", "costs_retention"] {
        let set = format!("UPDATE rowcast.settings SET value = 'long' WHERE name = '{setting}'");
        let error = app.dba.batch_execute(&set).await.unwrap_err();
        assert!(super::words(&error).contains(&format!("{setting} is \"long\", which is not a length of time")));
    }
    let set = async |value: &str| {
        let set = format!(
            "UPDATE rowcast.settings SET value = '{value}' WHERE name IN ('metrics_retention', 'costs_retention')"
        );
        app.dba.batch_execute(&set).await.unwrap();
    };
    app.dba
        .batch_execute(
            "UPDATE rowcast.settings SET value = 'none' WHERE name IN ('metrics_retention', 'costs_retention')",
        )
        .await
        .unwrap();
    assert_eq!(left(&app).await, ["1 89 91 500", "1 398 402"]);
    app.dba
        .batch_execute("DELETE FROM rowcast.settings WHERE name IN ('metrics_retention', 'costs_retention')")
        .await
        .unwrap();
    assert_eq!(left(&app).await, ["1 89", "1 398"]);
    app.dba
        .batch_execute(
            "INSERT INTO rowcast.settings VALUES ('metrics_retention', '2 days'), ('costs_retention', '2 days')",
        )
        .await
        .unwrap();
    assert_eq!(left(&app).await, ["1", "1"]);
    set("1 h").await;
    assert_eq!(left(&app).await[0], "");
    let told = "SELECT count(*) FROM rowcast.outbox WHERE event_type = 'chatbot_metrics' AND operation <> 'INSERT'";
    assert_eq!(app.number(told).await, 0, "an end to history is no event");
}
