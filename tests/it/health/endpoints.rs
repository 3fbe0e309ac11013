//! Something that is asked over HTTP, and answers slowly, wrongly, or not at all.

use std::time::Duration;

use serde_json::json;

use super::{
    course, events, model,
    peer::{Peer, Says},
    reader, until,
};
use crate::harness::{Database, Server, eventually, free_port};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_is_healthy_slow_down_and_well_again_and_events_say_so() {
    let db = Database::new().await;
    let reader = reader(&db).await;
    let peer = Peer::start(Says::answer("200 OK", "{}")).await;
    let url = peer.url();
    let server = Server::start_with(&db, &model(&url)).await;
    let healthy = until(&reader, "llm_api", "response_ms", "healthy").await;
    assert!(healthy.value < 300.0 && healthy.recommendation.is_none(), "{healthy:?}");

    peer.say(Says::late(Duration::from_millis(500), "200 OK", "{}"));
    let degraded = until(&reader, "llm_api", "response_ms", "degraded").await;
    assert!((300.0..900.0).contains(&degraded.value) && degraded.message.contains("more than 300 ms"), "{degraded:?}");
    assert!(degraded.recommendation.is_some());

    peer.say(Says::Nothing);
    let down = until(&reader, "llm_api", "response_ms", "down").await;
    assert!(down.value >= 900.0 && down.message.contains("within 0.9 s"), "{down:?}");

    peer.say(Says::answer("200 OK", "{}"));
    until(&reader, "llm_api", "response_ms", "healthy").await;
    server.stop().await;
    assert_eq!(course(&reader, "llm_api", "response_ms").await, ["healthy", "degraded", "down", "healthy"]);

    let events = events(&reader, "response_ms").await;
    let priorities: Vec<_> = events.iter().map(|(priority, _)| &**priority).collect();
    assert_eq!(priorities, ["medium", "high", "critical", "medium"]);
    for (_, data) in &events {
        serde_json::from_value::<rowcast::payload::SystemHealth>(data.clone()).unwrap();
    }
    let (_, last) = events.last().unwrap();
    assert_eq!(
        (&last["component"], &last["status"], &last["threshold"], last.get("recommendation")),
        (&json!("llm_api"), &json!("healthy"), &json!(300), None),
        "{last}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_wrong_answer_is_down_and_says_which() {
    let db = Database::new().await;
    let reader = reader(&db).await;
    let peer = Peer::start(Says::answer("200 OK", "{}")).await;
    let url = peer.url();
    let elsewhere = Peer::start(Says::answer("200 OK", "{}")).await;
    let redirect = format!("HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", elsewhere.url());
    let server = Server::start_with(&db, &model(&url)).await;
    for (says, told) in [
        (Says::answer("500 Internal Server Error", "{}"), "answered 500"),
        (Says::answer("401 Unauthorized", "{}"), "refused the credentials (401)"),
        (Says::answer("403 Forbidden", "{}"), "refused the credentials (403)"),
        (Says::answer("429 Too Many Requests", "{}"), "too many requests"),
        (Says::Raw(redirect), "302, a redirect, which is not followed"),
        (Says::Raw("I speak something else\r\n\r\n".into()), "something other than HTTP"),
        (Says::Raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".into()), "broke off"),
        (Says::Raw(String::new()), "broke off"),
        (Says::Endless, "more than 1048576 bytes"),
        (Says::Raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".into()), ""),
    ] {
        until(&reader, "llm_api", "response_ms", "healthy").await;
        if told.is_empty() {
            break;
        }
        peer.say(says);
        let down = until(&reader, "llm_api", "response_ms", "down").await;
        assert!(down.message.contains(told) && down.message.contains(&peer.address), "{told}: {down:?}");
        peer.say(Says::answer("204 No Content", ""));
    }
    assert!(elsewhere.asked().is_empty(), "a redirect was followed");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_is_down() {
    let db = Database::new().await;
    let reader = reader(&db).await;
    let url = format!("http://127.0.0.1:{}/", free_port());
    let server = Server::start_with(&db, &model(&url)).await;
    let down = until(&reader, "llm_api", "response_ms", "down").await;
    assert!(down.message.contains("refused the connection"), "{down:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_as_the_settings_have_it() {
    let db = Database::new().await;
    let peer = Peer::start(Says::answer("200 OK", "{}")).await;
    let url = format!("{}v1/chat?version=1", peer.url());
    let mut settings = model(&url);
    settings.extend([
        ("ROWCAST_HEALTH_LLM_BODY", r#"{"max_tokens": 1}"#),
        ("ROWCAST_HEALTH_LLM_HEADERS", "Authorization=Bearer MODEL_KEY, x-version=MODEL_VERSION"),
        ("MODEL_KEY", "sk-1"),
        ("MODEL_VERSION", "2023-06-01"),
    ]);
    let server = Server::start_with(&db, &settings).await;
    let asked = eventually("a request", async || peer.asked().first().cloned()).await;
    assert_eq!(
        (&*asked.method, &*asked.target, &*asked.body),
        ("POST", "/v1/chat?version=1", &br#"{"max_tokens": 1}"#[..])
    );
    for (name, value) in
        [("authorization", "Bearer sk-1"), ("x-version", "2023-06-01"), ("content-type", "application/json")]
    {
        assert_eq!(asked.header(name), Some(value));
    }
    server.stop().await;
}

/// It may cost money, so nobody asks it who was not told to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_switched_on_is_not_measured() {
    let db = Database::new().await;
    let reader = reader(&db).await;
    let peer = Peer::start(Says::answer("200 OK", "{}")).await;
    let url = peer.url();
    let server = Server::start_with(&db, &model(&url)).await;
    until(&reader, "llm_api", "response_ms", "healthy").await;
    server.stop().await;
    let others = "SELECT count(*) FROM rowcast.health_checks WHERE component <> 'llm_api'";
    assert_eq!(reader.query_one(others, &[]).await.unwrap().get::<_, i64>(0), 0);
    let asked = peer.asked();
    assert!(asked.iter().all(|asked| asked.method == "GET" && asked.body.is_empty()), "{asked:?}");
    let server = Server::start(&db).await;
    server.stop().await;
    assert_eq!(peer.asked().len(), asked.len(), "off is off");
}
