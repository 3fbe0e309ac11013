//! Clients behind a proxy, and clients that pretend to be.

use crate::harness::{Database, Server, eventually, sse};

/// The end of what is said of somebody who is not believed.
const NOT_BELIEVED: &str = "name it in --trusted-proxies or ROWCAST_TRUSTED_PROXIES (this is said once)";

/// Asks for something, and looks into the log for who is thought to have asked: once it is said of that many requests, the last of them.
async fn client(server: &Server, forwarded: &str, requests: usize) -> String {
    let headers = format!("X-Forwarded-For: {forwarded}\r\n");
    assert_eq!(sse::Client::request(&server.url(), "GET", "/livez", &headers, "").await.status, 200);
    eventually("the request to be logged", async || {
        let log = server.log();
        let said: Vec<_> = log.lines().filter(|line| line.contains("/livez") && line.contains("answered")).collect();
        let client = said.get(requests - 1)?.split_once("client=")?.1;
        Some(client.split([' ', '}']).next()?.to_owned())
    })
    .await
}

#[tokio::test]
async fn two_clients_behind_one_proxy_are_two() {
    let db = Database::new().await;
    let server = Server::start(&db).await;
    let cases = [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.8", "192.0.2.8"),
        ("192.0.2.7, 198.51.100.9", "198.51.100.9"),
        ("[2001:db8::7]:4711, 127.0.0.9", "2001:db8::7"),
        ("192.0.2.9, nonsense", "127.0.0.1"),
    ];
    for (n, (forwarded, expected)) in cases.into_iter().enumerate() {
        assert_eq!(client(&server, forwarded, n + 1).await, expected, "{forwarded}");
    }
    assert!(!server.log().contains(NOT_BELIEVED));
    server.stop().await;
}

#[tokio::test]
async fn who_is_no_trusted_proxy_is_not_believed_and_that_is_said_once() {
    let db = Database::new().await;
    let server = Server::start_with(&db, &[("ROWCAST_TRUSTED_PROXIES", "10.0.0.0/8")]).await;
    for (n, forwarded) in ["192.0.2.7", "192.0.2.8, 10.0.0.1"].into_iter().enumerate() {
        assert_eq!(client(&server, forwarded, n + 1).await, "127.0.0.1");
    }
    // It is said before the answer to the first.
    assert_eq!(server.log().matches(NOT_BELIEVED).count(), 1, "{}", server.log());
    server.stop().await;
}
