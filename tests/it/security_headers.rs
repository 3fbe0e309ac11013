//! What browsers are told to refuse, and that no answer gives back what was sent.

use crate::{
    documents::prepare,
    harness::{
        self, Database, Server, sse,
        tls::{self, Identity},
    },
};

const STREAM: &str = "/api/v1/realtime/sse";

async fn get(server: &Server, target: &str) -> sse::Client {
    let headers = format!("Authorization: Bearer {}\r\n", harness::token("ann"));
    sse::Client::request(&server.url(), "GET", target, &headers, "").await
}

#[track_caller]
fn is_secured(answer: &sse::Client) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{}", answer.head);
    }
    assert!(answer.header("permissions-policy").is_some_and(|policy| policy.contains("geolocation=()")));
    let policy = answer.header("content-security-policy").unwrap();
    for part in ["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("data:"), "{policy}");
}

#[tokio::test]
async fn every_answer_says_what_is_to_be_refused() {
    let db = Database::new().await;
    prepare(&db).await;
    let server = Server::start_with(&db, &[("ROWCAST_METRICS_ADDR", "same")]).await;
    for target in ["/", "/mark.svg", "/livez", "/readyz", "/metrics", "/nothing", STREAM, "/api/v1/nothing"] {
        let answer = get(&server, target).await;
        is_secured(&answer);
        assert_eq!(answer.header("strict-transport-security"), None, "in clear it would be of no use");
        if answer.status >= 400 {
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{target}");
        }
    }
    let page = get(&server, "/").await;
    let policy = page.header("content-security-policy").unwrap();
    for part in ["script-src 'self'", "style-src 'self'", "connect-src 'self'", "require-trusted-types-for 'script'"] {
        assert!(policy.contains(part), "{policy}");
    }
    server.stop().await;
}

#[tokio::test]
async fn over_tls_browsers_are_told_to_stay_there() {
    let db = Database::new().await;
    prepare(&db).await;
    let identity = Identity::new();
    let server = Server::start_with(&db, &identity.settings()).await;
    for target in ["/", "/api/v1/nothing"] {
        let stream = tls::connect(&server.url(), &identity.certificate, &[b"http/1.1"]).await.unwrap();
        let answer = sse::Client::request_over(stream, "127.0.0.1", "GET", target, "", "").await.unwrap();
        is_secured(&answer);
        assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
    }
    server.stop().await;
}

/// What no answer may hold.
const MARK: &str = "mArK7391";

#[tokio::test]
async fn no_answer_gives_back_what_was_sent() {
    let db = Database::new().await;
    prepare(&db).await;
    let server = Server::start_with(&db, &[("ROWCAST_ALLOWED_ORIGINS", "https://app.example.com")]).await;
    let (ann, mark) = (format!("Authorization: Bearer {}\r\n", harness::token("ann")), MARK.to_owned());
    let cases = [
        ("GET", format!("/{mark}"), String::new(), String::new()),
        ("GET", format!("/api/v1/realtime/{mark}"), String::new(), String::new()),
        ("GET", format!("/%3Cscript%3E{mark}"), String::new(), String::new()),
        ("GET", format!("/assets/../{mark}"), String::new(), String::new()),
        ("GET", format!("{STREAM}?subscriptions={mark}"), ann.clone(), String::new()),
        ("GET", format!("{STREAM}?organizationId={mark}"), ann.clone(), String::new()),
        ("GET", format!("{STREAM}?{mark}=%zz&subscriptions=a&subscriptions=b"), ann.clone(), String::new()),
        ("GET", format!("/api/v1/realtime/events?after={mark}&wait=0"), ann.clone(), String::new()),
        ("GET", format!("/api/v1/realtime/events?wait={mark}"), ann.clone(), String::new()),
        ("GET", format!("/api/v1/realtime/events?limit={mark}"), ann.clone(), String::new()),
        ("GET", STREAM.to_owned(), format!("Authorization: Bearer {mark}\r\n"), String::new()),
        ("GET", STREAM.to_owned(), format!("Authorization: {mark} x\r\nCookie: {mark}={mark}\r\n"), String::new()),
        ("GET", STREAM.to_owned(), format!("Origin: https://{mark}.example\r\nHost: {mark}\r\n"), String::new()),
        (
            "OPTIONS",
            STREAM.to_owned(),
            format!(
                "Origin: https://app.example.com\r\nAccess-Control-Request-Method: {mark}\r\nAccess-Control-Request-Headers: {mark}\r\n"
            ),
            String::new(),
        ),
        ("POST", STREAM.to_owned(), ann.clone(), format!("{{\"connectionId\": \"{mark}\", \"action\": \"{mark}\"}}")),
        ("POST", STREAM.to_owned(), format!("{ann}Content-Type: application/{mark}\r\n"), mark.clone()),
        ("POST", "/api/v1/realtime/ticket".to_owned(), format!("X-Forwarded-For: {mark}\r\n"), mark.clone()),
        (MARK, "/".to_owned(), String::new(), String::new()),
    ];
    for (method, target, headers, body) in cases {
        let mut answer = sse::Client::request(&server.url(), method, &target, &headers, &body).await;
        let body = answer.rest().await;
        let all = format!("{}{body}", answer.head);
        assert!(!all.to_lowercase().contains(&MARK.to_lowercase()), "{method} {target}\n{headers}\n{all}");
    }
    server.stop().await;
}
