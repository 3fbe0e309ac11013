//! Each transition once: many evaluate at the same time, and whoever is at it dies.

use tokio::task::JoinSet;

use super::Stage;
use crate::harness::{Role, Server, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_evaluate_at_once_fire_each_alert_once() {
    const BOTS: usize = 4;
    const ROUNDS: usize = 40;
    let stage = Stage::with_rule("comparison => '>', threshold => 10").await;
    let server = Server::start_with(&stage.db, &[("ROWCAST_ALERTS", "off")]).await;
    let (done, watch) = tokio::sync::watch::channel(false);
    let mut evaluating = JoinSet::new();
    for _ in 0..8 {
        let (client, watch) = (stage.db.connect_as(Role::Server).await, watch.clone());
        evaluating.spawn(async move {
            while !*watch.borrow() {
                client.query("SELECT rowcast.evaluate_alerts()", &[]).await.unwrap();
            }
        });
    }
    let mut writing = JoinSet::new();
    for bot in 0..BOTS {
        let client = stage.db.connect_as(Role::Writer).await;
        writing.spawn(async move {
            let emit = "SELECT rowcast.emit('chatbot_metrics', 'acme', jsonb_build_object('responseTime', $1::float8), chatbot_id => $2)";
            for _ in 0..ROUNDS {
                for value in [11.0, 9.0] {
                    client.query_one(emit, &[&value, &format!("bot{bot}")]).await.unwrap();
                }
            }
        });
    }
    writing.join_all().await;
    let expected = i64::try_from(BOTS * ROUNDS).unwrap();
    let all = async || {
        let over = stage.number("SELECT count(*) FROM rowcast.alerts WHERE resolved_at IS NOT NULL").await;
        (over >= expected).then_some(())
    };
    eventually("all to be judged", all).await;
    done.send(true).unwrap();
    evaluating.join_all().await;
    let told = "SELECT count(*) FROM rowcast.outbox WHERE event_type = 'performance_alert'";
    assert_eq!(stage.number("SELECT count(*) FROM rowcast.alerts").await, expected);
    assert_eq!(stage.number(told).await, 2 * expected);
    server.stop().await;
}

/// Of two servers one is in the middle of firing when it is killed. Its session in the database ends with it, or finishes what it was asked for.
async fn killed_in_the_middle(session_ends: bool) {
    let stage = Stage::with_rule("comparison => '>', threshold => 10").await;
    let quickly = [("ROWCAST_ALERTS", "50ms")];
    let mut servers = [Server::start_with(&stage.db, &quickly).await, Server::start_with(&stage.db, &quickly).await];
    let superuser = stage.db.connect_as(Role::Superuser).await;
    let blocker = stage.db.connect().await;
    blocker.batch_execute("BEGIN; LOCK TABLE rowcast.alerts IN SHARE MODE").await.unwrap();
    let emit = "SELECT rowcast.emit('chatbot_metrics', 'acme', '{\"responseTime\": 11}', chatbot_id => 'bot')";
    stage.db.connect_as(Role::Writer).await.batch_execute(emit).await.unwrap();
    let busy = eventually("a server to be about to fire", async || {
        let query = "SELECT pid, application_name FROM pg_stat_activity
                     WHERE datname = current_database() AND query LIKE '%evaluate_alerts%' AND wait_event_type = 'Lock' AND application_name LIKE 'server%'";
        superuser.query_opt(query, &[]).await.unwrap()
    })
    .await;
    let (session, name): (i32, String) = (busy.get(0), busy.get(1));
    let at = servers.iter().position(|server| server.name() == name).unwrap();
    servers[at].signal("KILL");
    if session_ends {
        superuser.query_one("SELECT pg_terminate_backend($1)", &[&session]).await.unwrap();
    }
    blocker.batch_execute("ROLLBACK").await.unwrap();
    servers[at].gone().await;
    eventually("it to fire", async || (!stage.messages().await.is_empty()).then_some(())).await;
    // Whatever comes now comes after everything that was going to happen.
    stage.db.connect_as(Role::Writer).await.batch_execute(&emit.replace("11", "9")).await.unwrap();
    eventually("it to be over", async || (stage.messages().await.len() > 1).then_some(())).await;
    servers[at].restart().await;
    stage.db.connect_as(Role::Writer).await.batch_execute(&emit.replace("11", "12")).await.unwrap();
    eventually("it to fire again", async || (stage.messages().await.len() > 2).then_some(())).await;
    let expected = [
        "firing: responseTime of bot is 11 ms, above 10 ms",
        "resolved: responseTime of bot is 9 ms, no longer above 10 ms",
        "firing: responseTime of bot is 12 ms, above 10 ms",
    ];
    assert_eq!(stage.messages().await, expected);
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_server_that_is_killed_in_the_middle_and_its_session_with_it_fires_nothing_and_the_other_does() {
    killed_in_the_middle(true).await;
}

#[tokio::test]
async fn a_session_that_outlives_its_server_fires_and_the_other_does_not() {
    killed_in_the_middle(false).await;
}

#[tokio::test]
async fn whoever_comes_while_another_is_at_it_does_not_wait() {
    let stage = Stage::with_rule("comparison => '>', threshold => 10").await;
    stage.sample(0.0, 11.0).await;
    stage.settle().await;
    let busy = stage.db.connect_as(Role::Server).await;
    let evaluate = format!("SELECT rowcast.evaluate_alerts({})", super::BEGIN);
    busy.batch_execute(&format!("BEGIN; {evaluate}")).await.unwrap();
    stage.server.batch_execute("SET statement_timeout = '5s'").await.unwrap();
    stage.server.batch_execute(&evaluate).await.unwrap();
    stage.owner.batch_execute("SET lock_timeout = '1s'; SELECT count(*) FROM rowcast.prune_alerts()").await.unwrap();
    busy.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(stage.alerts().await, [""; 0]);
    stage.evaluate_settled(0.0).await;
    assert_eq!(stage.alerts().await, ["acme/bot 0: 11"]);
}
