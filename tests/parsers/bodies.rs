//! Bodies of POST requests at the real server, and what else comes with them; and what servers read of each other in the database: any JSON.

use proptest::prelude::*;
use rowcast::command::Command;
use serde_json::{Map, Value, json};

use crate::{
    harness::{Database, Server, sse, token},
    requests::{exchange, status},
    try_out,
};

const CASES: u32 = 300;

const COMMANDS: u32 = 5_000;

/// In everything that is sent.
const NEEDLE: &str = "n33dle";

/// Any JSON, with the words in it that mean something somewhere.
pub(crate) fn any_json(words: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        3 => prop::sample::select(words).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => prop::sample::select(vec![NEEDLE.to_owned(), String::new(), "\0".to_owned(), "x".repeat(3_000)]),
    ];
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        3 => text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

const WORDS: &[&str] = &[
    "connectionId",
    "action",
    "eventTypes",
    "since",
    "token",
    "subscribe",
    "unsubscribe",
    "renew",
    "document_processing",
    "system_health",
    "0",
    "9~3",
];

/// A body: mostly what is asked for, with something else in some places; and as text, which may be cut off.
fn body(own: &str, foreign: &str, token: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let connection = prop_oneof![
        2 => Just(json!(own)),
        2 => Just(json!(foreign)),
        1 => any_json(WORDS),
    ];
    let action = prop_oneof![
        4 => prop::sample::select(vec!["subscribe", "unsubscribe", "renew", "Subscribe", NEEDLE]).prop_map(Value::from),
        1 => any_json(WORDS),
    ];
    let types = prop_oneof![
        4 => prop::collection::vec(
            prop::sample::select(vec!["document_processing", "conversation_activity", "system_health", "connection_status", NEEDLE]), 0..4
        ).prop_map(Value::from),
        1 => Just(json!(vec!["document_processing"; 200])),
        1 => (0..150_usize).prop_map(|many| (0..many).map(|n| json!(format!("{NEEDLE}{n}"))).collect()),
        1 => any_json(WORDS),
    ];
    let since = prop_oneof![
        2 => Just(None),
        2 => prop::sample::select(vec!["0", "1", "9999999", "1@7", "3~1", "~", "-1", NEEDLE]).prop_map(|text| Some(json!(text))),
        1 => any_json(WORDS).prop_map(Some),
    ];
    let token = prop_oneof![2 => Just(json!(token)), 1 => any_json(WORDS)];
    let whole = (connection, action, types, since, token).prop_map(|(connection, action, types, since, token)| {
        let mut body = json!({"connectionId": connection, "action": action, "eventTypes": types, "token": token});
        if let Some(since) = since {
            body["since"] = since;
        }
        body.to_string().into_bytes()
    });
    prop_oneof![
        6 => whole.clone(),
        1 => (whole, any::<prop::sample::Index>()).prop_map(|(body, end)| body[..end.index(body.len())].to_vec()),
        1 => any_json(WORDS).prop_map(|json| json.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..200),
        1 => (1_usize..60_000).prop_map(|depth| "[".repeat(depth).into_bytes()),
    ]
}

/// What it is said to be.
fn media_type() -> impl Strategy<Value = Vec<u8>> {
    let said = [
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/json;",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=n33dle",
        "application/json, text/plain",
        "application/jsonp",
        "application/json n33dle",
        "",
    ];
    prop_oneof![
        6 => Just(b"application/json".to_vec()),
        3 => prop::sample::select(said.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>().prop_filter("ends the line", |byte| !matches!(byte, b'\r' | b'\n')), 0..40),
    ]
}

/// Whatever a body says, it changes nobody else's stream, and only one that is said to be JSON changes anything.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_body_says_nobody_elses_stream_changes() {
    let db = Database::new().await;
    let members = "INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member'), ('bob', 'o1', 'member')";
    db.connect().await.batch_execute(members).await.unwrap();
    let server = Server::start_with(&db, &[("ROWCAST_COMMANDS_PER_MINUTE", "10000000"), ("ROWCAST_LOG", "warn")]).await;
    let mut streams = Vec::new();
    let mut names = Vec::new();
    for user in ["ann", "bob"] {
        let query = "subscriptions=document_processing";
        let mut stream = sse::Client::connect_with(&server.url(), query, &token(user), None).await;
        let connected = stream.next_of("connection_status").await.json();
        names.push(connected["data"]["connectionId"].as_str().unwrap().to_owned());
        streams.push(stream);
    }
    let address = server.url().strip_prefix("http://").unwrap().to_owned();
    let ann = token("ann");
    let bodies = body(&names[0], &names[1], &ann);
    let path = prop::sample::select(vec!["sse", "sse", "sse", "ticket", "sse?ticket=n33dle&access_token=n33dle"]);
    tokio::task::block_in_place(|| {
        try_out(CASES, &(path, media_type(), bodies, any::<bool>()), |(path, media_type, body, shows_token)| {
            let token = if shows_token { format!("Authorization: Bearer {ann}\r\n") } else { String::new() };
            let length = body.len();
            let mut request = format!(
                "POST /api/v1/realtime/{path} HTTP/1.1\r\nHost: a\r\n{token}Connection: close\r\nContent-Length: {length}\r\nContent-Type: "
            ).into_bytes();
            request.extend([&media_type[..], b"\r\n\r\n", &body].concat());
            let answer = exchange(&address, &request);
            let short = request[..request.len().min(600)].escape_ascii();
            let status = status(&answer);
            prop_assert!(matches!(status, Some(200 | 400 | 401 | 403 | 404 | 413 | 415)), "{}\n{}", short, answer);
            prop_assert!(!answer.contains(NEEDLE), "{}\n{}", short, answer);
            if status == Some(200) && path.starts_with("sse") {
                let said = String::from_utf8_lossy(&media_type).to_lowercase();
                prop_assert!(said.split(';').next().unwrap().trim() == "application/json", "{}\n{}", short, answer);
                let body: Value = serde_json::from_slice(&body).unwrap();
                prop_assert!(body["connectionId"] == *names[0], "{}\n{}", short, answer);
            }
            Ok(())
        });
    });
    // Bob's stream is as it was: it has the one type that he asked for, and is there.
    let renew = json!({"connectionId": names[1], "action": "renew", "token": token("bob")}).to_string();
    let headers = "Content-Type: application/json\r\nConnection: close\r\n";
    let mut answer = sse::Client::request(&server.url(), "POST", "/api/v1/realtime/sse", headers, &renew).await;
    let answer: Value = serde_json::from_str(&answer.rest().await).unwrap();
    assert_eq!(answer["eventTypes"], json!(["document_processing"]));
    drop(streams);
    assert!(server.is_ready().await);
    assert!(!server.log().contains("panicked"), "{}", server.log());
    server.stop().await;
}

/// What is wrong with a query or a body is not said to be the method.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_request_is_not_its_method() {
    let db = Database::new().await;
    let server = Server::start_with(&db, &[("ROWCAST_LOG", "warn")]).await;
    let address = server.url().strip_prefix("http://").unwrap().to_owned();
    let large = format!("Content-Length: 100000\r\n\r\n{}", "[".repeat(100_000));
    for (line, rest, expected) in [
        ("GET /api/v1/realtime/sse?ticket=a&ticket=b", "\r\n", 400),
        ("GET /api/v1/realtime/events?ticket=a&ticket=b", "\r\n", 400),
        ("POST /api/v1/realtime/sse", &*large, 413),
        ("DELETE /api/v1/realtime/sse", "\r\n", 405),
        ("POST /api/v1/realtime/events", "Content-Length: 0\r\n\r\n", 405),
        ("GET /api/v1/realtime/ticket", "\r\n", 405),
    ] {
        let request = format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{rest}");
        let answer = tokio::task::block_in_place(|| exchange(&address, request.as_bytes()));
        assert_eq!(status(&answer), Some(expected), "{line}\n{answer}");
    }
    server.stop().await;
}

/// A ticket that nobody was given lets nobody in, whatever it looks like; nor does it next to others.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_let_in_by_a_ticket_that_was_made_up() {
    let db = Database::new().await;
    let member = "INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member')";
    db.connect().await.batch_execute(member).await.unwrap();
    let server = Server::start_with(&db, &[("ROWCAST_LOG", "warn")]).await;
    let address = server.url().strip_prefix("http://").unwrap().to_owned();
    let headers = format!("Authorization: Bearer {}\r\nConnection: close\r\n", token("ann"));
    let mut answer = sse::Client::request(&server.url(), "POST", "/api/v1/realtime/ticket", &headers, "").await;
    let answer: Value = serde_json::from_str(&answer.rest().await).unwrap();
    let real = answer["ticket"].as_str().unwrap().to_owned();
    let changed = (any::<prop::sample::Index>(), "[0-9a-fA-F%+*']").prop_filter_map("the same", {
        let real = real.clone();
        move |(at, digit)| {
            let at = at.index(real.len());
            let ticket = format!("{}{digit}{}", &real[..at], &real[at + 1..]);
            (ticket != real).then_some(ticket)
        }
    });
    let ticket = prop_oneof![
        3 => changed,
        2 => "[0-9a-f]{64}",
        1 => "[0-9a-zA-Z%_.~-]{0,80}",
        1 => Just(real.to_uppercase()),
        1 => Just(format!("{real}{real}")),
        1 => Just(format!("{real}&ticket={real}")),
        1 => Just(format!("%00{real}")),
        1 => (1_usize..9_000).prop_map(|length| NEEDLE.repeat(length / NEEDLE.len() + 1)),
    ];
    let last_event_id = prop::sample::select(vec!["", "Last-Event-ID: 1\r\n", "Last-Event-ID: n33dle\r\n"]);
    let path = prop::sample::select(vec!["sse", "events", "stats"]);
    tokio::task::block_in_place(|| {
        try_out(CASES, &(path, ticket, last_event_id), |(path, ticket, last_event_id)| {
            let request = format!(
                "GET /api/v1/realtime/{path}?wait=0&ticket={ticket} HTTP/1.1\r\nHost: a\r\n{last_event_id}Connection: close\r\n\r\n"
            );
            let answer = exchange(&address, request.as_bytes());
            let short: String = request.chars().take(300).collect();
            prop_assert!(matches!(status(&answer), Some(400 | 401 | 414 | 431)), "{}\n{}", short, answer);
            prop_assert!(!answer.contains(NEEDLE) && !answer.contains(&real), "{}\n{}", short, answer);
            Ok(())
        });
    });
    // None of that has used it up.
    let request =
        format!("GET /api/v1/realtime/events?wait=0&ticket={real} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(status(&exchange(&address, request.as_bytes())), Some(200));
    server.stop().await;
}

/// Cookies in any form let in whom the token in one of them is of, or nobody; and nobody at all who comes from a page that is not ours.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_cookies_say_they_are_ones_own() {
    let db = Database::new().await;
    let member = "INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member')";
    db.connect().await.batch_execute(member).await.unwrap();
    let settings = [("ROWCAST_TOKEN_COOKIE", "session"), ("ROWCAST_LOG", "warn")];
    let server = Server::start_with(&db, &settings).await;
    let address = server.url().strip_prefix("http://").unwrap().to_owned();
    let valid = token("ann");
    let name = prop::sample::select(vec![
        "session", "session", "session", " session", "Session", "session ", "xsession", "", NEEDLE,
    ]);
    let value = prop_oneof![
        3 => Just(valid.clone()),
        1 => Just(format!("\"{valid}\"")),
        1 => Just(format!("{valid}x")),
        1 => prop::sample::select(vec!["", "n33dle", "=", "a=b", ","]).prop_map(str::to_owned),
    ];
    let pair = (name, value, prop::sample::select(vec!["=", "=", "=", "==", "", " = "]));
    let line = prop::collection::vec((pair, prop::sample::select(vec!["; ", ";", ";;", ", ", " "])), 0..4);
    let lines = prop::collection::vec(line, 0..3);
    let extra = prop::sample::select(vec![
        "Sec-Fetch-Site: same-origin\r\n",
        "Sec-Fetch-Site: same-origin\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Origin: https://n33dle.example\r\n",
        "",
    ]);
    let forwarded = prop::sample::select(vec![
        "",
        "X-Forwarded-For: 127.0.0.1\r\n",
        "X-Forwarded-For: n33dle, ::1, [::1]:80, 999.1.1.1,,\r\n",
        "X-Forwarded-For: \u{fc}\r\nX-Forwarded-For:\r\n",
        "X-Forwarded-Host: n33dle\r\nForwarded: for=n33dle;host=n33dle\r\n",
    ]);
    let host = prop::sample::select(vec!["a", "n33dle", "", "[::1]:8080", "a:99999", "a@n33dle", "a/n33dle", "a b"]);
    tokio::task::block_in_place(|| {
        try_out(CASES, &(lines, extra, forwarded, host), |(lines, extra, forwarded, host)| {
            let cookies: Vec<String> = lines
                .iter()
                .map(|line| {
                    line.iter().flat_map(|((name, value, equals), end)| [name, equals, &**value, end]).collect()
                })
                .collect();
            let headers: String = cookies.iter().flat_map(|line| ["Cookie: ", line, "\r\n"]).collect();
            let request = format!(
                "GET /api/v1/realtime/events?wait=0 HTTP/1.1\r\nHost: {host}\r\n{headers}{extra}{forwarded}Connection: close\r\n\r\n"
            );
            let answer = exchange(&address, request.as_bytes());
            prop_assert!(matches!(status(&answer), Some(200 | 400 | 401 | 403)), "{}\n{}", request, answer);
            prop_assert!(!answer.contains(NEEDLE), "{}\n{}", request, answer);
            let brought: Vec<&str> = cookies
                .iter()
                .flat_map(|line| line.split(';'))
                .filter_map(|pair| pair.trim().strip_prefix("session="))
                .collect();
            let is_ann = brought == [&*valid] && extra.contains("same-origin");
            prop_assert!(is_ann || status(&answer) != Some(200), "{}\n{}", request, answer);
            Ok(())
        });
    });
    assert!(server.is_ready().await);
    assert!(!server.log().contains("panicked"), "{}", server.log());
    server.stop().await;
}

/// A row of `rowcast.commands` is any JSON to a server that others are newer than.
#[test]
fn any_json_is_a_command_or_none() {
    const WORDS: &[&str] = &[
        "command",
        "arguments",
        "disconnect",
        "erase",
        "ask",
        "answer",
        "user_id",
        "request",
        "connection",
        "action",
        "subscribe",
        "unsubscribe",
        "renew",
        "types",
        "committed",
        "since",
        "expires_at",
        "Ok",
        "Err",
        "unknown_type",
        "forbidden",
        "event_types",
        "2026-11-26T12:00:00Z",
    ];
    let made = (
        prop::sample::select(vec!["disconnect", "erase", "ask", "answer", "sing"]),
        any_json(WORDS),
        any_json(WORDS),
        prop::sample::select(vec!["subscribe", "unsubscribe", "renew", "forget"]),
    )
        .prop_map(|(command, one, other, action)| {
            json!({"command": command, "arguments": {
                "user_id": one, "source": one, "source_key": other, "request": one, "connection": other,
                "ask": {"action": action, "types": [one], "committed": other, "since": one, "expires_at": "2026-11-26T12:00:00Z"},
                "answer": {"Ok": {"event_types": [one], "expires_at": other}},
            }})
        });
    try_out(COMMANDS, &prop_oneof![made, any_json(WORDS)], |json| {
        let parsed = Command::parse(&json.to_string());
        let known = ["disconnect", "erase", "ask", "answer"].iter().any(|name| json["command"] == *name);
        prop_assert!(known || parsed.is_err(), "{}", json);
        if let Ok(Command::Disconnect { user_id }) = parsed {
            prop_assert_eq!(json["arguments"]["user_id"].as_str(), Some(&*user_id));
        }
        Ok(())
    });
}
