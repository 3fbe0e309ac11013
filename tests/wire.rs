//! The server writes what `tests/fixtures/wire` says, to the byte. The web client's tests read the same files from the other end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::Path, time::Duration};

use jiff::Timestamp;
use rowcast::{
    cursor::Cursor,
    event::{Audience, Event},
    sse::{self, CloseReason, ConnectionStatus, ResetReason},
};
use serde_json::{Value, value::RawValue};

/// The fields of one block, as they stand in the file.
#[derive(Default)]
struct Block<'a> {
    retry: Option<u64>,
    cursor: Option<Cursor>,
    event: &'a str,
    data: &'a str,
}

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/wire").join(name).with_extension("txt");
    fs::read_to_string(path).unwrap()
}

fn blocks(stream: &str) -> Vec<Block<'_>> {
    stream.split_terminator("\n\n").map(block).collect()
}

fn block(text: &str) -> Block<'_> {
    let mut block = Block::default();
    for line in text.lines() {
        match line.split_once(": ").unwrap() {
            ("retry", value) => block.retry = Some(value.parse().unwrap()),
            ("id", value) => block.cursor = Some(value.parse().unwrap()),
            ("event", value) => block.event = value,
            ("data", value) => block.data = value,
            (field, _) => panic!("a field that the server does not write: {field}"),
        }
    }
    block
}

/// Writes the block again, from what it means.
fn render(block: &Block<'_>) -> String {
    let retry = block.retry.map(|after| sse::retry_line(Duration::from_millis(after))).unwrap_or_default();
    let id = block.cursor.as_ref().map(sse::id_line).unwrap_or_default();
    let frame = match block.event {
        "cursor" => sse::HEARTBEAT.to_owned(),
        "connection_status" => return retry + &render_status(block),
        _ => {
            let event = event(block.data);
            String::from_utf8(sse::event_frame(&event, &event.data).to_vec()).unwrap()
        }
    };
    retry + &id + &frame
}

fn render_status(block: &Block<'_>) -> String {
    let envelope: Value = serde_json::from_str(block.data).unwrap();
    let data = &envelope["data"];
    let texts = |key: &str| -> Vec<Box<str>> {
        data[key].as_array().unwrap().iter().map(|text| text.as_str().unwrap().into()).collect()
    };
    let at: Timestamp = envelope["timestamp"].as_str().unwrap().parse().unwrap();
    let cursor = block.cursor.as_ref();
    let status = match data["status"].as_str().unwrap() {
        "connected" => {
            let (subscriptions, organizations) = (texts("subscriptions"), texts("organizations"));
            let connected = ConnectionStatus::Connected {
                connection_id: data["connectionId"].as_str().unwrap(),
                subscriptions: &subscriptions,
                organizations: Some(organizations),
            };
            return sse::status_frame(&connected, cursor, at);
        }
        "reset" => ConnectionStatus::Reset { reason: ResetReason::CursorAhead },
        "token_expiring" => {
            ConnectionStatus::TokenExpiring { expires_at: data["expiresAt"].as_str().unwrap().parse().unwrap() }
        }
        "closing" => ConnectionStatus::Closing { reason: CloseReason::Unavailable },
        other => panic!("a fixture with status {other}"),
    };
    sse::status_frame(&status, cursor, at)
}

fn event(json: &str) -> Event {
    let envelope: Value = serde_json::from_str(json).unwrap();
    let fields: std::collections::BTreeMap<&str, &RawValue> = serde_json::from_str(json).unwrap();
    let text = |key: &str| envelope[key].as_str().map(Box::from);
    Event {
        id: envelope["id"].as_str().unwrap().parse().unwrap(),
        txid: envelope["txid"].as_str().unwrap().parse().unwrap(),
        created_at: envelope["timestamp"].as_str().unwrap().parse().unwrap(),
        event_type: text("type").unwrap(),
        audience: Audience::Organization,
        organization_id: text("organizationId"),
        user_id: text("userId"),
        chatbot_id: text("chatbotId"),
        session_id: text("sessionId"),
        source: text("source"),
        source_key: text("key"),
        operation: text("operation").unwrap(),
        priority: text("priority").unwrap(),
        data: fields["data"].get().into(),
    }
}

#[test]
fn the_server_writes_the_fixtures() {
    for name in ["connected", "one-write-of-three", "late-commit-and-heartbeat", "reset", "token-expiring", "closing"] {
        let expected = fixture(name);
        let blocks = blocks(&expected);
        assert!(!blocks.is_empty(), "{name}");
        assert_eq!(blocks.iter().map(render).collect::<String>(), expected, "{name}");
    }
}
