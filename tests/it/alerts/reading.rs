//! The outbox as a queue: each row once, a late one when it comes, and nothing that stops it for ever.

use super::Stage;
use crate::harness::{Role, Server, eventually};

const EMIT: &str = "SELECT rowcast.emit('chatbot_metrics', 'acme', jsonb_build_object('responseTime', $1::float8), chatbot_id => 'bot')";

#[tokio::test]
async fn a_transaction_that_is_open_keeps_nobody_waiting_and_its_row_is_read_when_it_comes() {
    let stage = Stage::with_rule("comparison => '>', threshold => 10").await;
    stage.rule("comparison => '>', threshold => 10, \"window\" => '10 min'").await.unwrap();
    let server = Server::start(&stage.db).await;
    let (slow, quick) = (stage.db.connect_as(Role::Writer).await, stage.db.connect_as(Role::Writer).await);
    slow.batch_execute("BEGIN").await.unwrap();
    slow.query_one(EMIT, &[&2.0]).await.unwrap();
    quick.query_one(EMIT, &[&12.0]).await.unwrap();
    eventually("both rules to fire", async || (stage.alerts().await.len() == 2).then_some(())).await;
    slow.batch_execute("COMMIT").await.unwrap();
    // In the averages it counts from then on: (2 + 12 + 13) / 3.
    let taken = async || (stage.number("SELECT count(*) FROM rowcast.metric_samples").await == 2).then_some(());
    eventually("the late row to be read", taken).await;
    assert_eq!(stage.messages().await.len(), 2, "the value is still the one that was written last");
    quick.query_one(EMIT, &[&13.0]).await.unwrap();
    eventually("the average to be judged", async || (stage.messages().await.len() == 3).then_some(())).await;
    assert_eq!(
        stage.messages().await[2],
        "resolved: responseTime of bot is 9 ms on average over 10 min, no longer above 10 ms"
    );
    let unjudged = "SELECT count(*) FROM rowcast.metric_samples WHERE rule_id = 1";
    assert_eq!(stage.number(unjudged).await, 0);
    server.stop().await;
}

#[tokio::test]
async fn rows_that_commit_out_of_order_are_judged_by_their_times() {
    let stage = Stage::with_rule("comparison => '>', threshold => 10, \"for\" => '10 s'").await;
    // Ids 1 to 4, times the other way round, all there at once.
    stage.samples(&[(30.0, 9.0), (20.0, 13.0), (10.0, 12.0), (0.0, 11.0)]).await;
    stage.evaluate(30.0).await;
    assert_eq!(stage.alerts().await, ["acme/bot 10: 12"], "and resolved at 40 at the earliest");
    // What is undecided is left, and read later. (5 is the alert.)
    stage.samples(&[(40.0, 8.0), (50.0, 20.0), (51.0, 20.0)]).await;
    stage.execute("UPDATE rowcast.settled SET undecided = '{[6,7),[9,)}'").await;
    stage.evaluate_settled(51.0).await;
    assert_eq!(stage.alerts().await, ["acme/bot 10: 12"]);
    assert_eq!(stage.texts("SELECT unread::text FROM rowcast.alerting").await, ["{[6,7),[9,)}"]);
    stage.evaluate(52.0).await;
    stage.sample(61.0, 20.0).await;
    stage.evaluate(61.0).await;
    assert_eq!(stage.alerts().await, ["acme/bot 10: 12"], "the one of 40 was late");
    assert_eq!(stage.texts("SELECT unread::text FROM rowcast.alerting").await, ["{[10,)}"]);
}

#[tokio::test]
async fn what_is_rolled_back_fires_nothing() {
    let stage = Stage::with_rule("comparison => '>', threshold => 10").await;
    let server = Server::start(&stage.db).await;
    let writer = stage.db.connect_as(Role::Writer).await;
    writer.batch_execute("BEGIN").await.unwrap();
    writer.query_one(EMIT, &[&99.0]).await.unwrap();
    writer.batch_execute("ROLLBACK").await.unwrap();
    writer.query_one(EMIT, &[&11.0]).await.unwrap();
    eventually("the other to fire", async || (!stage.alerts().await.is_empty()).then_some(())).await;
    assert_eq!(stage.messages().await, ["firing: responseTime of bot is 11 ms, above 10 ms"]);
    server.stop().await;
}

#[tokio::test]
async fn ten_thousand_at_once_are_judged_in_order() {
    let stage =
        Stage::with_rule("comparison => '>', threshold => 10, \"for\" => '5 min', stale_after => '1 day'").await;
    stage.rule("metric => 'tokens', comparison => '>=', threshold => 9999").await.unwrap();
    let insert = format!(
        "INSERT INTO rowcast.outbox (id, created_at, event_type, audience, organization_id, chatbot_id, operation, data)
         SELECT nextval('rowcast.outbox_id_seq'), {} + n * interval '1 s', 'chatbot_metrics', 'organization', 'acme', 'bot', 'INSERT',
                jsonb_build_object('responseTime', CASE WHEN n BETWEEN 2000 AND 2299 OR n BETWEEN 4000 AND 4400 THEN 20 ELSE 5 END, 'tokens', n)
         FROM generate_series(0, 10499) n",
        super::BEGIN
    );
    stage.execute(&insert).await;
    stage.settle().await;
    let evaluate = format!("SELECT rowcast.evaluate_alerts({} + interval '10499 s')", super::BEGIN);
    let mut calls = 1;
    while stage.server.query_one(&evaluate, &[]).await.unwrap().get(0) {
        calls += 1;
    }
    assert_eq!(calls, 8, "of 1,500 events, and one to see that there are no more");
    assert_eq!(
        stage.alerts().await,
        ["acme/bot 4300: 20 – 4701: 5", "acme/bot 9999: 9999"],
        "the first was a second too short"
    );
    assert_eq!(stage.texts("SELECT unread::text FROM rowcast.alerting").await, ["{[10501,)}"]);
    assert_eq!(
        stage.number("SELECT count(*) FROM rowcast.metric_samples").await,
        0,
        "nothing is kept that no window needs"
    );
}

#[tokio::test]
async fn an_outbox_that_was_emptied_or_set_back_stops_nothing_and_fires_nothing_old() {
    let stage = Stage::with_rule("comparison => '>', threshold => 10").await;
    stage.rule("comparison => '>', threshold => 10, \"window\" => '10 min'").await.unwrap();
    stage.samples(&[(0.0, 11.0), (1.0, 9.0), (2.0, 8.0)]).await;
    stage.evaluate(2.0).await;
    let before = stage.alerts().await;
    assert_eq!(before, ["acme/bot 0: 11 – 1: 10", "acme/bot 0: 11 – 1: 9"]);

    // Servers have forgotten what they had decided, and read all of it again.
    stage.execute("UPDATE rowcast.settled SET undecided = '{[1,)}'").await;
    stage.evaluate_settled(3.0).await;
    assert_eq!(stage.texts("SELECT unread::text FROM rowcast.alerting").await, ["{[1,)}"]);
    stage.evaluate(4.0).await;
    assert_eq!(stage.alerts().await, before, "nothing was judged or counted twice");
    let averaged = "SELECT count(*) FROM rowcast.metric_samples";
    assert_eq!(stage.number(averaged).await, 3);

    // Retention has taken rows that nobody had judged.
    stage.sample(5.0, 50.0).await;
    stage.execute("DELETE FROM rowcast.outbox").await;
    stage.evaluate(6.0).await;
    assert_eq!(stage.alerts().await, before);

    // All is new, and ids are given out again.
    stage.execute("TRUNCATE rowcast.outbox; SELECT setval('rowcast.outbox_id_seq', 1, false); UPDATE rowcast.settled SET undecided = '{[1,)}'").await;
    stage.evaluate_settled(7.0).await;
    stage.sample(8.0, 100.0).await;
    stage.evaluate(8.0).await;
    assert_eq!(stage.alerts().await.len(), 4, "both rules judged it");
    assert_eq!(stage.alerts().await[2..], ["acme/bot 8: 100", "acme/bot 8: 32"], "(11 + 9 + 8 + 100) / 4");
}

#[tokio::test]
async fn a_clock_that_was_ahead_makes_nothing_late() {
    let stage = Stage::with_rule("comparison => '>', threshold => 10").await;
    stage.sample(3600.0, 9.0).await;
    stage.evaluate(0.0).await;
    stage.sample(1.0, 11.0).await;
    stage.evaluate(1.0).await;
    assert_eq!(stage.alerts().await, ["acme/bot 1: 11"]);
}

#[tokio::test]
async fn without_rules_nothing_is_read_and_a_rule_begins_with_what_comes_after_it() {
    let stage = Stage::new().await;
    stage.sample(0.0, 99.0).await;
    stage.evaluate(0.0).await;
    assert_eq!(stage.texts("SELECT unread::text FROM rowcast.alerting").await, ["{[1,)}"], "nobody has looked");
    stage.rule("comparison => '>', threshold => 10").await.unwrap();
    assert_eq!(stage.texts("SELECT unread::text FROM rowcast.alerting").await, ["{[2,)}"]);
    stage.evaluate(1.0).await;
    assert_eq!(stage.alerts().await, [""; 0]);
    stage.sample(2.0, 11.0).await;
    stage.evaluate(2.0).await;
    assert_eq!(stage.alerts().await, ["acme/bot 2: 11"]);
    // And where there is nothing new nothing is written.
    let versions = "SELECT (xmin::text || ctid::text) FROM rowcast.alerting";
    stage.sample(3.0, 9.0).await;
    stage.evaluate(3.0).await;
    stage.evaluate(4.0).await;
    let version = stage.texts(versions).await;
    stage.evaluate(5.0).await;
    assert_eq!(stage.texts(versions).await, version);
}

#[tokio::test]
async fn the_more_rules_there_are_the_less_is_read_at_once() {
    let stage = Stage::new().await;
    stage
        .execute("INSERT INTO rowcast.alert_rules (metric, comparison, threshold) SELECT 'responseTime', '>', n FROM generate_series(1, 1000) n")
        .await;
    for at in 0_u8..11 {
        stage.sample(f64::from(at), 0.0).await;
    }
    stage.settle().await;
    let evaluate = format!("SELECT rowcast.evaluate_alerts({} + interval '12 s')", super::BEGIN);
    let last =
        format!("SELECT max(extract(epoch FROM sampled_at - {}))::bigint FROM rowcast.alert_states", super::BEGIN);
    let mut read = Vec::new();
    loop {
        let is_more: bool = stage.server.query_one(&evaluate, &[]).await.unwrap().get(0);
        read.push(stage.number(&last).await);
        if !is_more {
            break;
        }
    }
    assert_eq!(read, [2, 5, 8, 10]);
}

#[tokio::test]
async fn all_that_is_over_at_once_is_told_of_a_thousand_at_a_time() {
    let stage = Stage::with_rule("comparison => '>', threshold => 10").await;
    let fire = format!(
        "INSERT INTO rowcast.alerts (rule_id, organization_id, chatbot_id, metric, severity, fired_at, value, threshold, message, rule)
         SELECT r.id, 'acme', concat('bot', n), r.metric, r.severity, {}, 11, 10, '', to_jsonb(r) FROM rowcast.alert_rules r, generate_series(1, 1100) n",
        super::BEGIN
    );
    let over = "SELECT count(*) FROM rowcast.alerts WHERE resolved_at IS NOT NULL";
    stage.execute(&fire).await;
    for expected in [1_000, 1_100] {
        stage.evaluate(3_600.0).await;
        assert_eq!(stage.number(over).await, expected, "without values");
    }
    stage.execute(&fire).await;
    stage.execute("DELETE FROM rowcast.alert_rules").await;
    for expected in [2_100, 2_200] {
        stage.evaluate(0.0).await;
        assert_eq!(stage.number(over).await, expected, "without a rule");
    }
}
