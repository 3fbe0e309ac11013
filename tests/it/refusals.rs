//! Every refusal there is, over real HTTP: its status, its body and its headers, and that nothing leaks with it.
//!
//! The list is compared with `src/http/error.rs`: an error that is added there has to be met here.

use std::{collections::BTreeSet, fmt::Write, fs, time::Duration};

use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    documents::{connect, prepare},
    harness::{Database, PATIENCE, SECRET, Server, signer::in_seconds, sse, token},
    sentry,
};

const SSE: &str = "/api/v1/realtime/sse";
const EVENTS: &str = "/api/v1/realtime/events";
const EXPLAIN: &str = "/api/v1/realtime/explain";
const PAGE: &str = "https://app.example.com";

/// What is sent wherever something can be, and must not come back.
const MARK: &str = "mArK7391";

/// Nobody can bring this about from outside; `src/http/error.rs` has a test of it.
const UNREACHABLE: (u16, &str) = (500, "internal_error");

/// What is refused.
struct Request {
    method: &'static str,
    target: String,
    user: Option<&'static str>,
    headers: String,
    body: String,
}

fn get(target: impl Into<String>, user: impl Into<Option<&'static str>>) -> Request {
    Request { method: "GET", target: target.into(), user: user.into(), headers: String::new(), body: String::new() }
}

fn post(user: &'static str, body: &Value) -> Request {
    let headers = "Content-Type: application/json\r\n".to_owned();
    Request { method: "POST", headers, body: body.to_string(), ..get(SSE, user) }
}

impl Request {
    fn with(mut self, header: &str) -> Self {
        write!(self.headers, "{header}\r\n").unwrap();
        self
    }

    fn text(&self, token: Option<&str>) -> String {
        let Self { method, target, headers, body, .. } = self;
        let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let says_length = headers.contains("Transfer-Encoding") || headers.contains("Content-Length");
        let length = if says_length { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        format!(
            "{method} {target} HTTP/1.1\r\nHost: {MARK}\r\nOrigin: {PAGE}\r\nX-Mark: {MARK}\r\n{authorization}{length}{headers}\r\n{body}"
        )
    }
}

/// All that comes until the answer is complete, or the connection ends.
pub(crate) async fn exchange(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.url().strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let reading = async {
        while !is_complete(&answer) && matches!(stream.read_buf(&mut answer).await, Ok(count) if count > 0) {}
    };
    timeout(PATIENCE, reading).await.expect("the request is not answered");
    String::from_utf8(answer).unwrap()
}

fn is_complete(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    header(head, "content-length").is_some_and(|length| body.len() >= length.parse::<usize>().unwrap())
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    lines.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
}

/// The refusals that were met.
#[derive(Default)]
struct Met(BTreeSet<(u16, String)>);

impl Met {
    /// Asks, and fails the test unless that is refused as it should be.
    async fn refused(&mut self, server: &Server, request: Request, status: u16, code: &str) {
        let token = request.user.map(token);
        let answer = exchange(server, &request.text(token.as_deref())).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let what = format!("{} {}\n{answer}", request.method, request.target);
        assert_eq!(head[9..12].parse(), Ok(status), "{what}");

        let json: Value = serde_json::from_str(body).unwrap();
        let message = json["error"]["message"].as_str().unwrap();
        assert!(!message.is_empty() && message.is_ascii() && !message.ends_with('.'), "{what}");
        assert_eq!(json, json!({"success": false, "error": {"code": code, "message": message}}), "{what}");

        for (name, value) in [
            ("content-type", "application/json"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("access-control-allow-origin", PAGE),
            ("access-control-allow-credentials", "true"),
            ("access-control-expose-headers", "Retry-After"),
            ("vary", "Origin"),
        ] {
            assert_eq!(header(head, name), Some(value), "{what}");
        }
        assert_eq!(header(head, "www-authenticate"), (status == 401).then_some("Bearer"), "{what}");
        assert_eq!(header(head, "allow").is_some(), status == 405, "{what}");
        let wait = header(head, "retry-after").map(|wait| wait.parse::<u64>().unwrap());
        assert_eq!(wait.is_some(), [429, 503].contains(&status), "{what}");
        assert!(wait.is_none_or(|wait| (1..=60).contains(&wait)), "{what}");
        assert_eq!(header(head, "set-cookie"), None, "{what}");
        assert_eq!(header(head, "server"), None, "{what}");

        let answer = answer.to_lowercase();
        let secrets = [MARK, SECRET].into_iter().chain(token.as_deref());
        for secret in secrets {
            assert!(!answer.contains(&secret.to_lowercase()), "{what}");
        }
        self.0.insert((status, code.to_owned()));
    }
}

/// As serde has it on the wire.
fn snake_case(name: &str) -> String {
    name.char_indices().fold(String::new(), |mut snake, (at, letter)| {
        if at > 0 && letter.is_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
        snake
    })
}

/// All that `src/http/error.rs` can say.
fn all() -> BTreeSet<(u16, String)> {
    let source = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/error.rs")).unwrap();
    let says = source.split("(StatusCode::").skip(1).filter_map(|says| says.split_once(')')).map(|(says, _)| says);
    says.map(|says| {
        let (status, code) = says.split_once(", ").unwrap();
        let status = match status {
            "BAD_REQUEST" => 400,
            "UNAUTHORIZED" => 401,
            "FORBIDDEN" => 403,
            "NOT_FOUND" => 404,
            "METHOD_NOT_ALLOWED" => 405,
            "REQUEST_TIMEOUT" => 408,
            "LENGTH_REQUIRED" => 411,
            "PAYLOAD_TOO_LARGE" => 413,
            "UNSUPPORTED_MEDIA_TYPE" => 415,
            "TOO_MANY_REQUESTS" => 429,
            "INTERNAL_SERVER_ERROR" => 500,
            "SERVICE_UNAVAILABLE" => 503,
            other => panic!("what number is {other}?"),
        };
        (status, snake_case(code.strip_prefix("Code::").unwrap()))
    })
    .collect()
}

fn expired() -> String {
    let claims = json!({"sub": MARK, "exp": in_seconds(-3600)});
    jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

fn settings<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let all = [
        ("ROWCAST_ALLOWED_ORIGINS", PAGE),
        ("ROWCAST_TOKEN_COOKIE", "session"),
        ("ROWCAST_SENTRY_CLIENT_SECRET", sentry::SECRET),
    ];
    [&all[..], more].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_says_what_it_should_and_nothing_else() {
    let db = Database::new().await;
    prepare(&db).await;
    let mut met = Met::default();
    let server = Server::start_with(&db, &settings(&[])).await;
    // It takes its time, in which the others are met.
    let slow = post("ann", &json!({})).with("Content-Length: 100").text(Some(&token("ann")));
    let (slow, ()) = tokio::join!(exchange(&server, &slow), met_at(&server, &mut met));
    assert!(slow.starts_with("HTTP/1.1 408 ") && slow.contains("request_timeout"), "{slow}");
    assert!(slow.contains("no-store") && slow.contains(PAGE) && !slow.contains(MARK), "{slow}");
    met.0.insert((408, "request_timeout".to_owned()));
    too_many(&db, &mut met).await;
    elsewhere(&db, &server, &mut met).await;
    server.stop().await;

    // Its issuer cannot be reached.
    let without_keys = settings(&[
        ("ROWCAST_JWT_SECRET", ""),
        ("ROWCAST_JWKS_URL", "http://127.0.0.1:1/jwks"),
        ("ROWCAST_JWT_ISSUER", MARK),
    ]);
    let server = Server::start_unready(&db, &without_keys).await;
    met.refused(&server, get(EVENTS, "ann"), 503, "not_ready").await;
    server.stop().await;

    met.0.insert((UNREACHABLE.0, UNREACHABLE.1.to_owned()));
    assert_eq!(met.0, all(), "a refusal is missing on one side");
}

/// What one server refuses by itself.
async fn met_at(server: &Server, met: &mut Met) {
    let body = json!({"connectionId": MARK, "action": "subscribe", "eventTypes": ["document_processing"]});
    let with = |key: &str, value: Value| {
        let mut body = body.clone();
        body[key] = value;
        post("ann", &body)
    };
    let put = Request { method: "PUT", ..get(SSE, "ann") };
    let delete = Request { method: "DELETE", ..get(EVENTS, "ann") };
    let chunked = Request { body: "2\r\n{}\r\n0\r\n\r\n".to_owned(), ..post("ann", &json!({})) };
    let large = Request { body: MARK.repeat(3_000), ..post("ann", &json!({})) };
    let broken = Request { body: format!("{{\"{MARK}\""), ..post("ann", &json!({})) };
    let form = Request { headers: format!("Content-Type: text/{MARK}\r\n"), ..post("ann", &body) };
    let renew = json!({"connectionId": MARK, "action": "renew", "token": token("ben")});
    let cookie = format!("Cookie: session={}", token("ann"));
    let webhook = |body: &str, timestamp: &str, signed: &str| {
        let signature = sentry::sign(sentry::SECRET, signed.as_bytes());
        let headers = format!(
            "Content-Type: application/json\r\nSentry-Hook-Resource: issue\r\nSentry-Hook-Timestamp: {timestamp}\r\nSentry-Hook-Signature: {signature}\r\n"
        );
        Request { method: "POST", headers, body: body.to_owned(), ..get("/api/v1/integrations/sentry", None) }
    };
    let malformed = format!("{{\"{MARK}\": 1}}");
    for (request, status, code) in [
        (webhook(MARK, "1", "another"), 401, "invalid_signature"),
        (webhook(MARK, "1", MARK), 400, "stale_webhook"),
        (webhook(&malformed, &in_seconds(0).to_string(), &malformed), 400, "invalid_webhook"),
        (get(format!("{SSE}?lastEventId={MARK}&lastEventId={MARK}"), "ann"), 400, "invalid_query"),
        (get(format!("{SSE}?subscriptions={MARK}"), "ann"), 400, "unknown_event_type"),
        (get(format!("{SSE}?subscriptions=,&x={MARK}"), "ann"), 400, "no_valid_subscription"),
        (get(format!("{EVENTS}?wait={MARK}"), "ann"), 400, "invalid_wait"),
        (get(format!("{EVENTS}?limit={MARK}"), "ann"), 400, "invalid_limit"),
        (get(format!("{EXPLAIN}?event={MARK}"), "ann"), 400, "invalid_event"),
        (get(format!("{EXPLAIN}?event=1&x={MARK}"), "ann"), 404, "event_not_found"),
        (get(format!("{EVENTS}?x={MARK}"), None), 401, "token_required"),
        (get(SSE, None).with(&format!("Authorization: Bearer {}", expired())), 401, "token_expired"),
        (get(SSE, None).with(&format!("Authorization: Bearer {MARK}.{MARK}.{MARK}")), 401, "invalid_token"),
        (get(format!("{SSE}?ticket={MARK}"), None), 401, "invalid_ticket"),
        (get(format!("{SSE}?access_token={MARK}"), None), 401, "url_tokens_off"),
        (get(SSE, None).with(&format!("Cookie: session={MARK}; session={MARK}")), 401, "invalid_token"),
        (get(format!("{SSE}?organizationId={MARK}"), "ann"), 403, "not_a_member"),
        (get(EVENTS, "nobody"), 403, "not_a_member"),
        (get(format!("{SSE}?subscriptions=system_health&x={MARK}"), "ann"), 403, "permission_required"),
        (get(format!("/api/v1/realtime/stats?x={MARK}"), "ann"), 403, "permission_required"),
        (broken, 400, "invalid_body"),
        (form, 415, "unsupported_media_type"),
        (large, 413, "body_too_large"),
        (chunked.with("Transfer-Encoding: chunked"), 411, "length_required"),
        (with("action", MARK.into()), 400, "invalid_action"),
        (with("since", MARK.into()), 400, "invalid_since"),
        (with("connectionId", MARK.into()), 404, "connection_not_found"),
        (post("ann", &renew), 403, "other_user"),
        (get(format!("/api/v1/{MARK}"), "ann"), 404, "not_found"),
        (put, 405, "method_not_allowed"),
        (delete, 405, "method_not_allowed"),
    ] {
        met.refused(server, request, status, code).await;
    }
    // A foreign page, whose visitor has the cookie, is told nothing by CORS either.
    let foreign = format!(
        "GET {SSE} HTTP/1.1\r\nHost: {MARK}\r\nOrigin: https://{MARK}.example\r\nSec-Fetch-Site: cross-site\r\n{cookie}\r\n\r\n"
    );
    let answer = exchange(server, &foreign).await;
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("origin_not_allowed"), "{answer}");
    assert!(!answer.to_lowercase().contains("access-control") && !answer.contains(MARK), "{answer}");
    assert!(answer.contains("no-store") && answer.contains("nosniff"), "{answer}");
    met.0.insert((403, "origin_not_allowed".to_owned()));
}

/// What is one too many.
async fn too_many(db: &Database, met: &mut Met) {
    for (setting, status, code) in [
        ("ROWCAST_MAX_CONNECTIONS", 503, "server_full"),
        ("ROWCAST_MAX_CONNECTIONS_PER_ADDRESS", 429, "too_many_connections_from_address"),
        ("ROWCAST_MAX_CONNECTIONS_PER_USER", 429, "too_many_connections"),
    ] {
        let server = Server::start_with(db, &settings(&[(setting, "1")])).await;
        let first = connect(&server, "dora", None).await;
        met.refused(&server, get(format!("{SSE}?x={MARK}"), "dora"), status, code).await;
        drop(first);
        server.stop().await;
    }
    let server = Server::start_with(db, &settings(&[("ROWCAST_COMMANDS_PER_MINUTE", "1")])).await;
    let ask = json!({"connectionId": MARK, "action": "unsubscribe", "eventTypes": [MARK]});
    met.refused(&server, post("cleo", &ask), 404, "connection_not_found").await;
    met.refused(&server, post("cleo", &ask), 429, "too_many_requests").await;
    let ticket = Request { method: "POST", ..get("/api/v1/realtime/ticket", "cleo") };
    met.refused(&server, ticket, 429, "too_many_requests").await;
    met.refused(&server, get(format!("{EXPLAIN}?event=1"), "cleo"), 429, "too_many_requests").await;
    server.stop().await;
}

/// A stream on a server that says nothing any more.
async fn elsewhere(db: &Database, server: &Server, met: &mut Met) {
    let other = Server::start_with(db, &settings(&[])).await;
    let mut stream = sse::Client::connect(&other.url(), &token("ann"), None).await;
    let connected = stream.next_event().await.unwrap().json();
    other.signal("STOP");
    let ask = json!({"connectionId": connected["data"]["connectionId"], "action": "renew"});
    met.refused(server, post("ann", &ask), 503, "connection_unanswered").await;
    // To its owner alone, whatever the server does.
    met.refused(server, post("ben", &ask), 404, "connection_not_found").await;
    other.signal("CONT");
    drop(stream);
    other.stop().await;
}

#[tokio::test]
async fn what_is_no_request_is_refused_without_a_word() {
    let db = Database::new().await;
    let server = Server::start(&db).await;
    let many = (0..200).fold(String::new(), |lines, n| format!("{lines}X-{n}: {MARK}\r\n"));
    for (request, status) in [
        (format!("{MARK}\r\n\r\n"), "400"),
        (format!("GET /livez HTTP/1.1\r\n{MARK} : \u{1}\r\n\r\n"), "400"),
        (format!("GET /livez HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n{MARK}"), "400"),
        (format!("GET /livez HTTP/1.1\r\n{many}\r\n"), "431"),
        (format!("GET /livez HTTP/1.1\r\nX: {}\r\n\r\n", MARK.repeat(5_000)), "431"),
        (format!("GET /{} HTTP/1.1\r\n\r\n", MARK.repeat(5_000)), "414"),
    ] {
        let answer = exchange(&server, &request).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let is_expected = head.starts_with(&format!("HTTP/1.1 {status} ")) || head.starts_with("HTTP/1.1 431 ");
        assert!(is_expected && body.is_empty() && !answer.contains(MARK), "{answer}");
    }
    assert!(!server.log().contains(MARK), "{}", server.log());
    let alive = timeout(Duration::from_secs(5), exchange(&server, "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    assert!(alive.unwrap().starts_with("HTTP/1.1 200 "));
    server.stop().await;
}
