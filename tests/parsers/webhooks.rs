//! Webhooks of Sentry at the real server: whatever is in them, signed or not.

use aws_lc_rs::hmac;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    bodies::any_json,
    harness::{Database, Server},
    requests::{exchange, status},
    try_out,
};

const CASES: u32 = 400;

const SECRET: &str = "the client secret of the parsers' tests";

/// In everything that is sent, and in no answer.
const NEEDLE: &str = "n33dle";

const WORDS: &[&str] = &[
    "action",
    "data",
    "issue",
    "event",
    "error",
    "id",
    "issue_id",
    "shortId",
    "title",
    "level",
    "logger",
    "project",
    "slug",
    "statusDetails",
    "inRelease",
    "count",
    "userCount",
    "firstSeen",
    "lastSeen",
    "version",
    "7",
    "url",
    "datetime",
    "received",
    "tags",
    "organization_id",
    "user",
    "exception",
    "values",
    "type",
    "stacktrace",
    "frames",
    "filename",
    "function",
    "lineno",
    "created",
    "resolved",
    "2026-11-26T12:00:00Z",
    "fatal",
    "1e400",
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// What Sentry would send, with anything at all in some places.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let place = prop::sample::select(WORDS);
    let change = (place, any_json(WORDS));
    let action =
        prop::sample::select(vec!["created", "resolved", "archived", "ignored", "unresolved", "assigned", NEEDLE]);
    let made = (action, prop::collection::vec(change, 0..4), 0..4_i64, 0..3_usize).prop_map(|(action, changes, number, place)| {
        let time = jiff::Timestamp::from_second(now() - 1).unwrap().to_string();
        let mut inner = json!({
            "id": number.to_string(), "issue_id": number, "shortId": NEEDLE, "title": NEEDLE, "level": "error", "count": "3", "userCount": 2,
            "firstSeen": time, "lastSeen": time, "received": now() - 1, "version": "7", "tags": [["organization_id", "o1"]],
            "exception": {"values": [{"type": NEEDLE, "stacktrace": {"frames": [{"filename": NEEDLE, "lineno": 1}]}}]},
        });
        for (name, value) in changes {
            inner[name] = value;
        }
        json!({"action": action, "data": {["issue", "event", "error"][place]: inner}}).to_string().into_bytes()
    })
    .boxed();
    prop_oneof![
        6 => made.clone(),
        1 => (made, any::<prop::sample::Index>()).prop_map(|(body, end)| body[..end.index(body.len())].to_vec()),
        1 => any_json(WORDS).prop_map(|json| json.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..300),
        1 => (1_usize..60_000).prop_map(|depth| "{\"data\":".repeat(depth).into_bytes()),
    ]
}

/// Only what is signed is taken, and of that only what is in Sentry's form; whatever it is, the server answers, and repeats none of it.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_posted_as_a_webhook_only_what_is_signed_counts() {
    let db = Database::new().await;
    let settings = [
        ("ROWCAST_SENTRY_CLIENT_SECRET", SECRET),
        ("ROWCAST_SENTRY_WEBHOOKS_PER_MINUTE", "100000000"),
        ("ROWCAST_LOG", "warn"),
    ];
    let server = Server::start_with(&db, &settings).await;
    let address = server.url().strip_prefix("http://").unwrap().to_owned();
    let resource =
        prop::sample::select(vec!["issue", "event_alert", "error", "issue", "comment", "n33dle", "", "Issue"]);
    let signed = prop_oneof![
        5 => Just(None),
        1 => "[0-9a-f]{64}".prop_map(Some),
        1 => prop::sample::select(vec!["", "n33dle", "0", "%00", "\u{fc}"]).prop_map(|text| Some(text.to_owned())),
    ];
    let sent = prop_oneof![6 => (-200..200_i64).prop_map(Ok), 1 => "[0-9a-zA-Z.+-]{0,30}".prop_map(Err)];
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    tokio::task::block_in_place(|| {
        try_out(CASES, &(resource, signed, sent, body()), |(resource, signed, sent, body)| {
            let is_signed = signed.is_none();
            let tag = hmac::sign(&key, &body);
            let signature = signed.unwrap_or_else(|| hex(tag.as_ref()));
            let sent = sent.map_or_else(|text| text, |from_now| (now() + from_now).to_string());
            let mut request = format!(
                "POST /api/v1/integrations/sentry HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
                 Request-ID: {NEEDLE}\r\nSentry-Hook-Resource: {resource}\r\nSentry-Hook-Timestamp: {sent}\r\nSentry-Hook-Signature: {signature}\r\n\r\n",
                body.len()
            )
            .into_bytes();
            request.extend(&body);
            let answer = exchange(&address, &request);
            let short = request[..request.len().min(900)].escape_ascii();
            let found = status(&answer);
            prop_assert!(matches!(found, Some(200 | 400 | 401)), "{}\n{}", short, answer);
            prop_assert!(is_signed == (found != Some(401)), "{}\n{}", short, answer);
            prop_assert!(!answer.contains(NEEDLE), "{}\n{}", short, answer);
            if answer.contains("recorded") {
                prop_assert!(["issue", "event_alert", "error"].contains(&resource), "{}\n{}", short, answer);
                prop_assert!(serde_json::from_slice::<Value>(&body).is_ok(), "{}\n{}", short, answer);
            }
            Ok(())
        });
    });
    let told = "SELECT count(*) FROM rowcast.errors";
    assert!(db.connect().await.query_one(told, &[]).await.unwrap().get::<_, i64>(0) > 0, "none of them was a webhook");
    assert!(server.is_ready().await);
    assert!(!server.log().contains("panicked"), "{}", server.log());
    server.stop().await;
}
