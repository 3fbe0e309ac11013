//! Long-polls: the same events, cursor and rules as the stream, one answer at a time.

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

use rowcast::cursor::Cursor;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use tokio_postgres::Client;

use crate::{
    documents::{connect, emit, get, insert, keys, prepare},
    harness::{self, Database, PATIENCE, Role, Server, eventually, sse},
};

const PATH: &str = "/api/v1/realtime/events";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    events: Vec<Box<RawValue>>,
    cursor: String,
    reset: Option<String>,
}

impl Answer {
    fn keys(&self) -> Vec<String> {
        self.events.iter().map(|event| parse(event)["key"].as_str().unwrap().to_owned()).collect()
    }
}

fn parse(event: &RawValue) -> Value {
    serde_json::from_str(event.get()).unwrap()
}

/// Polls as this user, which must succeed.
async fn poll(server: &Server, user: &str, query: &str) -> Answer {
    poll_at(&server.url(), &harness::token(user), query).await.unwrap()
}

async fn poll_at(url: &str, token: &str, query: &str) -> io::Result<Answer> {
    let headers = format!("Authorization: Bearer {token}\r\n");
    let mut response = sse::Client::try_request(url, "GET", &format!("{PATH}?{query}"), &headers, "").await?;
    let (status, body) = (response.status, response.rest().await);
    assert_eq!(status, 200, "{body}");
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    Ok(serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}")))
}

/// Waits until the server holds an unanswered poll of ours: nothing else tells.
async fn is_waiting<T>(poll: &tokio::task::JoinHandle<T>) {
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!poll.is_finished(), "it was answered before there was anything to say");
}

#[tokio::test]
async fn the_first_answer_says_where_to_begin() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let server = Server::start(&db).await;
    insert(&app, 1, "o1").await;
    let mut ann = connect(&server, "ann", Some("0")).await;
    assert_eq!(keys(&mut ann).await, ["1"]);
    let started = Instant::now();
    let first = poll(&server, "ann", "").await;
    assert_eq!((first.events.len(), &*first.cursor, first.reset), (0, "1", None));
    assert!(started.elapsed() < Duration::from_secs(20), "it does not wait");
    insert(&app, 2, "o1").await;
    let second = poll(&server, "ann", "after=1").await;
    assert_eq!((second.keys(), &*second.cursor), (vec!["2".to_owned()], "2"));
    server.stop().await;
}

#[tokio::test]
async fn a_poll_waits_for_the_first_event_and_no_longer() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let server = Server::start(&db).await;
    let (url, token) = (server.url(), harness::token("ann"));
    let waiting = tokio::spawn(async move { poll_at(&url, &token, "after=0&wait=60").await.unwrap() });
    is_waiting(&waiting).await;
    insert(&app, 1, "o2").await;
    is_waiting(&waiting).await;
    insert(&app, 2, "o1").await;
    let answer = tokio::time::timeout(PATIENCE, waiting).await.expect("it waits on").unwrap();
    assert_eq!((answer.keys(), &*answer.cursor), (vec!["2".to_owned()], "2"));
    let nothing = poll(&server, "ann", "after=2&wait=1").await;
    assert_eq!((nothing.events.len(), &*nothing.cursor), (0, "2"));
    server.stop().await;
}

#[tokio::test]
async fn the_bytes_are_those_of_the_stream() {
    let db = Database::new().await;
    prepare(&db).await;
    let server = Server::start(&db).await;
    let mut stream = connect(&server, "ann", Some("0")).await;
    let data = r#"'{"exact": 12345678901234567890.10, "text": "a\nb\u2028\"", "big": 1e3}'"#;
    emit(&db, &format!("'document_processing', 'o1', {data}")).await;
    emit(&db, r#"'conversation_activity', 'o1', '{"content": "secret", "n": 1.0}'"#).await;
    let streamed =
        [stream.next_of("document_processing").await.data, stream.next_of("conversation_activity").await.data];
    assert!(streamed[0].contains("12345678901234567890.10") && streamed[1].contains("[FILTERED]"), "{streamed:?}");
    let answer = poll(&server, "ann", "after=0&wait=0").await;
    assert_eq!(answer.events.iter().map(|event| event.get()).collect::<Vec<_>>(), streamed);
    server.stop().await;
}

#[tokio::test]
async fn an_answer_may_end_anywhere() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let server = Server::start_with(&db, &[("ROWCAST_LOG_MIB", "1")]).await;
    let load = "INSERT INTO documents SELECT n, CASE WHEN n % 4 = 0 THEN 'o2' ELSE 'o1' END, repeat('x', 1000) FROM generate_series(1, 3000) n";
    app.execute(load, &[]).await.unwrap();
    let mut live = connect(&server, "sam", Some("2999")).await;
    assert_eq!(keys(&mut live).await, ["3000"], "all of it has been read");
    let expected: Vec<String> = (1..=3_000).filter(|n| n % 4 != 0).map(|n: i32| n.to_string()).collect();
    let mut got: Vec<String> = Vec::new();
    let mut cursor = "0".to_owned();
    for limit in [1, 7, 1_000, 1, 64, 999].into_iter().cycle() {
        let answer = poll(&server, "ann", &format!("after={cursor}&wait=0&limit={limit}")).await;
        if answer.events.is_empty() {
            assert_eq!(answer.cursor, "3000", "it covers what was not for ann");
            break;
        }
        assert!(answer.events.len() <= limit, "{} > {limit}", answer.events.len());
        got.extend(answer.keys());
        cursor = answer.cursor;
    }
    assert_eq!(got, expected);
    server.stop().await;
}

#[tokio::test]
async fn gaps_are_kept_from_poll_to_poll() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let mut slow = db.connect_as(Role::App).await;
    let server = Server::start(&db).await;
    let slow = slow.transaction().await.unwrap();
    slow.execute("INSERT INTO documents VALUES (1, 'o1', 'late')", &[]).await.unwrap();
    for id in 2..=5 {
        insert(&app, id, "o1").await;
    }
    let mut cursor = "0".to_owned();
    let mut got = Vec::new();
    while got.len() < 4 {
        let answer = poll(&server, "ann", &format!("after={cursor}&limit=1")).await;
        got.extend(answer.keys());
        cursor = answer.cursor;
    }
    assert_eq!((&*cursor, got.join(" ")), ("5~1", "2 3 4 5".to_owned()));
    slow.commit().await.unwrap();
    let late = poll(&server, "ann", &format!("after={cursor}")).await;
    assert_eq!((late.keys(), &*late.cursor), (vec!["1".to_owned()], "5"));
    server.stop().await;
}

#[tokio::test]
async fn a_cursor_of_no_use_is_said_to_be_so() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let server = Server::start(&db).await;
    insert(&app, 1, "o1").await;
    assert_eq!(poll(&server, "ann", "after=0").await.reset, None);
    for (cursor, reason) in [("nonsense", "invalid_cursor"), ("5~7", "invalid_cursor"), ("999", "cursor_ahead")] {
        let answer = poll(&server, "ann", &format!("after={cursor}&wait=60")).await;
        assert_eq!((answer.reset.as_deref(), answer.events.len(), &*answer.cursor), (Some(reason), 0, "1"), "{cursor}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_poll_is_refused_like_a_stream() {
    let db = Database::new().await;
    prepare(&db).await;
    let server = Server::start(&db).await;
    let (ann, stranger) = (harness::token("ann"), harness::token("stranger"));
    let cases: [(&str, Option<&str>, u16, &str); 14] = [
        ("", None, 401, "token_required"),
        ("", Some("rubbish"), 401, "invalid_token"),
        ("", Some(&stranger), 403, "not_a_member"),
        ("organizationId=o2", Some(&ann), 403, "not_a_member"),
        ("subscriptions=system_health", Some(&ann), 403, "permission_required"),
        ("subscriptions=rubbish", Some(&ann), 400, "unknown_event_type"),
        ("subscriptions=", Some(&ann), 400, "no_valid_subscription"),
        ("subscriptions=a&subscriptions=b", Some(&ann), 400, "invalid_query"),
        ("after=1&after=2", Some(&ann), 400, "invalid_query"),
        ("wait=61", Some(&ann), 400, "invalid_wait"),
        ("wait=-1", Some(&ann), 400, "invalid_wait"),
        ("wait=soon", Some(&ann), 400, "invalid_wait"),
        ("limit=0", Some(&ann), 400, "invalid_limit"),
        ("limit=1001", Some(&ann), 400, "invalid_limit"),
    ];
    for (query, token, expected, code) in cases {
        let (status, body) = get(&server, &format!("{PATH}?{query}"), token).await;
        let body: Value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("{query}: {body}"));
        assert_eq!((status, &body["error"]["code"]), (expected, &json!(code)), "{query}");
    }
    for method in ["HEAD", "POST", "OPTIONS"] {
        let response = sse::Client::request(&server.url(), method, PATH, "", "").await;
        assert_eq!(response.status, 405, "{method}");
    }
    server.stop().await;
}

#[tokio::test]
async fn organizations_and_types_narrow_a_poll() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let server = Server::start(&db).await;
    insert(&app, 1, "o1").await;
    insert(&app, 2, "o2").await;
    emit(&db, "'user_activity', 'o1', '{}'").await;
    assert_eq!(poll(&server, "dora", "after=0").await.keys(), ["1", "2"]);
    assert_eq!(poll(&server, "dora", "after=0&organizationId=o2").await.keys(), ["2"]);
    let only = poll(&server, "ben", "after=0&subscriptions=user_activity").await;
    assert_eq!((only.events.len(), &*only.cursor), (1, "3"));
    assert_eq!(parse(&only.events[0])["type"], "user_activity");
    server.stop().await;
}

#[tokio::test]
async fn what_changes_the_answer_ends_the_wait() {
    let db = Database::new().await;
    prepare(&db).await;
    let admin = db.connect().await;
    let server = Server::start(&db).await;
    let waiting = |user: &str| {
        let (url, token) = (server.url(), harness::token(user));
        tokio::spawn(async move { poll_at(&url, &token, "after=0&wait=60").await.unwrap() })
    };
    let (revoked, other) = (waiting("ann"), waiting("ben"));
    is_waiting(&revoked).await;
    admin.batch_execute("DELETE FROM rowcast.memberships WHERE user_id = 'ann'").await.unwrap();
    let answer = tokio::time::timeout(PATIENCE, revoked).await.expect("the revocation is waited out").unwrap();
    assert_eq!(answer.events.len(), 0);
    assert_eq!(get(&server, &format!("{PATH}?after=0"), Some(&harness::token("ann"))).await.0, 403);
    is_waiting(&other).await;
    server.stop().await;
    let answer = tokio::time::timeout(PATIENCE, other).await.expect("the shutdown is waited out").unwrap();
    assert_eq!((answer.events.len(), &*answer.cursor), (0, "0"));
}

#[tokio::test]
async fn without_a_database_a_poll_waits_and_a_new_one_is_sent_away() {
    let db = Database::new().await;
    prepare(&db).await;
    let superuser = db.connect_as(Role::Superuser).await;
    let server = Server::start(&db).await;
    let (url, token) = (server.url(), harness::token("ann"));
    let waiting = tokio::spawn(async move { poll_at(&url, &token, "after=0&wait=4").await.unwrap() });
    is_waiting(&waiting).await;
    // The superuser is not counted.
    let limit = format!("ALTER DATABASE {} CONNECTION LIMIT", db.name());
    superuser.batch_execute(&format!("{limit} 0")).await.unwrap();
    let end =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'server%'";
    superuser.query(end, &[&db.name()]).await.unwrap();
    let headers = format!("Authorization: Bearer {}\r\n", harness::token("ann"));
    let refused = eventually("polls to be sent away", async || {
        let response =
            sse::Client::request(&server.url(), "GET", &format!("{PATH}?after=0&wait=0"), &headers, "").await;
        (response.status == 503).then_some(response)
    })
    .await;
    assert_eq!(refused.header("retry-after"), Some("2"));
    let answer = tokio::time::timeout(PATIENCE, waiting).await.expect("it waits for ever").unwrap();
    assert_eq!((answer.events.len(), &*answer.cursor), (0, "0"));
    superuser.batch_execute(&format!("{limit} -1")).await.unwrap();
    server.stop().await;
}

/// A client that streams and polls by turns, while writers commit in any order, some of it from history.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_may_change_between_stream_and_poll_at_any_point() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let server = Server::start_with(&db, &[("ROWCAST_LOG_MIB", "1")]).await;
    let load = "INSERT INTO documents SELECT n, 'o' || n % 2 + 1, repeat('x', 1000) FROM generate_series(1, 2000) n";
    app.execute(load, &[]).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(3);
    let mut writers = tokio::task::JoinSet::new();
    for number in 1..=4 {
        writers.spawn(write(db.connect_as(Role::App).await, number, deadline));
    }
    let (url, token) = (server.url(), harness::token("ann"));
    let mut random = fastrand::Rng::with_seed(7);
    let (mut cursor, mut seen, mut turns) = ("0".to_owned(), BTreeSet::new(), [0, 0]);
    let mut missing = None;
    loop {
        if missing.is_none() && writers.is_empty() {
            missing = Some(expected(&app).await);
        }
        if missing.as_ref().is_some_and(|expected| seen.len() >= expected.len()) || Instant::now() > deadline + PATIENCE
        {
            break;
        }
        while writers.try_join_next().is_some() {}
        // What comes is never in the cursor; within a write the cursor comes last, so who leaves before it gets the write again.
        let mut take = |event: &Value, cursor: &str| {
            let id: i64 = event["id"].as_str().unwrap().parse().unwrap();
            assert!(!cursor.parse::<Cursor>().unwrap().contains(id), "{id} is in {cursor}");
            seen.insert(event["key"].as_str().unwrap().to_owned());
        };
        if random.bool() {
            turns[0] += 1;
            let mut stream = sse::Client::connect(&url, &token, Some(&cursor)).await;
            let until = Instant::now() + Duration::from_millis(random.u64(5..120));
            while let Some(left) = until.checked_duration_since(Instant::now()) {
                let Ok(Some(event)) = tokio::time::timeout(left, stream.next_event()).await else { break };
                if event.event == "document_processing" {
                    take(&event.json(), &cursor);
                }
                cursor = event.id.unwrap_or(cursor);
            }
        } else {
            turns[1] += 1;
            let query = format!("after={cursor}&wait={}&limit={}", random.u8(0..=1), random.u16(1..400));
            let answer = poll_at(&url, &token, &query).await.unwrap();
            answer.events.iter().for_each(|event| take(&parse(event), &cursor));
            cursor = answer.cursor;
        }
    }
    let expected = missing.expect("the writers do not end");
    assert_eq!(seen.symmetric_difference(&expected).collect::<Vec<_>>(), [""; 0], "lost, or not ann's");
    assert!(turns.iter().all(|&count| count > 3) && expected.len() > 1_050, "{turns:?}, {}", expected.len());
    server.stop().await;
}

async fn write(mut client: Client, writer: i64, deadline: Instant) {
    let mut random = fastrand::Rng::with_seed(writer.unsigned_abs());
    let mut id = writer * 1_000_000;
    while Instant::now() < deadline {
        let transaction = client.transaction().await.unwrap();
        for _ in 0..random.u8(1..4) {
            id += 1;
            let organization = if random.bool() { "o1" } else { "o2" };
            transaction.execute("INSERT INTO documents VALUES ($1, $2, 'x')", &[&id, &organization]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(random.u64(..10))).await;
        }
        if random.u8(..5) > 0 { transaction.commit().await.unwrap() } else { transaction.rollback().await.unwrap() }
    }
}

/// The keys of all documents of ann's organization.
async fn expected(app: &Client) -> BTreeSet<String> {
    let rows = app.query("SELECT id::text FROM documents WHERE organization_id = 'o1'", &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}
