//! `rowcast.daily_costs`: what every day has cost, to the last digit, whenever its messages came.

use super::App;

/// Costs by day, oldest first.
async fn costs(app: &App) -> Vec<String> {
    app.texts(
        "SELECT format('%s %s %s %s+%s(%s) %s', day, organization_id, chatbot_id, input_tokens, output_tokens, unpriced_tokens, cost)
         FROM rowcast.daily_costs ORDER BY day, organization_id, chatbot_id",
    )
    .await
}

/// Has days counted where it is this hour now, so that no test runs into midnight.
async fn move_to(app: &App, hour: i32) {
    // Behind Greenwich has a plus sign in these names.
    let zone = "UPDATE rowcast.settings SET value = (
            SELECT 'Etc/GMT' || to_char(CASE WHEN behind > 12 THEN behind - 24 WHEN behind < -13 THEN behind + 24 ELSE behind END, 'FMSG99')
            FROM (SELECT extract(hour FROM now() AT TIME ZONE 'UTC')::integer - $1 AS behind) h
        ) WHERE name = 'cost_time_zone'";
    app.dba.execute(zone, &[&hour]).await.unwrap();
    let is_moved = "SELECT extract(hour FROM now() AT TIME ZONE rowcast.cost_time_zone())::bigint";
    assert_eq!(app.number(is_moved).await, i64::from(hour));
}

/// The date of today, or of so many days before, where costs are counted.
async fn day(app: &App, before: i32) -> String {
    let day = format!("SELECT ((now() AT TIME ZONE rowcast.cost_time_zone())::date - {before})::text");
    app.texts(&day).await.remove(0)
}

#[tokio::test]
async fn a_day_begins_and_ends_where_it_does_in_its_time_zone() {
    let app = App::new().await;
    app.price("m", "1", "10", "-infinity").await;
    app.dba
        .batch_execute("UPDATE rowcast.settings SET value = 'America/New_York' WHERE name = 'cost_time_zone'")
        .await
        .unwrap();
    // On that day clocks are put forward: it has 23 hours.
    app.writer
        .batch_execute(
            "INSERT INTO public.utterances (bot, tenant, dialogue, speaker, said_at, prompt_tokens, completion_tokens, llm) VALUES
                ('ann', 'acme', 1, 'bot', '2026-03-08T04:59:59.999999Z', 1000000, 0, 'm'),
                ('ann', 'acme', 1, 'bot', '2026-03-08T05:00:00Z', 100000, 0, 'm'),
                ('ann', 'acme', 1, 'bot', '2026-03-09T03:59:59.999999Z', 1, 1, 'm'),
                ('ann', 'acme', 1, 'bot', '2026-03-09T04:00:00Z', 0, 1000000, 'm'),
                ('ann', 'zeta', 1, 'user', '2026-03-08T12:00:00Z', 7, NULL, 'm'),
                ('bob', 'zeta', 1, 'user', '2026-03-08T12:00:00Z', NULL, 3, 'n')",
        )
        .await
        .unwrap();
    assert_eq!(app.number("SELECT rowcast.count_costs('2026-03-08')").await, 3);
    let expected = [
        "2026-03-08 acme ann 100001+1(0) 0.100011",
        "2026-03-08 zeta ann 7+0(0) 0.000007",
        "2026-03-08 zeta bob 0+3(3) 0",
    ];
    assert_eq!(costs(&app).await, expected);
}

#[tokio::test]
async fn today_is_counted_at_every_run_and_yesterday_once_an_hour() {
    let app = App::new().await;
    move_to(&app, 12).await;
    let (today, yesterday) = (day(&app, 0).await, day(&app, 1).await);
    app.price("m", "2.5", "10", "-infinity").await;
    let late = "INSERT INTO public.utterances (bot, tenant, dialogue, speaker, said_at, prompt_tokens, llm)
                VALUES ('ann', 'acme', 1, 'user', now() - interval '1 day', 4, 'm')";
    app.writer.batch_execute(late).await.unwrap();
    app.say("acme", "ann", "user").await;
    assert_eq!(app.measure().await, "measured");
    let first = [format!("{yesterday} acme ann 4+0(0) 0.00001"), format!("{today} acme ann 1000000+0(0) 2.5")];
    assert_eq!(costs(&app).await, first);

    app.say("acme", "ann", "user").await;
    app.writer.batch_execute(late).await.unwrap();
    assert_eq!(app.measure().await, "measured");
    let today = format!("{today} acme ann 2000000+0(0) 5");
    assert_eq!(costs(&app).await, [first[0].clone(), today.clone()], "today grows; yesterday was counted just now");
    app.dba.batch_execute("UPDATE rowcast.daily_costs SET counted_at = counted_at - interval '1 h'").await.unwrap();
    assert_eq!(app.measure().await, "measured");
    assert_eq!(costs(&app).await, [format!("{yesterday} acme ann 8+0(0) 0.00002"), today.clone()]);

    // What is there no more, and whose it was.
    app.writer.batch_execute("DELETE FROM public.utterances WHERE prompt_tokens = 4").await.unwrap();
    app.dba.batch_execute(&format!("SELECT rowcast.count_costs('{yesterday}')")).await.unwrap();
    assert_eq!(costs(&app).await, [today]);
}

/// Its last messages are not left out for an hour because it was counted, as today, a minute before it ended.
#[tokio::test]
async fn a_day_that_has_just_ended_is_counted_to_its_end() {
    let app = App::new().await;
    move_to(&app, 0).await;
    let (today, yesterday) = (day(&app, 0).await, day(&app, 1).await);
    let counted = async |at: &str| {
        let counted = format!(
            "INSERT INTO rowcast.daily_costs VALUES ('{yesterday}', 'acme', 'ann', 0, 0, 0, 0,
                '{today}'::timestamp AT TIME ZONE rowcast.cost_time_zone() {at})
             ON CONFLICT (day, organization_id, chatbot_id) DO UPDATE SET counted_at = excluded.counted_at"
        );
        app.dba.batch_execute(&counted).await.unwrap();
        app.texts("SELECT rowcast.days_to_count()::text").await
    };
    assert_eq!(counted("- interval '1 s'").await, [&*today, &*yesterday]);
    assert_eq!(counted("+ interval '59 min 59 s'").await, [today]);
}

#[tokio::test]
async fn a_price_that_comes_late_counts_when_its_day_is_counted_anew() {
    let app = App::new().await;
    move_to(&app, 12).await;
    let today = day(&app, 0).await;
    app.say("acme", "ann", "user").await;
    assert_eq!(app.measure().await, "measured");
    assert_eq!(costs(&app).await, [format!("{today} acme ann 1000000+0(1000000) 0")]);
    let unpriced = app.texts("SELECT unpriced_models::text || unpriced_tokens FROM rowcast.chatbot_metrics").await;
    assert_eq!(unpriced, ["{m}1000000"]);
    app.price("m", "0.123456789", "0", "-infinity").await;
    app.price("m", "3", "0", "2999-01-01").await;
    app.server.batch_execute(&format!("SELECT rowcast.count_costs('{today}')")).await.unwrap();
    assert_eq!(costs(&app).await, [format!("{today} acme ann 1000000+0(0) 0.123456789")]);
}

#[tokio::test]
async fn prices_are_amounts_and_days_are_somebodys() {
    let app = App::new().await;
    for (model, input, output) in [("a", "-1", "0"), ("b", "'NaN'", "0"), ("c", "0", "'Infinity'"), ("d", "0", "NULL")]
    {
        let price = format!("INSERT INTO rowcast.model_prices VALUES ('{model}', {input}, {output})");
        assert!(app.dba.batch_execute(&price).await.is_err(), "{price}");
    }
    let zone = "UPDATE rowcast.settings SET value = 'Middle/Earth' WHERE name = 'cost_time_zone'";
    let error = app.dba.batch_execute(zone).await.unwrap_err();
    assert!(super::words(&error).contains("Middle/Earth\", which is no time zone Use a name"), "{error:?}");
}
