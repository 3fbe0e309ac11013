//! Attempts that belong to no other test: floods, pages that are left unread, names that are not what they seem, a browser that was talked into another name of ours.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_postgres::error::SqlState;
use tokio_rustls::client::TlsStream;

use crate::{
    documents::{connect, emit, get, insert, keys, next, prepare},
    harness::{
        self, Database, PATIENCE, Role, Server, eventually, sse,
        tls::{self, Identity},
    },
    tls::{frame, text},
};

fn address(server: &Server) -> String {
    server.url().split_once("://").unwrap().1.to_owned()
}

#[tokio::test]
async fn an_address_without_a_token_has_its_share_of_connections() {
    let db = Database::new().await;
    prepare(&db).await;
    // Nobody is a proxy here, so that we count.
    let settings = [("ROWCAST_TRUSTED_PROXIES", ""), ("ROWCAST_MAX_CONNECTIONS_PER_ADDRESS", "4")];
    let server = Server::start_with(&db, &settings).await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(address(&server)).await.unwrap();
        let request = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = [0; 12];
        timeout(PATIENCE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        silent.push(stream);
    }
    let mut one_more = TcpStream::connect(address(&server)).await.unwrap();
    let read = timeout(PATIENCE, one_more.read(&mut [0; 1])).await.expect("it is let in");
    assert!(!matches!(read, Ok(1..)), "it is answered");
    silent.pop();
    let metrics = eventually("somebody to have left", async || {
        let answer = sse::Client::try_request(&server.url(), "GET", "/metrics", "Connection: close\r\n", "").await;
        Some(answer.ok()?.rest().await)
    });
    assert!(metrics.await.contains("rowcast_refusals_total{reason=\"open_connections_per_address\"}"));
    drop(silent);
    server.stop().await;
}

#[tokio::test]
async fn pages_that_are_left_unread_are_not_copied_for_each() {
    const READERS: usize = 400;
    // In memory, without what the kernel holds. A copy of the script would be a quarter of a megabyte.
    const EACH: u64 = 64 * 1024;
    let db = Database::new().await;
    let server = Server::start(&db).await;
    let (_, page) = get(&server, "/", None).await;
    let script =
        page.split("src=\"/").nth(1).and_then(|rest| rest.split('"').next()).expect("the dashboard is not built");
    let before = server.resident_bytes().unwrap();
    let mut readers = Vec::new();
    for _ in 0..READERS {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 * 1024).unwrap();
        let mut stream = socket.connect(address(&server).parse().unwrap()).await.unwrap();
        stream.write_all(format!("GET /{script} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
        // Its first byte has come: the whole of it has been put together.
        timeout(PATIENCE, stream.read_exact(&mut [0; 1])).await.unwrap().unwrap();
        readers.push(stream);
    }
    let each = server.resident_bytes().unwrap().saturating_sub(before) / READERS as u64;
    assert!(each < EACH, "each costs {each} bytes");
    drop(readers);
    server.stop().await;
}

/// A request for the dashboard, as HTTP/2 has it.
fn head() -> Vec<u8> {
    [&[0x82, 0x87, 0x84, 1][..], &text("127.0.0.1")].concat()
}

async fn opened(server: &Server, identity: &Identity) -> TlsStream<TcpStream> {
    let mut stream = tls::connect(&server.url(), &identity.certificate, &[b"h2"]).await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    stream.write_all(&frame(4, 0, 0, &[])).await.unwrap();
    stream
}

/// Sends as much as is taken of a flood of up to 32 MiB; whether the server has had enough of it, and closed.
async fn flood(mut stream: TlsStream<TcpStream>, mut piece: impl FnMut(u32) -> Vec<u8>) -> bool {
    let mut sent = 0;
    for n in 0.. {
        let piece = piece(n);
        sent += piece.len();
        match timeout(Duration::from_secs(2), stream.write_all(&piece)).await {
            // It takes no more, since we do not read what it answers.
            Err(_) => return false,
            Ok(Err(_)) => return true,
            Ok(Ok(())) if sent > 32 << 20 => break,
            Ok(Ok(())) => {}
        }
    }
    timeout(Duration::from_secs(2), stream.read_to_end(&mut Vec::new())).await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_http_2_cost_their_own_connection_and_delay_nobody() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let identity = Identity::new();
    let server = Server::start_with(&db, &identity.settings()).await;
    let good = tls::connect(&server.url(), &identity.certificate, &[b"http/1.1"]).await.unwrap();
    let headers = format!("Authorization: Bearer {}\r\n", harness::token("ann"));
    let mut ann =
        sse::Client::request_over(good, "127.0.0.1", "GET", "/api/v1/realtime/sse", &headers, "").await.unwrap();
    assert_eq!(ann.next_of("connection_status").await.json()["data"]["status"], "connected");
    let before = server.resident_bytes().unwrap();

    // Requests that are taken back as soon as they were made (CVE-2023-44487).
    let reset = |n: u32| {
        let ids = (100 * n..100 * (n + 1)).map(|n| 2 * n + 1);
        ids.flat_map(|id| [frame(1, 5, id, &head()), frame(3, 0, id, &[0, 0, 0, 8])].concat()).collect()
    };
    assert!(flood(opened(&server, &identity).await, reset).await, "rapid reset is borne for ever");
    insert(&app, 1, "o1").await;
    assert_eq!(keys(&mut ann).await, ["1"]);

    // A head without an end (CVE-2024-27316).
    let endless = |n: u32| match n {
        0 => frame(1, 1, 1, &head()),
        _ => frame(9, 0, 1, &[&[0x40][..], &text("a"), &text(&"x".repeat(8_000))].concat()),
    };
    assert!(flood(opened(&server, &identity).await, endless).await, "a head without an end is borne for ever");
    insert(&app, 2, "o1").await;
    assert_eq!(keys(&mut ann).await, ["2"]);

    // Questions whose answers are never read: they may be left unanswered, but must not pile up.
    for question in [frame(4, 0, 0, &[0, 4, 0, 0, 255, 255]), frame(6, 0, 0, &[0; 8])] {
        let many = question.repeat(1_000);
        flood(opened(&server, &identity).await, |_| many.clone()).await;
    }
    insert(&app, 3, "o1").await;
    assert_eq!(keys(&mut ann).await, ["3"]);
    let grown = server.resident_bytes().unwrap().saturating_sub(before);
    assert!(grown < 16 << 20, "the server has grown by {grown} bytes");
    drop(ann);
    server.stop().await;
}

#[tokio::test]
async fn a_name_of_ours_that_somebody_else_chose_finds_nothing_without_a_token() {
    let db = Database::new().await;
    prepare(&db).await;
    let server = Server::start_with(&db, &[("ROWCAST_TOKEN_COOKIE", "session")]).await;
    // What a browser sends for a page of evil.example whose name leads to us by now: all is of one origin, and our cookie belongs to another name.
    let rebound = "Origin: http://evil.example\r\nSec-Fetch-Site: same-origin\r\nX-Forwarded-Host: evil.example\r\n";
    for (method, path) in [
        ("GET", "/api/v1/realtime/sse"),
        ("GET", "/api/v1/realtime/events"),
        ("GET", "/api/v1/realtime/stats"),
        ("POST", "/api/v1/realtime/ticket"),
    ] {
        let answer = sse::Client::request(&server.url(), method, path, rebound, "").await;
        assert_eq!(answer.status, 401, "{method} {path}");
        assert!(!answer.head.to_lowercase().contains("access-control"), "{}", answer.head);
    }
    // What there is for everybody says nothing of anybody.
    for path in ["/", "/livez", "/readyz", "/metrics"] {
        let mut answer = sse::Client::request(&server.url(), "GET", path, rebound, "").await;
        let body = answer.rest().await;
        for word in ["ann", "o1", harness::SECRET, "postgres"] {
            let is_there = body.split(|letter: char| !letter.is_alphanumeric()).any(|found| found == word);
            assert!(!is_there, "{path} says {word}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn names_that_mean_something_to_programs_are_names_like_others() {
    let db = Database::new().await;
    prepare(&db).await;
    let names = ["__proto__", "constructor", "o1\r\n\r\ndata: x", "</script><b>", "o1\u{2028}", "O1", " o1"];
    let owner = db.connect().await;
    for name in names {
        owner.execute("INSERT INTO rowcast.memberships VALUES ($1, $1, 'admin')", &[&name]).await.unwrap();
    }
    let server = Server::start(&db).await;
    let mut ann = connect(&server, "ann", None).await;
    for name in names {
        let mut stream = connect(&server, name, None).await;
        emit(&db, &format!("'document_processing', $${name}$$, jsonb_build_object('text', $${name}$$)")).await;
        let event = next(&mut stream).await;
        assert_eq!((&event["organizationId"], &event["data"]["text"]), (&json!(name), &json!(name)));
        let (status, body) = get(&server, "/api/v1/realtime/stats", Some(&harness::token(name))).await;
        assert_eq!(status, 200);
        let told: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(told["data"]["connectionsByUser"], json!({name: 1}), "of itself alone");
        assert_eq!(told["data"]["connectionsByOrganization"], json!({name: 1}));
    }
    // None of these was an event of o1.
    emit(&db, "'document_processing', 'o1', jsonb_build_object('text', 'last')").await;
    assert_eq!(next(&mut ann).await["data"]["text"], "last");
    drop(ann);
    server.stop().await;
}

#[tokio::test]
async fn nobody_takes_a_place_of_somebody_whose_name_looks_the_same() {
    let db = Database::new().await;
    prepare(&db).await;
    let owner = db.connect().await;
    let alike = ["Ann", " ann", "ann ", "\u{430}nn", "ann\u{200b}"];
    for name in alike {
        owner.execute("INSERT INTO rowcast.memberships VALUES ($1, 'o1', 'member')", &[&name]).await.unwrap();
    }
    let limits = [("ROWCAST_MAX_CONNECTIONS_PER_USER", "1"), ("ROWCAST_CONNECTS_PER_MINUTE", "1")];
    let server = Server::start_with(&db, &limits).await;
    let mut others = Vec::new();
    for name in alike {
        others.push(connect(&server, name, None).await);
        let again = sse::Client::try_connect(&server.url(), &harness::token(name), None).await;
        assert!(again.is_err_and(|refused| refused.to_string().contains(" 429 ")));
    }
    drop(connect(&server, "ann", None).await);
    drop(others);
    server.stop().await;
}

/// The blocks of this language in `docs/security.md`.
fn checklist(language: &str) -> Vec<String> {
    let document = include_str!("../../docs/security.md");
    let blocks = document.split("   ```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(language)).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_login_can_hold_up_writers_until_the_checklist_is_followed() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let anybody = db.connect_as(Role::App).await;
    anybody.execute("SELECT pg_advisory_lock(1919907683, 1)", &[]).await.unwrap();
    app.batch_execute("SET lock_timeout = '100ms'").await.unwrap();
    let held_up = app.execute("INSERT INTO documents VALUES (1, 'o1', 'x')", &[]).await.unwrap_err();
    assert_eq!(held_up.code(), Some(&SqlState::LOCK_NOT_AVAILABLE));
    drop(anybody);
    app.batch_execute("RESET lock_timeout").await.unwrap();

    let superuser = db.connect_as(Role::Superuser).await;
    let steps = checklist("sql");
    assert_eq!(steps.len(), 3);
    for step in steps {
        superuser.batch_execute(&step.replace("rowcast_owner", Role::Owner.name())).await.unwrap();
    }
    for function in ["pg_advisory_lock", "pg_advisory_xact_lock", "pg_try_advisory_lock", "pg_try_advisory_xact_lock"] {
        let refused = app.execute(&format!("SELECT {function}(1919907683, 1)"), &[]).await.unwrap_err();
        assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{function}");
    }
    // And all goes on as before.
    let server = Server::start(&db).await;
    let mut ann = connect(&server, "ann", None).await;
    insert(&app, 1, "o1").await;
    assert_eq!(keys(&mut ann).await, ["1"]);
    emit(&db, "'document_processing', 'o1', jsonb_build_object('text', 'emitted')").await;
    assert_eq!(next(&mut ann).await["data"]["text"], "emitted");
    let owner = db.connect().await;
    owner.batch_execute("INSERT INTO rowcast.memberships VALUES ('eve', 'o1', 'member')").await.unwrap();
    db.connect_as(Role::Server)
        .await
        .batch_execute("SELECT rowcast.maintain(); SELECT rowcast.disconnect('ann')")
        .await
        .unwrap();
    let closing = async { while ann.next_event().await.is_some() {} };
    timeout(PATIENCE, closing).await.expect("the stream of who was disconnected goes on");
    server.stop().await;
}

/// An owner of an attached table may write rows of the outbox by hand, with any id. What the sequence has not given out is not looked at.
#[tokio::test]
async fn ids_that_were_made_up_are_nobodys_and_stop_nothing() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let mut server = Server::start(&db).await;
    let mut client = connect(&server, "ann", None).await;
    let forged = "INSERT INTO rowcast.outbox (id, event_type, audience, organization_id, operation, data)
                  VALUES ($1, 'document_processing', 'organization', 'o1', 'EMIT', '{}')";
    let writer = db.connect_as(Role::Writer).await;
    for id in [i64::MAX - 1, i64::MAX / 2 + 7] {
        writer.execute(forged, &[&id]).await.unwrap();
    }
    insert(&app, 1, "o1").await;
    let first = next(&mut client).await;
    assert_eq!(first["key"], "1");
    let cursor: String = db.connect().await.query_one("SELECT rowcast.current_cursor()", &[]).await.unwrap().get(0);
    assert_eq!(cursor, first["id"].as_str().unwrap());
    // Nor is it taken for a restore.
    server.terminate().await;
    server.restart().await;
    insert(&app, 2, "o1").await;
    let mut again = connect(&server, "ann", Some(&cursor)).await;
    assert_eq!(next(&mut again).await["key"], "2");
    server.stop().await;
}
