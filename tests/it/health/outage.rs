//! The database itself is gone, and nobody can write that down. When it is back, it is there all the same.

use serde_json::json;

use super::{course, events};
use crate::harness::{OwnPostgres, Place, Role, Server, Shutdown, eventually, sse, token};

const SETTINGS: [(&str, &str); 3] = [
    ("ROWCAST_HEALTH_INTERVAL", "200ms"),
    ("ROWCAST_HEALTH_RESTATE", "1h"),
    ("ROWCAST_HEALTH_DATABASE_THRESHOLD", "10s"),
];

async fn outage(shutdown: Shutdown) {
    let mut postgres = OwnPostgres::start(&[]).await;
    let superuser = postgres.connect_as(Role::Superuser).await;
    let monitor = "INSERT INTO rowcast.memberships VALUES ('ann', NULL, 'admin')";
    superuser.batch_execute(monitor).await.unwrap();
    let servers = [Server::start_with(&postgres, &SETTINGS).await, Server::start_with(&postgres, &SETTINGS).await];
    let mut stream = sse::Client::connect(&servers[0].url(), &token("ann"), None).await;
    let healthy = "SELECT FROM rowcast.health WHERE metric = 'connect_ms' AND status = 'healthy'";
    eventually("it to be measured", async || superuser.query_opt(healthy, &[]).await.unwrap()).await;
    let stopped_at: String = superuser.query_one("SELECT clock_timestamp()::text", &[]).await.unwrap().get(0);
    drop(superuser);

    postgres.stop(shutdown).await;
    for server in &servers {
        let noticed = async || server.log().contains("down: No connection to the database").then_some(());
        eventually("every server to notice", noticed).await;
    }
    postgres.start_again().await;

    let reader = postgres.connect_as(Role::Reader).await;
    let back = "SELECT FROM rowcast.health WHERE metric = 'connect_ms' AND status = 'healthy'
                AND since > (SELECT since FROM rowcast.health_checks WHERE metric = 'connect_ms' AND status = 'down')";
    eventually("the history to be written", async || reader.query_opt(back, &[]).await.unwrap()).await;
    for metric in ["connect_ms", "query_ms"] {
        assert_eq!(course(&reader, "database", metric).await, ["healthy", "down", "healthy"], "{metric}");
    }
    // A measurement that was under way when the plug was pulled began before it.
    let times = "SELECT since BETWEEN $1::text::timestamptz - interval '10 s' AND pg_postmaster_start_time()
                 FROM rowcast.health_checks WHERE metric = 'connect_ms' AND status = 'down'";
    let is_told: bool = reader.query_one(times, &[&stopped_at]).await.unwrap().get(0);
    assert!(is_told, "it tells when that was, not when it was written");
    // A crash forgets who measured. Whoever comes first does so from now on, and the other has nothing to tell.
    let news = events(&reader, "connect_ms").await.into_iter().filter(|(priority, _)| priority != "low");
    let told: Vec<_> = news.map(|(priority, data)| (priority, data["status"].clone())).collect();
    let all = [("medium", "healthy"), ("critical", "down"), ("medium", "healthy")];
    assert_eq!(told, all.map(|(priority, status)| (priority.to_owned(), json!(status))));

    // Whoever had a stream open has heard of it in time, and now of what was written.
    let mut heard = Vec::new();
    while heard.last().is_none_or(|last| last != "healthy") || heard.len() < 3 {
        let event = stream.next_event().await.expect("the stream ended");
        let event = if event.event == "cursor" { continue } else { event.json() };
        let data = &event["data"];
        if event["type"] == "connection_status" && data["status"] != "connected"
            || data["metric"] == "connect_ms" && event["priority"] != "low"
        {
            heard.push(data["status"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(heard.iter().filter(|status| *status == "degraded").count(), 1, "{heard:?}");
    assert_eq!(heard.iter().filter(|status| *status == "down").count(), 1, "{heard:?}");
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_in_the_history_when_it_is_over() {
    outage(Shutdown::Fast).await;
}

/// Which forgets who measured.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_is_in_the_history_too() {
    outage(Shutdown::Immediate).await;
}
