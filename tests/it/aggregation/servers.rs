//! `rowcast serve` with `ROWCAST_METRICS_INTERVAL`: one server at a time measures, and who may see the figures sees them.

use rowcast::payload::Payload;
use serde_json::{Value, json};

use super::{App, QUERY};
use crate::{
    documents::{connect, next},
    harness::{Role, Server, eventually},
};

const EVERY: [(&str, &str); 1] = [("ROWCAST_METRICS_INTERVAL", "100ms")];

/// The server with the duty, of these.
fn holder(servers: &[Server; 2]) -> Option<usize> {
    let has = |server: &Server| {
        let log = server.log();
        log.lines().any(|line| line.contains("this server does it from now on") && line.contains("metrics"))
    };
    servers.iter().position(has)
}

/// Waits for so many more turns of whoever has the duty.
async fn turns(app: &App, count: usize) {
    let done = "SELECT done_at::text FROM rowcast.duties WHERE name = 'metrics'";
    for _ in 0..count {
        let before = app.texts(done).await;
        eventually("the next turn", async || (app.texts(done).await != before).then_some(())).await;
    }
}

#[tokio::test]
async fn one_of_two_servers_measures_and_when_it_is_killed_the_other() {
    let app = App::new().await;
    app.dba
        .batch_execute(
            "CREATE TABLE public.writers (run timestamptz, chatbot text, writer text);
             CREATE FUNCTION public.note_writer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
             BEGIN
                 INSERT INTO public.writers VALUES (NEW.measured_at, NEW.chatbot_id, current_setting('application_name'));
                 RETURN NULL;
             END $$;
             CREATE TRIGGER note_writer AFTER INSERT ON rowcast.chatbot_metrics FOR EACH ROW EXECUTE FUNCTION public.note_writer()",
        )
        .await
        .unwrap();
    app.say("acme", "ann", "bot").await;
    app.say("acme", "bob", "bot").await;
    let mut servers = [Server::start_with(&app.db, &EVERY).await, Server::start_with(&app.db, &EVERY).await];
    turns(&app, 10).await;
    let writers = "SELECT count(DISTINCT writer) FROM public.writers";
    assert_eq!(app.number(writers).await, 1);

    let first = holder(&servers).expect("nobody says that it measures");
    servers[first].kill().await;
    // As if the 15 s had passed in which it might come back.
    let gone = "UPDATE rowcast.servers SET seen_at = seen_at - interval '30 s' WHERE id = (SELECT server FROM rowcast.duties WHERE name = 'metrics')";
    assert_eq!(app.dba.execute(gone, &[]).await.unwrap(), 1);
    let rows = app.number("SELECT count(*) FROM rowcast.chatbot_metrics").await;
    eventually("the other one to go on", async || (app.number(writers).await == 2).then_some(())).await;
    turns(&app, 3).await;
    assert!(app.number("SELECT count(*) FROM rowcast.chatbot_metrics").await > rows);
    let doubled = "SELECT count(*) FROM (SELECT FROM public.writers GROUP BY run HAVING count(*) <> 2 OR count(DISTINCT chatbot) <> 2) r";
    assert_eq!(app.number(doubled).await, 0, "a run has one row for each chatbot");
    let [one, other] = servers;
    if first == 0 { other.stop().await } else { one.stop().await }
}

#[tokio::test]
async fn without_a_query_nothing_is_measured_which_is_said_once() {
    let app = App::without_query().await;
    app.say("acme", "ann", "user").await;
    let server = Server::start_with(&app.db, &EVERY).await;
    turns(&app, 5).await;
    let said = |what: &str| server.log().lines().filter(|line| line.contains(what)).count();
    assert_eq!(said("nothing is measured: call rowcast.use_messages()"), 1);
    assert_eq!(app.number("SELECT count(*) FROM rowcast.chatbot_metrics").await, 0);

    app.dba.execute("SELECT rowcast.use_messages($1)", &[&QUERY]).await.unwrap();
    let rows = "SELECT count(*) FROM rowcast.chatbot_metrics";
    eventually("figures", async || (app.number(rows).await > 0).then_some(())).await;
    app.say("acme", "ann", "assistant").await;
    eventually("a word of it", async || (said("a role other than user, bot and system") > 0).then_some(())).await;
    turns(&app, 3).await;
    for (what, times) in
        [("messages to measure by", 1), ("no price in rowcast.model_prices", 1), ("a role other than", 1)]
    {
        assert_eq!(said(what), times, "{what}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_is_not_told_to_measures_nothing() {
    let app = App::new().await;
    app.say("acme", "ann", "user").await;
    let server = Server::start(&app.db).await;
    let known = "SELECT count(*) FROM rowcast.duties WHERE name = 'metrics'";
    assert_eq!(app.number(known).await, 0);
    server.stop().await;
}

#[tokio::test]
async fn figures_go_to_managers_of_their_organization_in_the_shape_of_the_contract() {
    let app = App::new().await;
    app.dba
        .batch_execute(
            "INSERT INTO rowcast.memberships VALUES ('ann', 'acme', 'admin'), ('zoe', 'zeta', 'admin'), ('max', 'acme', 'member');
             INSERT INTO rowcast.model_prices VALUES ('m', 3, 15)",
        )
        .await
        .unwrap();
    let server = Server::start(&app.db).await;
    let (mut ann, mut zoe, mut max) =
        (connect(&server, "ann", None).await, connect(&server, "zoe", None).await, connect(&server, "max", None).await);
    // The same name in both, as it may be.
    for (organization, times) in [("acme", 1), ("zeta", 2)] {
        for _ in 0..times {
            app.say(organization, "helper", "bot").await;
        }
    }
    assert_eq!(app.measure().await, "measured");
    for (client, organization, messages) in [(&mut ann, "acme", 1), (&mut zoe, "zeta", 2)] {
        let event = next(client).await;
        assert_eq!(
            (&event["type"], &event["organizationId"], &event["chatbotId"], &event["priority"], &event["operation"]),
            (&json!("chatbot_metrics"), &json!(organization), &json!("helper"), &json!("low"), &json!("INSERT"))
        );
        let data = &event["data"];
        let payload = json!({"type": "chatbot_metrics", "data": data});
        let Payload::ChatbotMetrics(figures) = serde_json::from_value(payload).unwrap() else { panic!("{event}") };
        assert_eq!((figures.active_conversations, figures.response_time, figures.success_rate), (1.0, 250.0, 1.0));
        assert_eq!((figures.token_usage, figures.cost), (f64::from(messages) * 1e6, f64::from(messages) * 3.0));
        assert_eq!(
            (figures.user_satisfaction, &data["trends"]["messages"]),
            (None, &json!({"now": messages, "before": 0}))
        );
        assert!(!data.as_object().unwrap().values().any(Value::is_null), "{data}");
    }
    // A member who is no manager, and nobody else's figures.
    let emit =
        "SELECT rowcast.emit('document_processing', 'acme', '{}'), rowcast.emit('document_processing', 'zeta', '{}')";
    app.db.connect_as(Role::Writer).await.batch_execute(emit).await.unwrap();
    for client in [&mut ann, &mut zoe, &mut max] {
        assert_eq!(next(client).await["type"], "document_processing");
    }
    drop((ann, zoe, max));
    server.stop().await;
}

/// A server that was away for long, and has not heard that another one took over.
#[tokio::test]
async fn who_has_lost_the_duty_writes_nothing() {
    let app = App::new().await;
    app.say("acme", "ann", "bot").await;
    app.dba
        .batch_execute("INSERT INTO rowcast.servers (id, started_at) VALUES ('alive', now()); SELECT rowcast.take_duty('metrics', 'alive')")
        .await
        .unwrap();
    let outcome = "SELECT outcome FROM rowcast.measure('1 hour', 'away')";
    let away = app.server.query_one(outcome, &[]).await.unwrap();
    assert_eq!(away.get::<_, &str>(0), "lost");
    let written = "SELECT (SELECT count(*) FROM rowcast.chatbot_metrics) + (SELECT count(*) FROM rowcast.daily_costs)";
    assert_eq!(app.number(written).await, 0);

    // Two at a time are one too many, even where one of them is cron.
    let mut cron = app.db.connect_as(Role::Server).await;
    let transaction = cron.transaction().await.unwrap();
    let first: String = transaction.query_one("SELECT outcome FROM rowcast.measure()", &[]).await.unwrap().get(0);
    assert_eq!((&*first, &*app.measure().await), ("measured", "busy"));
    transaction.commit().await.unwrap();
    assert_eq!(app.number(written).await, 2);
}

/// The app waits for nothing of it, however long it takes.
#[tokio::test]
async fn the_app_writes_on_while_it_is_measured() {
    let app = App::new().await;
    let mut slow = app.db.connect_as(Role::Server).await;
    app.say("acme", "ann", "bot").await;
    let transaction = slow.transaction().await.unwrap();
    transaction.batch_execute("SELECT rowcast.measure()").await.unwrap();
    app.writer.batch_execute("SET lock_timeout = '1 s'").await.unwrap();
    app.say("acme", "ann", "bot").await;
    let writes = "UPDATE public.utterances SET stars = 3; CREATE INDEX ON public.utterances (stars); DELETE FROM public.utterances";
    app.writer.batch_execute(writes).await.unwrap();
    transaction.rollback().await.unwrap();
}
