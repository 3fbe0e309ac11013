//! Clients behind a proxy, and clients that pretend to be.

use crate::harness::{Database, Server, sse};

/// The end of what is said of somebody who is not believed.
const NOT_BELIEVED: &str = "name it in --trusted-proxies or ROWCAST_TRUSTED_PROXIES (this is said once)";

async fn ask(server: &Server, forwarded: &str) -> u16 {
    let headers = format!("X-Forwarded-For: {forwarded}\r\n");
    sse::Client::request(&server.url(), "GET", "/livez", &headers, "").await.status
}

#[tokio::test]
async fn two_clients_behind_one_proxy_are_two() {
    let db = Database::new().await;
    let server = Server::start(&db).await;
    for (forwarded, client) in [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.8", "192.0.2.8"),
        ("192.0.2.7, 198.51.100.9", "198.51.100.9"),
        ("[2001:db8::7]:4711, 127.0.0.9", "2001:db8::7"),
        ("192.0.2.9, nonsense", "127.0.0.1"),
    ] {
        assert_eq!(ask(&server, forwarded).await, 200);
        let log = server.log();
        let answered = log.lines().rfind(|line| line.contains("/livez") && line.contains("answered")).unwrap();
        assert!(answered.contains(&format!("client={client}")), "{forwarded}: {answered}");
    }
    assert!(!server.log().contains(NOT_BELIEVED));
    server.stop().await;
}

#[tokio::test]
async fn who_is_no_trusted_proxy_is_not_believed_and_that_is_said_once() {
    let db = Database::new().await;
    let server = Server::start_with(&db, &[("ROWCAST_TRUSTED_PROXIES", "10.0.0.0/8")]).await;
    for forwarded in ["192.0.2.7", "192.0.2.8, 10.0.0.1"] {
        assert_eq!(ask(&server, forwarded).await, 200);
    }
    let log = server.log();
    assert_eq!(log.matches(NOT_BELIEVED).count(), 1, "{log}");
    let answered: Vec<_> = log.lines().filter(|line| line.contains("/livez") && line.contains("answered")).collect();
    assert!(answered.len() >= 2 && answered.iter().all(|line| line.contains("client=127.0.0.1")), "{answered:?}");
    server.stop().await;
}
