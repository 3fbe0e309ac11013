//! A token in a cookie that scripts cannot read: where it is switched on, and from whose pages.

use crate::{
    harness::{Database, Server, sse, token},
    tokens::{EVENTS, request, with_ann},
};

const COOKIE: &str = "__Host-session";
const TICKET: &str = "/api/v1/realtime/ticket";

async fn server(db: &Database) -> Server {
    let origins = "https://app.example,https://admin.example:8443";
    Server::start_with(db, &[("ROWCAST_TOKEN_COOKIE", COOKIE), ("ROWCAST_ALLOWED_ORIGINS", origins)]).await
}

#[tokio::test]
async fn the_browser_must_say_that_the_page_is_ours() {
    let db = with_ann().await;
    let server = server(&db).await;
    let token = token("ann");
    for (method, target) in [("GET", EVENTS), ("POST", TICKET)] {
        for from in [
            "Sec-Fetch-Site: same-origin",
            "Origin: https://app.example",
            "Origin: https://admin.example:8443\r\nSec-Fetch-Site: cross-site",
        ] {
            let answer = request(&server, method, target, &format!("Cookie: {COOKIE}={token}\r\n{from}\r\n")).await;
            assert_eq!(answer.status, 200, "{from}: {}", answer.body);
        }
        for from in [
            "Sec-Fetch-Site: cross-site",
            "Sec-Fetch-Site: same-site",
            "Sec-Fetch-Site: none",
            "Origin: https://evil.example\r\nSec-Fetch-Site: cross-site",
            "Origin: https://app.example.evil.example",
            "Origin: http://app.example",
            "Origin: null",
            "Referer: https://app.example/",
            "X-From: nowhere",
        ] {
            let headers = format!("Cookie: {COOKIE}={token}\r\n{from}\r\n");
            request(&server, method, target, &headers).await.is_refusal(403, "origin_not_allowed", &[&token, "evil"]);
        }
    }
    // A page of somebody else's cannot use up the streams of whoever looks at it.
    let foreign = format!("Cookie: {COOKIE}={token}\r\nSec-Fetch-Site: cross-site\r\n");
    let stream = request(&server, "GET", "/api/v1/realtime/sse", &foreign).await;
    stream.is_refusal(403, "origin_not_allowed", &[&token]);
    let ours = format!("Cookie: a=b; {COOKIE}={token}; c=d\r\nSec-Fetch-Site: same-origin\r\n");
    let mut stream = sse::Client::request(&server.url(), "GET", "/api/v1/realtime/sse", &ours, "").await;
    assert_eq!(stream.next_event().await.unwrap().json()["data"]["status"], "connected");
    drop(stream);
    server.stop().await;
}

#[tokio::test]
async fn a_cookie_proves_no_more_than_its_token() {
    let db = with_ann().await;
    let server = server(&db).await;
    let (token, ours) = (token("ann"), "Sec-Fetch-Site: same-origin\r\n");
    for (cookie, code) in [
        (format!("{COOKIE}={token}x"), "invalid_token"),
        (format!("{COOKIE}="), "invalid_token"),
        (format!("{COOKIE}={token}; {COOKIE}={token}"), "invalid_token"),
        (format!("session={token}"), "token_required"),
        (format!("__host-session={token}"), "token_required"),
    ] {
        let answer = request(&server, "GET", EVENTS, &format!("Cookie: {cookie}\r\n{ours}")).await;
        answer.is_refusal(401, code, &[&token]);
    }
    // The header wins, and is not made up for.
    let both = format!("Authorization: Bearer nonsense\r\nCookie: {COOKIE}={token}\r\n{ours}");
    request(&server, "GET", EVENTS, &both).await.is_refusal(401, "invalid_token", &[&token, "nonsense"]);
    // That of a proxy with a password says nothing of ours.
    let basic = format!("Authorization: Basic YW5uOnNlY3JldA==\r\nCookie: {COOKIE}={token}\r\n{ours}");
    assert_eq!(request(&server, "GET", EVENTS, &basic).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn cookies_and_tokens_in_urls_are_off_by_default() {
    let db = with_ann().await;
    let server = Server::start(&db).await;
    let token = token("ann");
    let cookie = format!("Cookie: {COOKIE}={token}; token={token}\r\nSec-Fetch-Site: same-origin\r\n");
    request(&server, "GET", EVENTS, &cookie).await.is_refusal(401, "token_required", &[&token]);
    let target = format!("{EVENTS}?access_token={token}");
    let refused = request(&server, "GET", &target, "").await;
    refused.is_refusal(401, "url_tokens_off", &[&token]);
    assert!(refused.body.contains("ask for a ticket"), "{}", refused.body);
    // The header wins.
    assert_eq!(request(&server, "GET", &target, &format!("Authorization: Bearer {token}\r\n")).await.status, 200);
    server.stop().await;

    let server = Server::start_with(&db, &[("ROWCAST_URL_TOKENS", "true")]).await;
    assert_eq!(request(&server, "GET", &target, "").await.status, 200);
    request(&server, "GET", &format!("{target}x"), "").await.is_refusal(401, "invalid_token", &[&token]);
    // It is for reading. Nothing else takes a token from there.
    let ticket = request(&server, "POST", &format!("{TICKET}?access_token={token}"), "").await;
    ticket.is_refusal(401, "token_required", &[&token]);
    server.stop().await;
}
