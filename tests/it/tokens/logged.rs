//! What nobody may find in a log, even where everything is logged that there is.

use jsonwebtoken::Algorithm;
use serde_json::Value;

use super::{EVENTS, of, request, with_ann};
use crate::harness::{Issuer, Server, signer::Signer, sse};

#[tokio::test]
async fn nothing_that_proves_anything_is_ever_logged() {
    const COOKIE: &str = "session_of_app";
    let db = with_ann().await;
    let signer = Signer::new(Algorithm::ES256);
    let issuer = Issuer::start(&[signer.named("one")]).await;
    let [secret, url] = of(&issuer);
    let url = (url.0, &*format!("{}?key=of-the-issuer", url.1));
    let settings =
        [secret, url, ("ROWCAST_LOG", "trace"), ("ROWCAST_URL_TOKENS", "true"), ("ROWCAST_TOKEN_COOKIE", COOKIE)];
    let server = Server::start_with(&db, &settings).await;
    let tokens: Vec<String> = (0..6).map(|_| signer.token("one", "ann")).collect();
    let header = format!("Authorization: Bearer {}\r\n", tokens[0]);
    let bad = format!("{}x", tokens[5]);

    assert_eq!(request(&server, "GET", EVENTS, &header).await.status, 200);
    let in_url = format!("{EVENTS}?access_token={}", tokens[1]);
    assert_eq!(request(&server, "GET", &in_url, "").await.status, 200);
    let cookie = format!("Cookie: {COOKIE}={}\r\nSec-Fetch-Site: same-origin\r\n", tokens[2]);
    assert_eq!(request(&server, "GET", EVENTS, &cookie).await.status, 200);
    let foreign = format!("Cookie: {COOKIE}={}\r\n", tokens[3]);
    assert_eq!(request(&server, "GET", EVENTS, &foreign).await.status, 403);
    assert_eq!(request(&server, "GET", EVENTS, &format!("Authorization: Bearer {bad}\r\n")).await.status, 401);
    let twice = format!("{EVENTS}?access_token={0}&access_token={0}", tokens[4]);
    assert_eq!(request(&server, "GET", &twice, "").await.status, 400);
    let answer: Value = request(&server, "POST", "/api/v1/realtime/ticket", &header).await.json();
    let ticket = answer["ticket"].as_str().unwrap();
    let target = format!("/api/v1/realtime/sse?ticket={ticket}");
    let mut stream = sse::Client::request(&server.url(), "GET", &target, "", "").await;
    assert_eq!((stream.status, &*stream.next_event().await.unwrap().event), (200, "connection_status"));
    assert_eq!(request(&server, "GET", &target, "").await.status, 401);
    drop(stream);

    // The database on a trace level of its own would tell what it is given; what a ticket is stored as is of no use to anybody.
    let log = server.log();
    assert!(log.contains("TRACE") && log.contains(EVENTS), "everything is logged\n{log}");
    let mut secrets = vec![ticket, "of-the-issuer"];
    secrets.extend(tokens.iter().chain([&bad]).flat_map(|token| token.split('.').skip(1)));
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{secret} is in {line:?}");
    }
    server.stop().await;
}
