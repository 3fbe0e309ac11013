//! Streams as their users and all servers see them: how many there may be, what is changed while they are open, who is told of them.

mod directory;
mod limits;
mod pace;
mod renewal;
mod statistics;
mod subscriptions;

use rowcast::http::answers::CommandAnswer;
use serde_json::{Value, json};

use crate::{
    documents,
    harness::{Database, Server, sse, token},
};

/// The route of the stream, and of what is asked of it.
const PATH: &str = "/api/v1/realtime/sse";

/// Status, `Retry-After` and body of a request that a user sends with a JSON body.
pub(crate) async fn post(server: &Server, user: &str, body: &Value) -> (u16, Value) {
    let headers = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", token(user));
    let mut answer = sse::Client::request(&server.url(), "POST", PATH, &headers, &body.to_string()).await;
    let body: Value = serde_json::from_str(&answer.rest().await).unwrap();
    if answer.status == 200 {
        // What clients are told to expect, to the letter.
        let done =
            serde_json::from_value::<CommandAnswer>(body.clone()).unwrap_or_else(|wrong| panic!("{wrong}: {body}"));
        assert!(done.success && done.expires_at.parse::<jiff::Timestamp>().is_ok(), "{body}");
    }
    (answer.status, body)
}

/// Status and code of what a refusal says.
fn refusal((status, body): &(u16, Value)) -> (u16, &str) {
    assert_eq!(body["success"], false, "{body}");
    (*status, body["error"]["code"].as_str().unwrap())
}

/// Opens a stream for these types; its name.
pub(crate) async fn open(server: &Server, user: &str, query: &str) -> (sse::Client, String) {
    let mut client = sse::Client::connect_with(&server.url(), query, &token(user), None).await;
    let connected = documents::status(&mut client).await;
    assert_eq!(connected["status"], "connected");
    let id = connected["connectionId"].as_str().unwrap().to_owned();
    (client, id)
}

/// What is asked of a stream.
pub(crate) fn asking(connection: &str, action: &str, types: &[&str]) -> Value {
    json!({"connectionId": connection, "action": action, "eventTypes": types})
}

/// Emits an event of this type for `o1`, says what in its payload; the id.
async fn emit(db: &Database, event_type: &str, text: &str) -> i64 {
    let arguments = format!("'{event_type}', 'o1', jsonb_build_object('text', '{text}')");
    documents::emit(db, &arguments).await.parse().unwrap()
}

/// The text of the next event.
async fn hear(client: &mut sse::Client) -> String {
    loop {
        let event = client.next_event().await.expect("the stream ended");
        if !["cursor", "connection_status"].contains(&event.event.as_str()) {
            return event.json()["data"]["text"].as_str().unwrap().to_owned();
        }
    }
}
