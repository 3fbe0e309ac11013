//! Errors and Sentry, both ways: its webhooks over real HTTP down to the streams, and our own errors at a Sentry of the tests.

#[cfg(feature = "sentry")]
mod fake;
mod refused;
#[cfg(feature = "sentry")]
mod reports;
mod rows;
mod streams;

use aws_lc_rs::hmac;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::harness::{Database, Place, Server, sse};

/// What Sentry and the servers of these tests have in common.
pub(crate) const SECRET: &str = "5f1d0c7a9b3e4a62 of the tests, known to everybody";

const PATH: &str = "/api/v1/integrations/sentry";

/// A server that listens to Sentry.
async fn listening(place: &impl Place) -> Server {
    Server::start_with(place, &[("ROWCAST_SENTRY_CLIENT_SECRET", SECRET)]).await
}

/// As it is written in headers.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
}

/// What Sentry signs a body with.
pub(crate) fn sign(secret: &str, body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body);
    hex(tag.as_ref())
}

/// One of the corpus, as if it had been made `ago` seconds ago.
fn fixture_of(name: &str, ago: i64) -> Value {
    let path = format!("{}/tests/fixtures/sentry/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let mut body: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let then = Timestamp::from_second(Timestamp::now().as_second() - ago).unwrap();
    for (place, field, time) in [
        ("issue", "firstSeen", json!(then.to_string())),
        ("issue", "lastSeen", json!(then.to_string())),
        ("event", "received", json!(then.as_second())),
        ("error", "received", json!(then.as_second())),
    ] {
        if let Some(found) = body["data"].get_mut(place) {
            found[field] = time;
        }
    }
    body
}

/// One of the corpus, as if it were of now.
pub(crate) fn fixture(name: &str) -> Value {
    fixture_of(name, 1)
}

/// The headers that Sentry sends with a body, in as many seconds from now as are given.
pub(crate) fn headers(resource: &str, body: &str, from_now: i64) -> String {
    format!(
        "Content-Type: application/json\r\nRequest-ID: {:032x}\r\nSentry-Hook-Resource: {resource}\r\nSentry-Hook-Timestamp: {}\r\nSentry-Hook-Signature: {}\r\n",
        fastrand::u128(..),
        Timestamp::now().as_second() + from_now,
        sign(SECRET, body.as_bytes()),
    )
}

/// Status and body of the answer to what is sent with these headers.
async fn post(server: &Server, headers: &str, body: &str) -> (u16, Value) {
    let mut answer = sse::Client::request(&server.url(), "POST", PATH, headers, body).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    (answer.status, serde_json::from_str(&answer.rest().await).unwrap())
}

/// Sends a body as Sentry does, some seconds from now by the header; what became of it.
async fn tell_at(server: &Server, resource: &str, body: &Value, from_now: i64) -> String {
    let body = body.to_string();
    let (status, answer) = post(server, &headers(resource, &body, from_now), &body).await;
    assert_eq!((status, &answer["success"]), (200, &json!(true)), "{answer}");
    answer["message"].as_str().unwrap().to_owned()
}

async fn tell(server: &Server, resource: &str, body: &Value) -> String {
    tell_at(server, resource, body, 0).await
}

/// The rows of `rowcast.errors`, without the times.
async fn rows(client: &Client) -> Vec<Value> {
    let rows = "SELECT to_jsonb(e) - '{id,first_seen,last_seen,told_at,created_at,updated_at}'::text[] FROM rowcast.errors e ORDER BY id";
    client.query(rows, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

async fn count(client: &Client, table: &str) -> i64 {
    client.query_one(&format!("SELECT count(*) FROM rowcast.{table}"), &[]).await.unwrap().get(0)
}

/// A database, and its owner.
async fn database() -> (Database, Client) {
    let db = Database::new().await;
    let owner = db.connect().await;
    (db, owner)
}
