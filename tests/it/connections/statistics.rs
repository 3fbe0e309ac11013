//! `GET /api/v1/realtime/stats`: all servers' streams, for admins, and only of where they are admins.

use rowcast::http::answers::StatisticsAnswer;
use serde_json::{Value, json};

use super::{asking, open, post};
use crate::{
    documents,
    harness::{Database, Server, eventually, token},
};

const STATS: &str = "/api/v1/realtime/stats";

async fn stats(server: &Server, user: &str, query: &str) -> (u16, Value) {
    let (status, body) = documents::get(server, &format!("{STATS}{query}"), Some(&token(user))).await;
    if status == 200 {
        // What clients are told to expect, to the letter.
        let answer: StatisticsAnswer = serde_json::from_str(&body).unwrap_or_else(|wrong| panic!("{wrong}: {body}"));
        assert!(answer.success);
    }
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn admins_are_told_of_all_servers_and_of_their_organizations_only() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let servers = [Server::start(&db).await, Server::start(&db).await];
    let (mut ann, _) = open(&servers[0], "ann", "subscriptions=document_processing").await;
    let (_ann, _) = open(&servers[1], "ann", "subscriptions=document_processing").await;
    let (_ben, id) = open(&servers[1], "ben", "subscriptions=document_processing,system_health").await;
    let (_cleo, _) = open(&servers[0], "cleo", "subscriptions=document_processing").await;
    let (_sam, _) = open(&servers[0], "sam", "subscriptions=system_health").await;
    documents::emit(&db, "'document_processing', 'o1', '{}'").await;
    ann.next_of("document_processing").await;

    let (status, body) = stats(&servers[0], "sam", "").await;
    assert_eq!((status, &body["success"]), (200, &json!(true)));
    let data = &body["data"];
    assert_eq!(data["totalConnections"], 5, "{data}");
    assert_eq!(data["activeConnections"], 5);
    assert_eq!(data["connectionsByUser"], json!({"ann": 2, "ben": 1, "cleo": 1, "sam": 1}));
    assert_eq!(data["connectionsByOrganization"], json!({"o1": 3, "o2": 1}));
    assert_eq!(data["eventTypes"], json!({"document_processing": 4, "system_health": 2}));
    assert!(data["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    assert!(data["serverUptime"].is_u64());
    assert_eq!(data["servers"].as_array().unwrap().len(), 2);
    // What servers have counted comes with their next word.
    let counted = eventually("the servers to tell what they have counted", async || {
        let (_, body) = stats(&servers[1], "sam", "").await;
        let first = &body["data"]["servers"][0];
        (first["eventsRead"]["document_processing"] == 1 && body["data"]["deliveryLag"]["maxMs"].is_number())
            .then(|| body["data"].clone())
    })
    .await;
    assert!(counted["deliveryLag"]["maxMs"].as_f64() >= counted["deliveryLag"]["meanMs"].as_f64());
    assert!(counted["servers"][0]["eventsSent"].as_u64() > Some(0), "{counted}");

    // An organization's admin knows nothing of others, nor of how much goes on there.
    for (user, query, total, users) in [
        ("ben", "", 3, json!({"ann": 2, "ben": 1})),
        ("cleo", "", 1, json!({"cleo": 1})),
        ("sam", "?organizationId=o2", 1, json!({"cleo": 1})),
    ] {
        let (status, body) = stats(&servers[1], user, query).await;
        assert_eq!(status, 200, "{body}");
        let data = &body["data"];
        assert_eq!((&data["totalConnections"], &data["connectionsByUser"]), (&json!(total), &users), "{user}");
        assert_eq!(data["servers"], Value::Null);
        assert_eq!(data["connectionsByOrganization"].as_object().unwrap().len(), 1);
    }

    // What is changed while a stream is open is told too.
    assert_eq!(post(&servers[0], "ben", &asking(&id, "unsubscribe", &["system_health"])).await.0, 200);
    eventually("the change to be told", async || {
        let (_, body) = stats(&servers[0], "ben", "").await;
        (body["data"]["eventTypes"] == json!({"document_processing": 3})).then_some(())
    })
    .await;
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_is_told_anything() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let server = Server::start(&db).await;
    for (user, query, expected) in [
        ("ann", "", (403, "permission_required")),
        ("nobody", "", (403, "permission_required")),
        ("ben", "?organizationId=o2", (403, "permission_required")),
        ("sam", "?organizationId=o%00", (403, "permission_required")),
        ("ben", "?organizationId=o1&organizationId=o2", (400, "invalid_query")),
    ] {
        let answer = stats(&server, user, query).await;
        assert_eq!(super::refusal(&answer), expected, "{user} {query}");
    }
    assert_eq!(documents::get(&server, STATS, None).await.0, 401);
    server.stop().await;
}
