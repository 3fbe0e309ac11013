//! The issuer's keys: they change, they cannot be had, and somebody asks for keys that there are none of.

use std::time::Duration;

use jsonwebtoken::{Algorithm, Header};
use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinSet};

use super::{EVENTS, ask, of, request, with_ann};
use crate::harness::{
    Issuer, Says, Server, eventually, free_port,
    signer::{Signer, in_seconds},
};

/// A figure of the server's.
async fn figure(server: &Server, name: &str) -> u64 {
    let metrics = request(server, "GET", "/metrics", "").await.body;
    let line = metrics.lines().find(|line| line.starts_with(&format!("{name} "))).expect("no such figure");
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn every_kind_of_key_that_issuers_have() {
    let db = with_ann().await;
    let algorithms =
        [Algorithm::RS256, Algorithm::RS512, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA];
    let signers = algorithms.map(Signer::new);
    let keys: Vec<_> = signers.iter().map(|signer| signer.named(&format!("{:?}", signer.algorithm))).collect();
    let issuer = Issuer::start(&keys).await;
    let server = Server::start_with(&db, &of(&issuer)).await;
    for signer in &signers {
        let answer = ask(&server, &signer.token(&format!("{:?}", signer.algorithm), "ann")).await;
        assert_eq!(answer.status, 200, "{:?}: {}", signer.algorithm, answer.body);
    }
    // Without a name it can be the only key of its kind.
    let nameless = signers[3].sign(&Header::new(Algorithm::ES256), &json!({"sub": "ann", "exp": in_seconds(60)}));
    assert_eq!(ask(&server, &nameless).await.status, 200);
    assert_eq!(issuer.asked(), 1, "all of it with the keys of the start");
    server.stop().await;
}

#[tokio::test]
async fn keys_come_over_tls_from_whom_the_system_trusts() {
    let db = with_ann().await;
    let signer = Signer::new(Algorithm::ES256);
    let issuer = Issuer::start_with_tls(&[signer.named("one")]).await;
    let file = std::env::temp_dir().join(format!("rowcast-ca-{:016x}.pem", fastrand::u64(..)));
    std::fs::write(&file, issuer.certificate.as_ref().unwrap()).unwrap();
    let [secret, url] = of(&issuer);
    let trusting = Server::start_with(&db, &[secret, url, ("SSL_CERT_FILE", file.to_str().unwrap())]).await;
    assert_eq!(ask(&trusting, &signer.token("one", "ann")).await.status, 200);
    trusting.stop().await;
    std::fs::remove_file(&file).unwrap();

    let wary = Server::start_unready(&db, &of(&issuer)).await;
    ask(&wary, &signer.token("one", "ann")).await.is_refusal(503, "not_ready", &[]);
    assert!(wary.log().contains("certificate"), "{}", wary.log());
    wary.stop().await;
}

#[tokio::test]
async fn keys_that_change_are_known_with_the_first_token() {
    let db = with_ann().await;
    let [old, new] = [Signer::new(Algorithm::ES256), Signer::new(Algorithm::RS256)];
    let issuer = Issuer::start(&[old.named("old")]).await;
    let server = Server::start_with(&db, &of(&issuer)).await;
    assert_eq!(ask(&server, &old.token("old", "ann")).await.status, 200);
    // Both for a while, as issuers do it; then the old one is gone.
    issuer.publish(&[old.named("old"), new.named("new")]);
    assert_eq!(ask(&server, &new.token("new", "ann")).await.status, 200);
    assert_eq!(ask(&server, &old.token("old", "ann")).await.status, 200);
    assert_eq!(issuer.asked(), 2);
    issuer.publish(&[new.named("newer")]);
    assert_eq!(ask(&server, &new.token("newer", "ann")).await.status, 200);
    for gone in [old.token("old", "ann"), new.token("new", "ann")] {
        ask(&server, &gone).await.is_refusal(401, "invalid_token", &[&gone]);
    }
    assert_eq!(figure(&server, "rowcast_jwks_failures_total").await, 0);
    server.stop().await;
}

#[tokio::test]
async fn keys_stay_while_the_issuer_is_away() {
    let db = with_ann().await;
    let signer = Signer::new(Algorithm::EdDSA);
    let issuer = Issuer::start(&[signer.named("one")]).await;
    let server = Server::start_with(&db, &of(&issuer)).await;
    for away in [Says::Goodbye, Says::status("500 Internal Server Error"), Says::json("{\"keys\": []}")] {
        issuer.say(away);
        let unknown = signer.token("two", "ann");
        ask(&server, &unknown).await.is_refusal(401, "invalid_token", &[&unknown]);
        assert_eq!(ask(&server, &signer.token("one", "ann")).await.status, 200);
    }
    assert!(server.is_ready().await);
    assert_eq!(figure(&server, "rowcast_jwks_failures_total").await, 3);
    assert_eq!(figure(&server, "rowcast_jwks_fetches_total").await, 4);
    let told = server.log().matches("those that are known stay").count();
    assert_eq!(told, 1, "told once, when it begins\n{}", server.log());
    issuer.publish(&[signer.named("two")]);
    assert_eq!(ask(&server, &signer.token("two", "ann")).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_server_without_keys_is_not_ready_and_refuses_nobody() {
    let db = with_ann().await;
    let signer = Signer::new(Algorithm::EdDSA);
    let issuer = Issuer::start(&[]).await;
    let elsewhere = Issuer::start(&[signer.named("one")]).await;
    let server = Server::start_unready(&db, &of(&issuer)).await;
    let token = signer.token("one", "ann");
    let redirected = format!("302 Found\r\nLocation: {}", elsewhere.url());
    let large = format!("{{\"keys\": [{}], \"filling\": \"{}\"}}", signer.named("one"), "x".repeat(300 * 1024));
    for says in [Says::status(&redirected), Says::json(&large), Says::Endless, Says::json("<html>"), Says::Nothing] {
        issuer.say(says.clone());
        let before = issuer.asked();
        let answer = ask(&server, &token).await;
        answer.is_refusal(503, "not_ready", &[&token]);
        assert!(answer.head.to_ascii_lowercase().contains("retry-after: "), "{}", answer.head);
        assert_eq!(issuer.asked(), before + 1, "{says:?}");
        assert!(!server.is_ready().await);
    }
    assert_eq!(elsewhere.asked(), 0, "a redirect is followed");
    // To EventSource all but 200 is final.
    let stream = request(&server, "GET", "/api/v1/realtime/sse", &format!("Authorization: Bearer {token}\r\n")).await;
    assert!(stream.status == 200 && stream.body.contains(r#""reason":"unavailable""#), "{}", stream.body);
    // Nothing but time makes it look again by now.
    issuer.publish(&[signer.named("one")]);
    eventually("the keys to be fetched", async || server.is_ready().await.then_some(())).await;
    assert_eq!(ask(&server, &token).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn an_issuer_that_does_not_exist_keeps_no_server_from_starting() {
    let db = with_ann().await;
    let url = format!("http://127.0.0.1:{}/jwks.json?key=hunter2", free_port());
    let server = Server::start_unready(&db, &[("ROWCAST_JWT_SECRET", ""), ("ROWCAST_JWKS_URL", &url)]).await;
    let token = Signer::new(Algorithm::ES256).token("one", "ann");
    ask(&server, &token).await.is_refusal(503, "not_ready", &[&token]);
    let log = server.log();
    assert!(log.contains("no token can be checked until") && log.contains("refused"), "{log}");
    assert!(!log.contains("hunter2"), "the address is not for the log\n{log}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_unknown_keys_is_a_handful_of_requests_to_the_issuer_and_delays_nobody() {
    const FLOOD: usize = 300;
    let db = with_ann().await;
    let signer = Signer::new(Algorithm::ES256);
    let issuer = Issuer::start(&[signer.named("one")]).await;
    let server = Server::start_with(&db, &of(&issuer)).await;
    issuer.say(Says::keys(&[signer.named("one")]).after(Duration::from_millis(200)));
    let begun = std::time::Instant::now();
    let mut flood = JoinSet::new();
    for n in 0..FLOOD {
        let (url, token) = (server.url(), signer.token(&format!("made up {n}"), "ann"));
        flood.spawn(async move {
            let headers = format!("Authorization: Bearer {token}\r\n");
            crate::harness::sse::Client::request(&url, "GET", EVENTS, &headers, "").await.status
        });
    }
    assert_eq!(ask(&server, &signer.token("one", "ann")).await.status, 200, "in the middle of it");
    assert_eq!(flood.join_all().await, [401; FLOOD]);
    // Five at once, and one more every ten seconds, after that of the start.
    let most = 1 + 5 + usize::try_from(begun.elapsed().as_secs() / 10).unwrap();
    assert!((2..=most).contains(&issuer.asked()), "{} requests", issuer.asked());
    server.stop().await;
}

#[tokio::test]
async fn who_goes_away_does_not_take_the_request_for_keys_along() {
    let db = with_ann().await;
    let [old, new] = [Signer::new(Algorithm::ES256), Signer::new(Algorithm::ES256)];
    let issuer = Issuer::start(&[old.named("old")]).await;
    let server = Server::start_with(&db, &of(&issuer)).await;
    issuer.say(Says::keys(&[new.named("new")]).after(Duration::from_millis(500)));
    let token = new.token("new", "ann");
    let mut impatient = TcpStream::connect(server.url().strip_prefix("http://").unwrap()).await.unwrap();
    let request = format!("GET {EVENTS} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n");
    impatient.write_all(request.as_bytes()).await.unwrap();
    eventually("the issuer to be asked", async || (issuer.asked() == 2).then_some(())).await;
    drop(impatient);
    assert_eq!(ask(&server, &token).await.status, 200);
    assert_eq!(issuer.asked(), 2, "the same request was good for the next one");
    server.stop().await;
}
