//! How many streams and polls there may be: refused with 429 or 503, a time to come back at, and a count.

use std::pin::Pin;

use super::{asking, open, post, refusal};
use crate::{
    documents,
    harness::{Database, Server, eventually, sse, token},
};

/// What was opened, or status, code and `Retry-After` of the refusal.
type Answer = Result<sse::Client, (u16, String, u64)>;

/// Status, code and `Retry-After` of a refused stream, or none when it was opened.
async fn try_open(server: &Server, user: &str) -> Answer {
    try_get(server, user, super::PATH).await
}

async fn try_get(server: &Server, user: &str, target: &str) -> Answer {
    let headers = format!("Authorization: Bearer {}\r\n", token(user));
    let mut answer = sse::Client::request(&server.url(), "GET", target, &headers, "").await;
    if answer.status == 200 {
        return Ok(answer);
    }
    let retry_after = answer.header("retry-after").expect("no Retry-After").parse().unwrap();
    let answer = (answer.status, serde_json::from_str(&answer.rest().await).unwrap());
    let (status, code) = refusal(&answer);
    Err((status, code.to_owned(), retry_after))
}

fn refused(answer: Answer) -> (u16, String) {
    let (status, code, retry_after) = answer.err().expect("it was not refused");
    assert!((1..=60).contains(&retry_after), "{retry_after}");
    (status, code)
}

/// A poll that waits, and how somebody else is refused because it does.
async fn until_it_waits<P: Future<Output = Answer>>(
    poll: impl Fn() -> P,
    other: impl AsyncFn() -> Answer,
) -> (Pin<Box<P>>, (u16, String, u64)) {
    let mut waiting = Box::pin(poll());
    let refusal = eventually("the poll to wait", async || {
        tokio::select! {
            // The other one may have come first, and taken the place.
            answer = &mut waiting => {
                assert!(answer.is_err(), "there is nothing to answer");
                waiting = Box::pin(poll());
                None
            }
            answer = other() => answer.err(),
        }
    })
    .await;
    (waiting, refusal)
}

async fn count(server: &Server, reason: &str) -> u64 {
    let (_, text) = documents::get(server, "/metrics", None).await;
    let line = format!("rowcast_refusals_total{{reason=\"{reason}\"}} ");
    text.lines().find_map(|found| found.strip_prefix(&line)).map_or(0, |count| count.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_has_so_many_streams_on_all_servers_together() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let limit = [("ROWCAST_MAX_CONNECTIONS_PER_USER", "3")];
    let servers = [Server::start_with(&db, &limit).await, Server::start_with(&db, &limit).await];
    let mut streams = [
        open(&servers[0], "ann", "").await.0,
        open(&servers[1], "ann", "").await.0,
        open(&servers[1], "ann", "").await.0,
    ];
    for server in &servers {
        assert_eq!(refused(try_open(server, "ann").await), (429, "too_many_connections".to_owned()));
        assert_eq!(count(server, "max_connections_per_user").await, 1);
    }
    let _of_another = open(&servers[0], "ben", "").await;
    // Whoever closes one may open another at once, here or there.
    let [_, kept, closed] = &mut streams;
    let _ = std::mem::replace(closed, sse::Client::request(&servers[1].url(), "GET", "/livez", "", "").await);
    let again = eventually("the place to be free", async || try_open(&servers[0], "ann").await.ok()).await;
    assert!(try_open(&servers[1], "ann").await.is_err());
    drop(again);
    assert!(!documents::emit(&db, "'document_processing', 'o1', '{}'").await.is_empty());
    assert_eq!(kept.next_of("document_processing").await.json()["type"], "document_processing");
    for server in servers {
        server.stop().await;
    }
}

/// All at once, on two servers: no more get in than there is room for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_opens_streams_at_once_everywhere_gets_no_more_of_them() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let limit = [("ROWCAST_MAX_CONNECTIONS_PER_USER", "5")];
    let servers = [Server::start_with(&db, &limit).await, Server::start_with(&db, &limit).await];
    let attempts = (0..40).map(|n| try_open(&servers[n % 2], if n % 4 < 2 { "ann" } else { "ben" }));
    let opened: Vec<_> = futures_util::future::join_all(attempts).await.into_iter().flatten().collect();
    assert_eq!(opened.len(), 10, "five for each of the two");
    drop(opened);
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_opens_so_many_streams_in_a_minute_on_all_servers_together() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let limit = [("ROWCAST_CONNECTS_PER_MINUTE", "6")];
    let servers = [Server::start_with(&db, &limit).await, Server::start_with(&db, &limit).await];
    for n in 0..6 {
        drop(open(&servers[n % 2], "ann", "").await);
    }
    let (status, code, retry_after) = try_open(&servers[0], "ann").await.err().expect("it was not refused");
    assert_eq!((status, code.as_str()), (429, "too_many_requests"));
    assert!((1..=10).contains(&retry_after), "a sixth of a minute, less what has passed: {retry_after}");
    assert_eq!(count(&servers[0], "rate").await, 1);
    drop(open(&servers[1], "ben", "").await);
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_takes_so_many_in_all_and_from_one_address() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    for (setting, expected, reason) in [
        ("ROWCAST_MAX_CONNECTIONS", (503, "server_full"), "max_connections"),
        (
            "ROWCAST_MAX_CONNECTIONS_PER_ADDRESS",
            (429, "too_many_connections_from_address"),
            "max_connections_per_address",
        ),
    ] {
        let server = Server::start_with(&db, &[(setting, "2")]).await;
        let first = open(&server, "ann", "").await;
        let cursor = documents::emit(&db, "'document_processing', 'o1', '{}'").await;
        // A poll that waits takes a place too.
        let target = format!("/api/v1/realtime/events?after={cursor}&wait=20");
        let poll = || try_get(&server, "ben", &target);
        let (polling, _) = until_it_waits(poll, async || try_open(&server, "ben").await).await;
        let (status, code) = refused(try_open(&server, "ben").await);
        assert_eq!((status, code.as_str()), expected);
        assert!(count(&server, reason).await >= 2);
        documents::emit(&db, "'document_processing', 'o1', '{}'").await;
        drop(polling.await.unwrap());
        drop(open(&server, "ben", "").await);
        drop(first);
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_has_so_many_polls_that_wait() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let server = Server::start_with(&db, &[("ROWCAST_MAX_CONNECTIONS_PER_USER", "1")]).await;
    let cursor = documents::emit(&db, "'document_processing', 'o1', '{}'").await;
    let target = format!("/api/v1/realtime/events?after={cursor}&wait=20");
    let short = format!("/api/v1/realtime/events?after={cursor}&wait=0");
    let poll = || try_get(&server, "ann", &target);
    let (polling, second) = until_it_waits(poll, async || try_get(&server, "ann", &short).await).await;
    assert_eq!((second.0, second.1.as_str()), (429, "too_many_connections"));
    assert!(try_get(&server, "ben", &short).await.is_ok());
    documents::emit(&db, "'document_processing', 'o1', '{}'").await;
    drop(polling.await.unwrap());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_asks_so_much_of_streams_in_a_minute() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let limit = [("ROWCAST_COMMANDS_PER_MINUTE", "4")];
    let servers = [Server::start_with(&db, &limit).await, Server::start_with(&db, &limit).await];
    let (_client, id) = open(&servers[0], "ann", "").await;
    let ask = asking(&id, "subscribe", &["document_processing"]);
    for n in 0..4 {
        assert_eq!(post(&servers[n % 2], "ann", &ask).await.0, 200);
    }
    assert_eq!(refusal(&post(&servers[1], "ann", &ask).await), (429, "too_many_requests"));
    for server in servers {
        server.stop().await;
    }
}
