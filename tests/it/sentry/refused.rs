//! What is not Sentry's, or not of now, is refused, and nothing of it is written.

use serde_json::{Value, json};

use super::{PATH, SECRET, count, database, fixture, fixture_of, headers, listening, post, rows, sign, tell};
use crate::harness::{Server, sse};

async fn is_refused(server: &Server, headers: &str, body: &str, status: u16, code: &str) {
    let (found, answer) = post(server, headers, body).await;
    assert_eq!((found, &answer["error"]["code"]), (status, &json!(code)), "{headers}{answer}");
}

/// The headers without, or with another, value of one.
fn with(headers: &str, name: &str, value: Option<&str>) -> String {
    let lines = headers.split_terminator("\r\n").filter_map(|line| match (line.starts_with(name), value) {
        (true, Some(value)) => Some(format!("{name}: {value}\r\n")),
        (true, None) => None,
        (false, _) => Some(format!("{line}\r\n")),
    });
    lines.collect()
}

#[tokio::test]
async fn what_is_not_as_sentry_has_signed_it_is_refused_and_written_nowhere() {
    let (db, owner) = database().await;
    let server = listening(&db).await;
    let body = fixture("event_alert").to_string();
    let good = headers("event_alert", &body, 0);
    let altered = body.replace("\"o1\"", "\"o2\"");
    let foreign = sign("another secret", body.as_bytes());
    for signature in [None, Some(""), Some("00"), Some(&*foreign), Some("n0 h3x"), Some(SECRET)] {
        is_refused(&server, &with(&good, "Sentry-Hook-Signature", signature), &body, 401, "invalid_signature").await;
    }
    is_refused(&server, &good, &altered, 401, "invalid_signature").await;
    is_refused(&server, &good, &body[..body.len() - 1], 401, "invalid_signature").await;
    is_refused(&server, &good, "", 401, "invalid_signature").await;
    for (name, value, code) in [
        ("Sentry-Hook-Timestamp", None, "invalid_webhook"),
        ("Sentry-Hook-Timestamp", Some("soon"), "invalid_webhook"),
        ("Sentry-Hook-Timestamp", Some("1767614401"), "stale_webhook"),
        ("Sentry-Hook-Resource", None, "invalid_webhook"),
        ("Sentry-Hook-Resource", Some("issue"), "invalid_webhook"),
        ("Sentry-Hook-Resource", Some("error"), "invalid_webhook"),
    ] {
        is_refused(&server, &with(&good, name, value), &body, 400, code).await;
    }
    for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
        is_refused(&server, &with(&good, "Content-Type", kind), &body, 415, "unsupported_media_type").await;
    }
    // Signed, and still not to be taken.
    let yesterday = fixture_of("event_alert", 90_000).to_string();
    let tomorrow = fixture_of("event_alert", -90_000).to_string();
    let old_issue = fixture_of("issue_created", 90_000).to_string();
    let version = fixture("event_alert_version_8").to_string();
    let deep = format!("{{\"action\": {}{}}}", "[".repeat(60_000), "]".repeat(60_000));
    let huge = fixture("issue_created").to_string().replace("\"userCount\":2", "\"userCount\":1e999999");
    for (resource, body, code) in [
        ("event_alert", &*yesterday, "stale_webhook"),
        ("event_alert", &tomorrow, "stale_webhook"),
        ("issue", &old_issue, "stale_webhook"),
        ("event_alert", &version, "invalid_webhook"),
        ("issue", &deep, "invalid_webhook"),
        ("issue", &huge, "invalid_webhook"),
        ("issue", "", "invalid_webhook"),
        ("issue", "{", "invalid_webhook"),
        ("issue", "{\"action\": \"created\", \"data\": {}}", "invalid_webhook"),
    ] {
        is_refused(&server, &headers(resource, body, 0), body, 400, code).await;
    }
    assert_eq!((count(&owner, "errors").await, count(&owner, "sentry_deliveries").await), (0, 0));
    assert_eq!(count(&owner, "outbox").await, 0);
    // Nor has any of it used up the one that is good.
    assert_eq!(post(&server, &good, &body).await.0, 200);
    assert_eq!(rows(&owner).await.len(), 1);
    assert!(!server.log().contains(SECRET) && !server.log().contains("planted"), "{}", server.log());
    server.stop().await;
}

#[tokio::test]
async fn an_event_is_larger_than_other_bodies_and_still_not_endless() {
    let (db, owner) = database().await;
    let server = listening(&db).await;
    let of_size = |bytes: usize| {
        let mut body = fixture("event_alert");
        let padding = bytes - body.to_string().len();
        body["data"]["event"]["culprit"] = Value::from("x".repeat(padding + "app.search in embed".len()));
        body.to_string()
    };
    let largest = of_size(1024 * 1024);
    assert_eq!(largest.len(), 1024 * 1024);
    assert_eq!(post(&server, &headers("event_alert", &largest, 0), &largest).await.0, 200);
    // By what it says of itself: nothing of it has to come.
    let announced = format!("{}Expect: 100-continue\r\n", headers("event_alert", "", 0));
    let request = format!("POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n{announced}\r\n");
    let answer = crate::refusals::exchange(&server, &request).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("body_too_large"), "{answer}");
    assert_eq!(count(&owner, "errors").await, 1);
    server.stop().await;
}

#[tokio::test]
async fn who_brings_too_many_waits_whatever_they_are() {
    let (db, owner) = database().await;
    let settings = [("ROWCAST_SENTRY_CLIENT_SECRET", SECRET), ("ROWCAST_SENTRY_WEBHOOKS_PER_MINUTE", "3")];
    let server = Server::start_with(&db, &settings).await;
    let body = fixture("event_alert").to_string();
    let unsigned = with(&headers("event_alert", &body, 0), "Sentry-Hook-Signature", Some("00"));
    let from = |address: &str, headers: &str| format!("X-Forwarded-For: {address}\r\n{headers}");
    for _ in 0..3 {
        is_refused(&server, &from("192.0.2.7", &unsigned), &body, 401, "invalid_signature").await;
    }
    let mut refused = sse::Client::request(&server.url(), "POST", PATH, &from("192.0.2.7", &unsigned), &body).await;
    assert!(refused.status == 429 && refused.rest().await.contains("too_many_requests"), "{}", refused.head);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    // Sentry is somewhere else.
    let good = headers("event_alert", &body, 0);
    assert_eq!(post(&server, &from("192.0.2.8", &good), &body).await.0, 200);
    assert_eq!(count(&owner, "errors").await, 1);
    server.stop().await;
}

#[tokio::test]
async fn without_a_secret_there_is_nothing_there() {
    let (db, owner) = database().await;
    for settings in [&[][..], &[("ROWCAST_SENTRY_CLIENT_SECRET", "")][..]] {
        let server = Server::start_with(&db, settings).await;
        let body = fixture("event_alert").to_string();
        let nothing = sign("", body.as_bytes());
        let headers = with(&headers("event_alert", &body, 0), "Sentry-Hook-Signature", Some(&nothing));
        for method in ["POST", "GET", "PUT"] {
            let answer = sse::Client::request(&server.url(), method, PATH, &headers, &body).await;
            assert_eq!(answer.status, 404, "{method}");
        }
        server.stop().await;
    }
    let server = listening(&db).await;
    let answer = sse::Client::request(&server.url(), "GET", PATH, "", "").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    server.stop().await;
    assert_eq!(count(&owner, "errors").await, 0);
}

#[tokio::test]
async fn a_webhook_that_could_not_be_written_may_come_again() {
    let (db, owner) = database().await;
    let server = listening(&db).await;
    let alert = fixture("event_alert");
    let body = alert.to_string();
    owner.batch_execute("ALTER TABLE rowcast.errors RENAME TO elsewhere").await.unwrap();
    is_refused(&server, &headers("event_alert", &body, 0), &body, 503, "not_ready").await;
    owner.batch_execute("ALTER TABLE rowcast.elsewhere RENAME TO errors").await.unwrap();
    assert_eq!(tell(&server, "event_alert", &alert).await, "recorded");
    server.stop().await;
}
