//! A table of documents that belong to organizations, users of every kind, and what tests of the wire say and hear.

use serde_json::Value;
use tokio_postgres::Client;

use crate::harness::{self, Database, Role, Server, sse};

/// A table that belongs to organizations, and users of every kind.
pub(crate) async fn prepare(db: &Database) -> Client {
    let owner = db.connect_as(Role::Writer).await;
    owner
        .batch_execute(
            "CREATE TABLE documents (id bigint PRIMARY KEY, organization_id text, title text);
             GRANT ALL ON documents TO PUBLIC;
             SELECT rowcast.attach('documents', 'document_processing', organization_id => 'r.organization_id');",
        )
        .await
        .unwrap();
    let admin = db.connect().await;
    admin
        .batch_execute(
            "INSERT INTO rowcast.memberships VALUES
                ('ann', 'o1', 'member'), ('ben', 'o1', 'admin'), ('cleo', 'o2', 'admin'), ('dora', 'o1', 'member'),
                ('dora', 'o2', 'member'), ('sam', NULL, 'admin')",
        )
        .await
        .unwrap();
    db.connect_as(Role::App).await
}

/// Writes a document.
pub(crate) async fn insert(app: &Client, id: i64, organization: &str) {
    app.execute("INSERT INTO documents VALUES ($1, $2, 'x')", &[&id, &organization]).await.unwrap();
}

/// Calls `rowcast.emit`; the id.
pub(crate) async fn emit(db: &Database, sql_arguments: &str) -> String {
    let writer = db.connect_as(Role::Writer).await;
    let id: i64 = writer.query_one(&format!("SELECT rowcast.emit({sql_arguments})"), &[]).await.unwrap().get(0);
    id.to_string()
}

/// Status and body of a request that is not for a stream.
pub(crate) async fn get(server: &Server, target: &str, token: Option<&str>) -> (u16, String) {
    let headers = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let mut response = sse::Client::request(&server.url(), "GET", target, &headers, "").await;
    (response.status, response.rest().await)
}

/// Opens a stream.
pub(crate) async fn connect(server: &Server, user: &str, cursor: Option<&str>) -> sse::Client {
    let mut client = sse::Client::connect(&server.url(), &harness::token(user), cursor).await;
    assert_eq!(status(&mut client).await["status"], "connected");
    client
}

/// The data of the next event, which is a `connection_status`.
pub(crate) async fn status(client: &mut sse::Client) -> Value {
    let event = client.next_event().await.expect("the stream ended");
    assert_eq!(event.event, "connection_status");
    serde_json::from_str::<Value>(&event.data).unwrap()["data"].clone()
}

/// The next event of the outbox; heartbeats are passed over.
pub(crate) async fn next(client: &mut sse::Client) -> Value {
    loop {
        let event = client.next_event().await.expect("the stream ended");
        if event.event != "cursor" {
            let envelope: Value = serde_json::from_str(&event.data).unwrap();
            assert_eq!(envelope["type"], *event.event);
            return envelope;
        }
    }
}

/// The keys of the next events.
pub(crate) async fn keys<const N: usize>(client: &mut sse::Client) -> [String; N] {
    let mut keys = [const { String::new() }; N];
    for key in &mut keys {
        next(client).await["key"].as_str().unwrap().clone_into(key);
    }
    keys
}
