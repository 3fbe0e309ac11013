//! Which pages may read the API: those of the origins that are listed, errors included, and no others.

use std::fmt::Write;

use crate::{
    documents::prepare,
    harness::{self, Database, Role, Server, eventually, sse},
    hostile::{kernel_bytes, sleeper},
    startup::refused,
};

const STREAM: &str = "/api/v1/realtime/sse";
const PAGE: &str = "https://app.example.com";
const ORIGINS: (&str, &str) = ("ROWCAST_ALLOWED_ORIGINS", "https://App.example.com:443,http://localhost:3000");

async fn ask(server: &Server, method: &str, target: &str, headers: &[(&str, &str)]) -> sse::Client {
    let mut lines = String::new();
    for (name, value) in headers {
        write!(lines, "{name}: {value}\r\n").unwrap();
    }
    sse::Client::request(&server.url(), method, target, &lines, "").await
}

fn preflight(origin: &str) -> [(&str, &str); 3] {
    [
        ("Origin", origin),
        ("Access-Control-Request-Method", "GET"),
        ("Access-Control-Request-Headers", "authorization,last-event-id"),
    ]
}

#[track_caller]
fn may_read(answer: &sse::Client, origin: &str) {
    assert_eq!(answer.header("access-control-allow-origin"), Some(origin), "{}", answer.head);
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"), "{}", answer.head);
    assert_eq!(answer.header("access-control-expose-headers"), Some("Retry-After"), "{}", answer.head);
    assert_eq!(answer.header("vary"), Some("Origin"), "{}", answer.head);
}

#[track_caller]
fn is_told_nothing(answer: &sse::Client) {
    assert!(!answer.head.to_ascii_lowercase().contains("access-control-"), "{}", answer.head);
}

#[tokio::test]
async fn pages_of_listed_origins_may_use_the_api_and_no_others() {
    let db = Database::new().await;
    prepare(&db).await;
    let server = Server::start_with(&db, &[ORIGINS]).await;
    let token = format!("Bearer {}", harness::token("ann"));
    for origin in [PAGE, "http://localhost:3000"] {
        let asked = ask(&server, "OPTIONS", STREAM, &preflight(origin)).await;
        assert_eq!(asked.status, 204);
        may_read(&asked, origin);
        assert_eq!(asked.header("access-control-allow-methods"), Some("GET, POST"));
        assert_eq!(asked.header("access-control-allow-headers"), Some("Authorization, Content-Type, Last-Event-ID"));
        assert!(asked.header("access-control-max-age").is_some());
        let mut stream = ask(&server, "GET", STREAM, &[("Origin", origin), ("Authorization", &token)]).await;
        assert_eq!(stream.status, 200);
        may_read(&stream, origin);
        assert_eq!(stream.next_event().await.unwrap().event, "connection_status");
    }
    for origin in ["https://evil.example", "http://app.example.com", "https://app.example.com.evil.example", "null"] {
        let asked = ask(&server, "OPTIONS", STREAM, &preflight(origin)).await;
        assert!(asked.status >= 400);
        is_told_nothing(&asked);
        let answer = ask(&server, "GET", STREAM, &[("Origin", origin), ("Authorization", &token)]).await;
        is_told_nothing(&answer);
        assert_eq!(answer.header("vary"), Some("Origin"), "caches are told that others may");
    }
    server.stop().await;
}

#[tokio::test]
async fn errors_can_be_read_by_who_may_read_answers() {
    let db = Database::new().await;
    prepare(&db).await;
    let mut server = Server::start_with(&db, &[ORIGINS]).await;
    let [ann, stranger] = ["ann", "nobody"].map(|user| format!("Bearer {}", harness::token(user)));
    for (target, token, status) in [
        (STREAM, "", 401),
        (STREAM, "Bearer nonsense", 401),
        (STREAM, &*stranger, 403),
        ("/api/v1/realtime/sse?subscriptions=nonsense", &*ann, 400),
        ("/api/v1/nothing", &*ann, 404),
    ] {
        let answer = ask(&server, "GET", target, &[("Origin", PAGE), ("Authorization", token)]).await;
        assert_eq!(answer.status, status, "{target}");
        may_read(&answer, PAGE);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let wrong = ask(&server, "DELETE", STREAM, &[("Origin", PAGE)]).await;
    assert_eq!(wrong.status, 405);
    may_read(&wrong, PAGE);
    // A stream that is not read keeps a leaving server for a while.
    let app = db.connect_as(Role::App).await;
    let stuck = sleeper(&server, "ben").await;
    app.execute("INSERT INTO documents SELECT n, 'o1', repeat('x', 30000) FROM generate_series(1, 100) n", &[])
        .await
        .unwrap();
    eventually("it to be held up", async || (kernel_bytes(&server) > 64 * 1024).then_some(())).await;
    server.signal("TERM");
    let poll = "/api/v1/realtime/events?after=0&wait=0";
    let not_ready = eventually("it to leave", async || {
        let answer = ask(&server, "GET", poll, &[("Origin", PAGE), ("Authorization", &ann)]).await;
        (answer.status == 503).then_some(answer)
    });
    let not_ready = not_ready.await;
    may_read(&not_ready, PAGE);
    assert!(not_ready.header("retry-after").is_some());
    drop(stuck);
    server.wait_for_end().await;
}

#[tokio::test]
async fn outside_of_the_api_and_without_a_list_nobody_is_told_anything() {
    let db = Database::new().await;
    prepare(&db).await;
    let server = Server::start_with(&db, &[ORIGINS]).await;
    for target in ["/", "/livez", "/readyz", "/metrics", "/nothing"] {
        is_told_nothing(&ask(&server, "GET", target, &[("Origin", PAGE)]).await);
        is_told_nothing(&ask(&server, "OPTIONS", target, &preflight(PAGE)).await);
    }
    server.stop().await;

    let server = Server::start(&db).await;
    // A page of our own sends its origin too, and needs no leave.
    let token = format!("Bearer {}", harness::token("ann"));
    let own = ask(&server, "GET", STREAM, &[("Origin", &server.url()), ("Authorization", &token)]).await;
    assert_eq!((own.status, own.header("vary")), (200, None));
    is_told_nothing(&own);
    is_told_nothing(&ask(&server, "OPTIONS", STREAM, &preflight(PAGE)).await);
    drop(own);
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_origin_is_refused_at_start() {
    for origin in ["*", "null", "https://*.example.com", "https://app.example.com/", "app.example.com"] {
        let said = refused(&["serve", "--allowed-origins", origin], Some("postgres://host/db")).await;
        assert!(said.contains("--allowed-origins") && said.contains("such as https://app.example.com"), "{said}");
    }
}
