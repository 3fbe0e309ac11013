//! Our own panics and errors reach Sentry, with nothing in them that is nobody's business, and at nobody's expense.

use std::{
    fs::OpenOptions,
    process::{Command, Output, Stdio},
    sync::atomic::Ordering,
    time::Instant,
};

use serde_json::{Value, json};
use tokio_postgres::Client;

use super::fake::{FakeSentry, KEY, Received};
use crate::{
    harness::{Database, PATIENCE, SECRET, Server, eventually, sse, token},
    tokens::with_ann,
};

/// What a failing function says. All of it is in the error that the server logs.
const SECRETS: [&str; 8] = [
    "pl4nted-dsn",
    "pl4nted-bearer",
    "pl4nted-ticket",
    "pl4nted-access",
    "pl4nted-cookie",
    "pl4nted-json",
    "pl4nted-mail",
    "pl4nted-jwt",
];

/// From now on asking for a ticket is an error on the database.
async fn break_tickets(owner: &Client) {
    owner
        .batch_execute(
            r#"CREATE OR REPLACE FUNCTION rowcast.issue_ticket(hash bytea, user_id text, expires_at timestamptz) RETURNS timestamptz
               LANGUAGE plpgsql AS $$ BEGIN
                   RAISE EXCEPTION '%', E'the disk is full: postgres://ann:pl4nted-dsn@db/app, Bearer pl4nted-bearer, /sse?ticket=pl4nted-ticket&access_token=pl4nted-access {"password": "pl4nted-json"} pl4nted-mail@example.com eyJpl4nted-jwt.pl4nted-jwt.pl4nted-jwt\nCookie: pl4nted-cookie';
               END $$"#,
        )
        .await
        .unwrap();
}

async fn ask_for_ticket(server: &Server) -> u16 {
    let headers = format!("Authorization: Bearer {}\r\nCookie: a=pl4nted-cookie\r\n", token("ann"));
    sse::Client::request(&server.url(), "POST", "/api/v1/realtime/ticket", &headers, "").await.status
}

fn holds_no_secret(received: &Received) {
    for secret in SECRETS.iter().chain(&[SECRET]) {
        assert!(!received.text.contains(secret), "{secret} is told: {}", received.text);
    }
    for absent in ["user", "request", "server_name"] {
        assert_eq!(received.event.get(absent), None, "{absent}");
    }
}

#[tokio::test]
async fn an_error_reaches_sentry_with_what_led_to_it_and_without_secrets() {
    let mut sentry = FakeSentry::start().await;
    let db = with_ann().await;
    let settings =
        [("SENTRY_DSN", &*sentry.dsn), ("SENTRY_ENVIRONMENT", "tests"), ("SENTRY_RELEASE", "rowcast@of-tests")];
    let server = Server::start_with(&db, &settings).await;
    break_tickets(&db.connect().await).await;
    assert_eq!(ask_for_ticket(&server).await, 503);

    let received = sentry.next().await;
    let head = received.head.to_lowercase();
    assert!(
        head.starts_with("post /api/42/envelope/ http/1.1") && head.contains("application/x-sentry-envelope"),
        "{head}"
    );
    assert!(head.contains(&format!("sentry_key={KEY}")) && head.contains("sentry_version=7"), "{head}");
    let event = &received.event;
    assert_eq!((event.get("level"), &event["environment"]), (None, &json!("tests")), "error is what is not said");
    assert_eq!((&event["release"], &event["logger"]), (&json!("rowcast@of-tests"), &json!("rowcast::http::error")));
    assert!(received.text.contains("a request failed on the database"), "{}", received.text);
    assert!(
        received.text.contains("the disk is full: postgres://[secret]@db/app, Bearer [secret]"),
        "{}",
        received.text
    );
    holds_no_secret(&received);
    let crumbs = event["breadcrumbs"]["values"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_ours = |crumb: &Value| crumb["category"].as_str().is_some_and(|target| target.starts_with("rowcast"));
    assert!(crumbs.iter().all(is_ours) && crumbs.iter().all(|crumb| crumb["level"] != "debug"), "{crumbs:?}");
    assert!(!server.log().contains(KEY), "{}", server.log());
    server.stop().await;
}

#[tokio::test]
async fn what_is_told_last_is_sent_before_the_end() {
    let mut sentry = FakeSentry::start().await;
    let db = Database::new().await;
    // Nobody can log in by keys that cannot be fetched: an error from the start on, and the end comes at once.
    let settings = [
        ("SENTRY_DSN", &*sentry.dsn),
        ("SENTRY_SERVER_NAME", "named on purpose"),
        ("ROWCAST_JWT_SECRET", ""),
        ("ROWCAST_JWKS_URL", "http://127.0.0.1:1/jwks"),
        ("ROWCAST_JWT_ISSUER", "https://issuer.example"),
    ];
    let server = Server::start_unready(&db, &settings).await;
    server.stop().await;
    let received = sentry.next().await;
    assert!(received.text.contains("the issuer's keys cannot be fetched"), "{}", received.text);
    assert_eq!(received.event["server_name"], "named on purpose");
    assert_eq!(received.event["release"], concat!("rowcast@", env!("CARGO_PKG_VERSION")));
}

/// The real program, which cannot write its answer: that is a panic.
fn panics(dsn: &str) -> Output {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_rowcast"));
    program.args(["token", "--user", "ann"]).env("ROWCAST_JWT_SECRET", SECRET).env("SENTRY_DSN", dsn);
    let output = program.stdout(Stdio::from(full)).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(101), "{output:?}");
    output
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_of_the_program_reaches_sentry_before_it_ends() {
    let mut sentry = FakeSentry::start().await;
    let dsn = sentry.dsn.clone();
    let output = tokio::task::spawn_blocking(move || panics(&dsn)).await.unwrap();
    let printed = String::from_utf8(output.stderr).unwrap();
    assert!(printed.contains("failed printing to stdout"), "{printed}");
    let received = sentry.next().await;
    assert_eq!(received.event["level"], "fatal");
    let exception = &received.event["exception"]["values"][0];
    assert_eq!((&exception["type"], &exception["mechanism"]["handled"]), (&json!("panic"), &json!(false)));
    assert!(exception["value"].as_str().unwrap().starts_with("failed printing to stdout"), "{exception}");
    let frames = exception["stacktrace"]["frames"].as_array().unwrap();
    let names: Vec<_> = frames.iter().filter_map(|frame| frame["function"].as_str()).collect();
    assert!(names.iter().any(|name| name.contains("rowcast::cli")), "{names:?}");
    holds_no_secret(&received);
}

#[cfg(target_os = "linux")]
#[test]
fn a_sentry_that_is_not_there_keeps_no_panic_waiting() {
    // Nobody answers at the first, nobody is there at the second, and the third says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for host in ["192.0.2.1", "127.0.0.1:1", &silent.local_addr().unwrap().to_string()] {
        let begun = Instant::now();
        panics(&format!("http://{KEY}@{host}/42"));
        // How long exactly is tested beside the code: most of this is the search for the names of functions, in a program that is not optimized.
        assert!(begun.elapsed() < 2 * PATIENCE, "{host}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_sentry_that_says_nothing_delays_no_answer_and_not_the_end() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dsn = format!("http://{KEY}@{}/42", silent.local_addr().unwrap());
    let db = with_ann().await;
    let server = Server::start_with(&db, &[("SENTRY_DSN", &*dsn)]).await;
    break_tickets(&db.connect().await).await;
    let begun = Instant::now();
    for _ in 0..100 {
        assert_eq!(ask_for_ticket(&server).await, 503);
    }
    // Waiting for Sentry, each of them would have taken five seconds.
    assert!(begun.elapsed() < 2 * PATIENCE, "{:?}", begun.elapsed());
    let begun = Instant::now();
    server.stop().await;
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_flood_is_a_few_events_and_a_sentry_that_has_enough_is_left_alone() {
    let mut sentry = FakeSentry::answering("429 Too Many Requests\r\nRetry-After: 3600").await;
    let db = with_ann().await;
    let server = Server::start_with(&db, &[("SENTRY_DSN", &*sentry.dsn)]).await;
    break_tickets(&db.connect().await).await;
    for _ in 0..100 {
        ask_for_ticket(&server).await;
    }
    sentry.next().await;
    server.stop().await;
    assert_eq!(sentry.requests.load(Ordering::SeqCst), 1, "it had said that it wants no more");

    let mut sentry = FakeSentry::start().await;
    let server = Server::start_with(&db, &[("SENTRY_DSN", &*sentry.dsn)]).await;
    let begun = Instant::now();
    for _ in 0..100 {
        ask_for_ticket(&server).await;
    }
    server.stop().await;
    // Of a minute's events all may come at once, and one more every two seconds.
    let most = 31 + begun.elapsed().as_secs() / 2;
    let mut told = 0;
    while sentry.already().is_some() {
        told += 1;
    }
    assert!((1..=most).contains(&told), "{told}");
}

#[tokio::test]
async fn a_dsn_that_is_none_is_said_once_and_not_repeated() {
    let db = Database::new().await;
    let server = Server::start_with(&db, &[("SENTRY_DSN", "pl4nted-dsn")]).await;
    let warning = "errors are not sent to Sentry";
    eventually("the warning", async || server.log().contains(warning).then_some(())).await;
    assert_eq!(server.log().matches(warning).count(), 1);
    assert!(!server.log().contains("pl4nted-dsn"), "{}", server.log());
    server.stop().await;
}
