//! The corpus of webhooks as Sentry documents them, and what has been done to some on their way.

use std::fs;

use serde_json::{Value, json};

use super::*;
use crate::event::Priority;

const SECRET: &str = "a client secret of the tests";

/// When those of the corpus were sent.
const SENT: &str = "2026-01-05T12:00:01Z";

fn inbox() -> Inbox {
    Inbox::new(SECRET, Tags { organization: "organization_id".into(), chatbot: "chatbot_id".into() })
}

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/sentry/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
}

fn sign(body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), body);
    hex(tag.as_ref())
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// Signed, and read at the moment when it was sent.
fn read_at(resource: &str, body: &[u8], now: &str) -> Result<Message, Refused> {
    let (signature, sent) = (sign(body), at(now).as_second().to_string());
    inbox()
        .read(Delivery { resource: Some(resource), signature: Some(&signature), timestamp: Some(&sent), body }, at(now))
}

fn read(resource: &str, body: &Value) -> Result<Message, Refused> {
    read_at(resource, body.to_string().as_bytes(), SENT)
}

fn report(resource: &str, body: &Value) -> Report {
    match read(resource, body).unwrap() {
        Message::Report(report) => *report,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_signature_is_as_the_standard_has_it() {
    // RFC 4231, test case 2.
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"Jefe");
    let expected = bytes("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843").unwrap();
    hmac::verify(&key, b"what do ya want for nothing?", &expected).unwrap();
    assert_eq!((bytes("0g"), bytes("0"), bytes("ü"), bytes("")), (None, None, None, Some(Vec::new())));
}

#[test]
fn an_event_says_where_whose_and_how_bad_and_keeps_the_rest_to_itself() {
    let found = report("event_alert", &fixture("event_alert"));
    let stack = "ConnectionError:\n  app/net.py:88 in post\nTimeoutError:\n  app/main.py:12 in serve\n  app/search.py:41 in embed";
    assert_eq!(
        found,
        Report {
            is_occurrence: true,
            is_dated: true,
            sentry_issue_id: "4711".to_owned(),
            sentry_short_id: None,
            organization_id: Some("o1".to_owned()),
            chatbot_id: Some("bot-7".to_owned()),
            component: Some("vector_search".to_owned()),
            logger: Some("app.search".to_owned()),
            project: Some("chatbot".to_owned()),
            severity: Some(Priority::Critical),
            message: Some("TimeoutError: no embedding after 30 s".to_owned()),
            stack_trace: Some(stack.to_owned()),
            status: None,
            resolution: None,
            occurrences: None,
            users: Some(1),
            first_seen: None,
            last_seen: at("2026-01-05T12:00:00.25Z"),
            told_at: at(SENT),
        }
    );
    assert!(!serde_json::to_string(&found).unwrap().contains("planted"), "{found:?}");
    let bare = report("error", &fixture("error_created"));
    assert_eq!((bare.organization_id, bare.component, bare.logger, bare.users), (None, None, None, None));
    assert_eq!((bare.severity, bare.stack_trace), (Some(Priority::Medium), None));
}

#[test]
fn an_issue_says_where_it_stands() {
    use report::Status::{Archived, Resolved, Unresolved};
    for (name, status, resolution) in [
        ("issue_created", Unresolved, None),
        ("issue_resolved", Resolved, Some("resolved in release chatbot@2.4.1")),
        ("issue_archived", Archived, Some("archived until it happens more often")),
        ("issue_unresolved", Unresolved, None),
    ] {
        let found = report("issue", &fixture(name));
        assert_eq!((found.status, found.resolution.as_deref()), (Some(status), resolution), "{name}");
        assert_eq!(found.sentry_short_id.as_deref(), Some("CHATBOT-1F"));
        assert!(!found.is_occurrence && found.organization_id.is_none());
    }
    let found = report("issue", &fixture("issue_resolved"));
    assert_eq!((found.occurrences, found.users), (Some(40), Some(12)));
    for (details, expected) in [
        (json!({}), "resolved"),
        (json!({"inNextRelease": true}), "resolved in the next release"),
        (json!({"inCommit": {"repository": "a", "commit": "b"}}), "resolved by a commit"),
    ] {
        let mut body = fixture("issue_resolved");
        body["data"]["issue"]["statusDetails"] = details;
        assert_eq!(report("issue", &body).resolution.as_deref(), Some(expected));
    }
}

#[test]
fn what_tells_of_no_error_is_passed_over() {
    for (resource, name) in [
        ("issue", "issue_assigned"),
        ("installation", "installation_created"),
        ("comment", "comment_created"),
        ("metric_alert", "metric_alert_resolved"),
    ] {
        assert!(matches!(read(resource, &fixture(name)), Ok(Message::OfNoInterest)), "{name}");
    }
    assert!(matches!(read("not_known_yet", &fixture("not_known_yet")), Ok(Message::Unknown)));
}

#[test]
fn what_is_not_signed_is_not_read() {
    let body = fixture("event_alert").to_string();
    let (signature, sent) = (sign(body.as_bytes()), at(SENT).as_second().to_string());
    let good = Delivery {
        resource: Some("event_alert"),
        signature: Some(&signature),
        timestamp: Some(&sent),
        body: body.as_bytes(),
    };
    assert!(inbox().read(good, at(SENT)).is_ok());
    let altered = body.replace("\"o1\"", "\"o2\"");
    let others = sign(b"{}");
    let is_unsigned = |delivery| assert_eq!(inbox().read(delivery, at(SENT)).unwrap_err(), Refused::Unsigned);
    is_unsigned(Delivery { body: altered.as_bytes(), ..good });
    is_unsigned(Delivery { body: b"", ..good });
    for signature in [None, Some(""), Some(&*others), Some(&signature[..62]), Some(&body), Some("sha256=00")] {
        is_unsigned(Delivery { signature, ..good });
    }
    let other = Inbox::new("another secret", inbox().tags);
    assert_eq!(other.read(good, at(SENT)).unwrap_err(), Refused::Unsigned);
}

#[test]
fn what_is_signed_is_of_now() {
    let body = fixture("event_alert").to_string();
    let signature = sign(body.as_bytes());
    let read = |timestamp: Option<&str>, now: &str| {
        let delivery =
            Delivery { resource: Some("event_alert"), signature: Some(&signature), timestamp, body: body.as_bytes() };
        inbox().read(delivery, at(now)).map(drop)
    };
    let second = |time: &str| at(time).as_second().to_string();
    assert_eq!(read(Some(&second("2026-01-05T12:04:00Z")), SENT), Ok(()));
    assert_eq!(read(Some(&second("2026-01-05T12:06:00Z")), SENT), Err(Refused::Stale));
    assert_eq!(read(Some(&second("2026-01-05T11:54:00Z")), SENT), Err(Refused::Stale));
    for unreadable in [None, Some(""), Some("now"), Some("1e9"), Some("99999999999999999")] {
        assert_eq!(read(unreadable, SENT), Err(Refused::Malformed), "{unreadable:?}");
    }
    // Whoever brings it again has to say another time, and the one that is signed stays as it is.
    let tomorrow = "2026-01-06T12:00:01Z";
    assert_eq!(read(Some(&second(tomorrow)), tomorrow), Err(Refused::Stale));
    let in_time = "2026-01-06T11:59:00Z";
    assert_eq!(read(Some(&second(in_time)), in_time), Ok(()));
    let before = "2026-01-05T11:54:00Z";
    assert_eq!(read(Some(&second(before)), before), Err(Refused::Stale));
    // Of a new issue the time is signed too; of a change of its state it is not.
    let far = "2026-03-01T12:00:00Z";
    let created = fixture("issue_created").to_string();
    assert_eq!(read_at("issue", created.as_bytes(), far).map(drop), Err(Refused::Stale));
    let resolved = fixture("issue_resolved").to_string();
    assert!(matches!(read_at("issue", resolved.as_bytes(), far), Ok(Message::Report(report)) if !report.is_dated));
}

#[test]
fn what_is_signed_is_what_it_says() {
    assert_eq!(read("event_alert", &fixture("event_alert_version_8")).map(drop), Err(Refused::Version));
    // The header is not signed: it cannot make one thing of another.
    for (resource, name) in [("issue", "event_alert"), ("event_alert", "issue_created"), ("error", "event_alert")] {
        assert_eq!(read(resource, &fixture(name)).map(drop), Err(Refused::Malformed), "{name} as {resource}");
    }
    let deep = format!("{{\"data\":{{\"issue\":{}1{}}}}}", "[".repeat(100_000), "]".repeat(100_000));
    let broken = [&b""[..], b"{", b"[]", b"null", b"\xff\xfe{}", b"{\"action\": \"\xff\"}", deep.as_bytes()];
    for body in broken {
        for resource in ["issue", "event_alert", "error"] {
            assert_eq!(read_at(resource, body, SENT).map(drop), Err(Refused::Malformed));
        }
    }
    let body = fixture("event_alert").to_string();
    let signature = sign(body.as_bytes());
    let sent = at(SENT).as_second().to_string();
    let bare = Delivery { resource: None, signature: Some(&signature), timestamp: Some(&sent), body: body.as_bytes() };
    assert_eq!(inbox().read(bare, at(SENT)).map(drop), Err(Refused::Malformed));
    for (field, value) in
        [("issue_id", json!(null)), ("issue_id", json!("")), ("issue_id", json!([1])), ("tags", json!(7))]
    {
        let mut body = fixture("event_alert");
        body["data"]["event"][field] = value;
        assert_eq!(read("event_alert", &body).map(drop), Err(Refused::Malformed), "{field}");
    }
}

#[test]
fn texts_are_bounded_and_numbers_are_numbers_of_postgres() {
    let mut body = fixture("event_alert");
    let event = &mut body["data"]["event"];
    event["title"] = json!(format!("a\u{0}b\n{}", "ü".repeat(1_000)));
    event["level"] = json!("apocalyptic");
    event["tags"] =
        json!([["organization_id", "x".repeat(300)], ["chatbot_id", "a\u{0}b"], ["component", "y".repeat(300)]]);
    let found = report("event_alert", &body);
    let message = found.message.unwrap();
    assert!(message.starts_with("a b ü") && message.chars().count() == 501 && message.ends_with('…'), "{message}");
    assert_eq!((found.organization_id, found.chatbot_id, found.severity), (None, None, None), "whole or not at all");
    assert_eq!(found.component.unwrap().chars().count(), 101);
    for (count, expected) in [
        (json!("9223372036854775807"), Some(i64::MAX)),
        (json!("9223372036854775808"), None),
        (json!("-1"), None),
        (json!(u64::MAX), None),
        (json!(7), Some(7)),
        (json!(null), None),
    ] {
        let mut body = fixture("issue_created");
        body["data"]["issue"]["count"] = count;
        assert_eq!(report("issue", &body).occurrences, expected);
    }
    let huge = fixture("issue_created").to_string().replace("\"userCount\":2", "\"userCount\":1e400");
    assert_eq!(read_at("issue", huge.as_bytes(), SENT).map(drop), Err(Refused::Malformed));
}

/// Sentry's own lists have holes where an entry was none.
#[test]
fn holes_in_lists_are_passed_over() {
    let mut body = fixture("event_alert");
    let whole = report("event_alert", &body);
    let event = &mut body["data"]["event"];
    let exceptions = event["exception"]["values"].as_array_mut().unwrap();
    for exception in &mut *exceptions {
        exception["stacktrace"]["frames"].as_array_mut().unwrap().insert(0, Value::Null);
    }
    exceptions.push(Value::Null);
    let tags = event["tags"].as_array_mut().unwrap();
    tags.insert(0, Value::Null);
    tags.insert(0, json!([null, "o2"]));
    tags.insert(0, json!(["organization_id", null]));
    assert_eq!(report("event_alert", &body), whole);
}
