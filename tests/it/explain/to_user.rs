//! `GET /api/v1/realtime/explain`: a user is told why they see an event, and of no other that it exists.

use std::time::{Duration, Instant};

use rowcast::http::answers::{Explanation, ExplanationAnswer, HiddenField, VisibleAudience};
use serde_json::json;

use crate::{
    documents::{self, connect, emit, insert, prepare},
    harness::{Database, Role, Server, eventually, sse, token},
};

const EXPLAIN: &str = "/api/v1/realtime/explain";
const PAGE: &str = "https://app.example";

/// Status and body of what is answered to the user.
pub(super) async fn ask(server: &Server, user: &str, event: i64) -> (u16, String) {
    documents::get(server, &format!("{EXPLAIN}?event={event}"), Some(&token(user))).await
}

/// What the user is told, to the letter of its type.
async fn told(server: &Server, user: &str, event: i64) -> Explanation {
    let (status, body) = ask(server, user, event).await;
    assert_eq!(status, 200, "{user} {event}: {body}");
    let answer: ExplanationAnswer = serde_json::from_str(&body).unwrap();
    assert!(answer.success);
    assert_eq!(answer.data.event_id, event.to_string());
    answer.data
}

fn detail<'a>(explanation: &'a Explanation, rule: &str) -> &'a str {
    &explanation.rules.iter().find(|step| step.rule == rule).unwrap().detail
}

/// Everybody may ask a lot.
async fn patient(db: &Database) -> Server {
    Server::start_with(db, &[("ROWCAST_COMMANDS_PER_MINUTE", "10000")]).await
}

#[tokio::test]
async fn whoever_sees_an_event_is_told_by_which_rules() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let server = patient(&db).await;
    insert(&app, 1, "o1").await;
    emit(&db, "'user_activity', 'o1', '{}'").await;
    emit(&db, "'system_health', NULL, '{}'").await;
    emit(&db, "'document_processing', NULL, '{}'").await;

    let member = told(&server, "ann", 1).await;
    assert_eq!((member.event_type.as_str(), member.audience), ("document_processing", VisibleAudience::Organization));
    assert_eq!((member.organization_id.as_deref(), member.required_permission.as_deref()), (Some("o1"), None));
    assert!(member.delivered && member.hidden.is_empty());
    let rules: Vec<_> = member.rules.iter().map(|step| (step.rule.as_str(), step.passes)).collect();
    let yes = ["drawn", "kept", "committed", "type", "audience", "known", "member", "permission", "private"];
    let expected: Vec<_> = yes.into_iter().map(|rule| (rule, Some(true))).chain([("subscribed", None)]).collect();
    assert_eq!(rules, expected);
    assert_eq!(detail(&member, "audience"), "members of o1");
    assert_eq!(detail(&member, "permission"), "document_processing requires none");

    let admin = told(&server, "ben", 2).await;
    assert_eq!(admin.required_permission.as_deref(), Some("monitor"));
    assert_eq!(detail(&admin, "permission"), "holds monitor in o1");
    let staff = told(&server, "sam", 2).await;
    assert_eq!(detail(&staff, "known"), "sam has grants in all organizations");

    let platform = told(&server, "sam", 3).await;
    assert_eq!((platform.audience, platform.organization_id.as_deref()), (VisibleAudience::Platform, None));
    assert_eq!(detail(&platform, "permission"), "holds monitor platform-wide");
    assert_eq!(detail(&told(&server, "cleo", 4).await, "audience"), "everybody");

    // A stream that leaves it out does not make it a secret.
    let query = "/api/v1/realtime/sse?subscriptions=conversation_activity";
    let authorization = format!("Authorization: Bearer {}\r\n", token("ann"));
    let stream = sse::Client::request(&server.url(), "GET", query, &authorization, "").await;
    let beside = eventually("the stream to be looked at", async || {
        let explanation = told(&server, "ann", 1).await;
        explanation.rules.iter().any(|step| step.rule == "stream").then_some(explanation)
    })
    .await;
    assert!(!beside.delivered && detail(&beside, "subscribed") == "no open stream includes it");
    drop(stream);
    server.stop().await;
}

#[tokio::test]
async fn a_private_event_is_explained_to_its_user_and_to_admins() {
    let db = Database::new().await;
    prepare(&db).await;
    let superuser = db.connect_as(Role::Superuser).await;
    let server = patient(&db).await;
    emit(&db, "'document_processing', 'o1', '{}', user_id => 'dora'").await;
    superuser.batch_execute("UPDATE rowcast.outbox SET audience = 'user'").await.unwrap();
    for (user, why) in [
        ("dora", "to this user"),
        ("ben", "to dora, but this user holds admin in o1"),
        ("sam", "to dora, but this user holds admin in o1"),
    ] {
        let explanation = told(&server, user, 1).await;
        assert_eq!((explanation.audience, detail(&explanation, "private")), (VisibleAudience::User, why));
    }
    for user in ["ann", "cleo", "zed"] {
        assert_eq!(ask(&server, user, 1).await.0, 404, "{user}");
    }
    server.stop().await;
}

#[tokio::test]
async fn hidden_fields_are_named_with_what_would_show_them() {
    let db = Database::new().await;
    prepare(&db).await;
    let server = patient(&db).await;
    let redactions = "INSERT INTO rowcast.redactions VALUES
        ('conversation_activity', '{steps,cost}', 'chatbot_manager', NULL), ('conversation_activity', '{mood}', 'admin', 'null')";
    db.connect().await.batch_execute(redactions).await.unwrap();
    emit(
        &db,
        r#"'conversation_activity', 'o1', '{"content": "secret", "error": null, "mood": 3, "steps": [{"cost": 1}]}'"#,
    )
    .await;
    let (_, body) = ask(&server, "ann", 1).await;
    assert!(!body.contains("secret"), "{body}");
    let explanation = told(&server, "ann", 1).await;
    let field = |path: &[&str], permission: &str, replacement| HiddenField {
        path: path.iter().map(|&key| key.to_owned()).collect(),
        permission: permission.to_owned(),
        replacement,
    };
    let content = field(&["content"], "admin", Some(json!("[FILTERED]")));
    // That it stands there as null is lost on Rust; the text has it.
    let mood = field(&["mood"], "admin", None);
    assert_eq!(explanation.hidden, [content, mood, field(&["steps", "cost"], "chatbot_manager", None)]);
    assert_eq!(body.matches(r#""replacement": null"#).count(), 1, "{body}");
    let redacted = explanation.rules.iter().filter(|step| step.rule == "redacted");
    assert!(redacted.clone().all(|step| step.passes.is_none()) && redacted.count() == 3);
    assert_eq!(told(&server, "ben", 1).await.hidden, []);

    // What cannot be looked through is hidden as a whole.
    let deep = format!("{}1{}", r#"{"steps": ["#.to_owned() + &"[".repeat(200), "]".repeat(201) + "}");
    emit(&db, &format!("'conversation_activity', 'o1', '{deep}'")).await;
    let unreadable = [field(&[], "chatbot_manager", Some(json!({"unreadable": true})))];
    assert_eq!(told(&server, "ann", 2).await.hidden, unreadable);
    assert_eq!(told(&server, "ben", 2).await.hidden, []);
    server.stop().await;
}

/// All of an answer but the time of day.
async fn refusal(server: &Server, user: &str, event: i64) -> String {
    let headers = format!("Authorization: Bearer {}\r\n", token(user));
    let asked = Instant::now();
    let mut answer =
        sse::Client::request(&server.url(), "GET", &format!("{EXPLAIN}?event={event}"), &headers, "").await;
    let body = answer.rest().await;
    // Whatever had to be looked at, and however little: nobody learns from a clock what it was.
    assert!(asked.elapsed() >= Duration::from_millis(100), "{user} {event} was refused after {:?}", asked.elapsed());
    let head = answer.head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("date:"));
    head.collect::<Vec<_>>().join("\n") + &body
}

#[tokio::test]
async fn what_a_user_may_not_see_does_not_exist() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let (superuser, mut writer) = (db.connect_as(Role::Superuser).await, db.connect_as(Role::Writer).await);
    let server = patient(&db).await;
    insert(&app, 1, "o1").await;
    insert(&app, 2, "o1").await;
    emit(&db, "'user_activity', 'o1', '{}'").await;
    emit(&db, "'system_health', NULL, '{}'").await;
    app.batch_execute("INSERT INTO documents VALUES (5, NULL, 'x')").await.unwrap();
    emit(&db, "'document_processing', 'o1', '{}', user_id => 'dora'").await;
    superuser.batch_execute("UPDATE rowcast.outbox SET audience = 'user' WHERE id = 6").await.unwrap();
    insert(&app, 7, "o1").await;
    superuser.batch_execute("UPDATE rowcast.outbox SET event_type = 'gone' WHERE id = 7").await.unwrap();
    app.batch_execute("BEGIN; INSERT INTO documents VALUES (8, 'o1', 'x'); ROLLBACK").await.unwrap();
    let open = writer.transaction().await.unwrap();
    open.batch_execute("SELECT rowcast.emit('document_processing', 'o1', '{}')").await.unwrap();
    superuser
        .batch_execute("DELETE FROM rowcast.outbox WHERE id = 1; UPDATE rowcast.maintenance SET expired_through = 1")
        .await
        .unwrap();

    let nothing = refusal(&server, "ann", 1_000_000).await;
    assert!(nothing.starts_with("HTTP/1.1 404 ") && nothing.contains(r#""code":"event_not_found""#), "{nothing}");
    for (user, event, why) in [
        ("ann", 1, "it has expired"),
        ("cleo", 2, "it is another organization's"),
        ("zed", 2, "it is of an organization, and this is a stranger"),
        ("ann", 3, "it requires a permission"),
        ("ben", 4, "it requires a permission platform-wide"),
        ("zed", 4, "it is platform-wide, and this is a stranger"),
        ("ben", 5, "it is nobody's"),
        ("sam", 5, "it is nobody's, even to staff"),
        ("ann", 6, "it is private"),
        ("ben", 7, "its type is unknown"),
        ("ann", 8, "it was rolled back"),
        ("ann", 9, "it is not committed"),
        ("ann", 10, "its id has not been drawn"),
        ("ann", i64::MAX, "it never will be"),
    ] {
        assert_eq!(refusal(&server, user, event).await, nothing, "{why}");
    }
    open.rollback().await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn who_has_left_is_told_no_more() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let server = patient(&db).await;
    let admin = db.connect().await;
    insert(&app, 1, "o1").await;
    let mut stream = connect(&server, "dora", Some("0")).await;
    stream.next_of("document_processing").await;
    assert_eq!(told(&server, "dora", 1).await.organization_id.as_deref(), Some("o1"));
    admin
        .batch_execute("DELETE FROM rowcast.memberships WHERE user_id = 'dora' AND organization_id = 'o1'")
        .await
        .unwrap();
    // At once: it is the database that is asked, not what a server remembers of users.
    assert_eq!(refusal(&server, "dora", 1).await, refusal(&server, "dora", 1_000_000).await);
    admin.batch_execute("DELETE FROM rowcast.memberships WHERE user_id = 'dora'").await.unwrap();
    assert_eq!(ask(&server, "dora", 1).await.0, 404);
    assert_eq!(ask(&server, "ann", 1).await.0, 200);
    server.stop().await;
}

#[tokio::test]
async fn it_is_asked_as_everything_else_is() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    insert(&app, 1, "o1").await;
    let settings = [
        ("ROWCAST_TOKEN_COOKIE", "session"),
        ("ROWCAST_ALLOWED_ORIGINS", PAGE),
        ("ROWCAST_URL_TOKENS", "true"),
        ("ROWCAST_COMMANDS_PER_MINUTE", "4"),
    ];
    let server = Server::start_with(&db, &settings).await;
    let (target, token) = (format!("{EXPLAIN}?event=1"), token("ann"));
    let asked = async |target: &str, headers: &str| {
        let mut answer = sse::Client::request(&server.url(), "GET", target, headers, "").await;
        let body = answer.rest().await;
        let origin = answer.header("access-control-allow-origin").map(str::to_owned);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("content-type"), Some("application/json"));
        (answer.status, origin, serde_json::from_str::<serde_json::Value>(&body).unwrap()["error"]["code"].clone())
    };
    let cookie = format!("Cookie: session={token}\r\n");
    for (headers, origin) in [
        (format!("Authorization: Bearer {token}\r\nOrigin: {PAGE}\r\n"), Some(PAGE)),
        (format!("{cookie}Origin: {PAGE}\r\n"), Some(PAGE)),
        (format!("{cookie}Sec-Fetch-Site: same-origin\r\n"), None),
    ] {
        assert_eq!(asked(&target, &headers).await, (200, origin.map(str::to_owned), json!(null)), "{headers}");
    }
    let foreign = format!("{cookie}Sec-Fetch-Site: cross-site\r\nOrigin: https://evil.example\r\n");
    assert_eq!(asked(&target, &foreign).await, (403, None, json!("origin_not_allowed")));
    // What is in a URL opens streams and polls alone.
    let in_url = format!("{target}&access_token={token}");
    assert_eq!(asked(&in_url, "").await, (401, None, json!("token_required")));
    let headers = format!("Authorization: Bearer {token}\r\n");
    for wrong in ["", "?event=", "?event=one", "?event=0", "?event=-1", "?event=1.5", "?event=9223372036854775808"] {
        let answer = asked(&format!("{EXPLAIN}{wrong}"), &headers).await;
        assert_eq!(answer, (400, None, json!("invalid_event")), "{wrong}");
    }
    assert_eq!(asked(&format!("{target}&event=2"), &headers).await.2, json!("invalid_query"));
    // Who looks for what there is by trying does not get far.
    assert_eq!(asked(&format!("{EXPLAIN}?event=2"), &headers).await.2, json!("event_not_found"));
    assert_eq!(asked(&target, &headers).await, (429, None, json!("too_many_requests")));
    server.stop().await;
}
