//! The server writes what `tests/fixtures/wire` says, to the byte, and there is a fixture for everything that it writes. The web client's tests read the same files
//! from the other end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use rowcast::{
    cursor::Cursor,
    event::{Audience, Event},
    payload::Payload,
    sse::{self, ConnectionStatus},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json, value::RawValue};

/// What the server never writes, and a parser must take all the same.
const OF_THE_STANDARD: [&str; 6] = ["byte-order-mark", "fields", "ids", "line-endings", "malformed-utf8", "retry"];

/// The fields of one block, as they stand in the file.
#[derive(Default)]
struct Block<'a> {
    retry: Option<u64>,
    cursor: Option<Cursor>,
    event: &'a str,
    data: &'a str,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The streams of the folder that the server writes, by name.
fn fixtures() -> Vec<(String, String)> {
    let files = fs::read_dir(root().join("tests/fixtures/wire")).unwrap().map(|file| file.unwrap().path());
    let named = |path: PathBuf| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path);
    let streams = files.filter(|path| path.extension().is_some_and(|extension| extension == "txt")).map(named);
    let (others, ours): (Vec<_>, Vec<_>) = streams.partition(|(name, _)| OF_THE_STANDARD.contains(&name.as_str()));
    assert_eq!(others.len(), OF_THE_STANDARD.len(), "a fixture of the standard is missing");
    ours.into_iter().map(|(name, path)| (name, fs::read_to_string(path).unwrap())).collect()
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
    let texts = |key: &str| -> Option<Vec<Box<str>>> {
        Some(data.get(key)?.as_array().unwrap().iter().map(|text| text.as_str().unwrap().into()).collect())
    };
    let subscriptions = texts("subscriptions").unwrap_or_default();
    let status = match data["status"].as_str().unwrap() {
        "connected" => ConnectionStatus::Connected {
            connection_id: data["connectionId"].as_str().unwrap(),
            subscriptions: &subscriptions,
            organizations: texts("organizations"),
        },
        "access_changed" => {
            ConnectionStatus::AccessChanged { subscriptions: &subscriptions, organizations: texts("organizations") }
        }
        "reset" => ConnectionStatus::Reset { reason: value(&data["reason"]) },
        "degraded" => ConnectionStatus::Degraded,
        "recovered" => ConnectionStatus::Recovered,
        "token_expiring" => ConnectionStatus::TokenExpiring { expires_at: value(&data["expiresAt"]) },
        "closing" => ConnectionStatus::Closing { reason: value(&data["reason"]) },
        other => panic!("a fixture with status {other}"),
    };
    sse::status_frame(&status, block.cursor.as_ref(), value(&envelope["timestamp"]))
}

fn value<T: DeserializeOwned>(json: &Value) -> T {
    serde_json::from_value(json.clone()).unwrap()
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
    for (name, expected) in fixtures() {
        let blocks = blocks(&expected);
        assert!(!blocks.is_empty(), "{name}");
        assert_eq!(blocks.iter().map(render).collect::<String>(), expected, "{name}");
    }
}

/// What a name stands before, in quotes, in the types that clients have.
fn declared(before: &str) -> BTreeSet<String> {
    let types = fs::read_to_string(root().join("web/src/generated.ts")).unwrap();
    let line = |rest: &str| rest.split(';').next().unwrap().to_owned();
    let lines = types.split(before).skip(1).map(line);
    lines.flat_map(|line| line.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn whatever_the_server_may_say_has_a_fixture() {
    let (mut types, mut statuses, mut resets, mut closings) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (name, stream) in fixtures() {
        for block in blocks(&stream).iter().filter(|block| block.event != "cursor") {
            let envelope: Value = serde_json::from_str(block.data).unwrap();
            let (data, kind) = (&envelope["data"], envelope["type"].as_str().unwrap());
            assert_eq!(kind, block.event, "{name}");
            if kind == "connection_status" {
                let status = data["status"].as_str().unwrap();
                let reason = data["reason"].as_str().map(str::to_owned);
                statuses.insert(status.to_owned());
                if status == "reset" { &mut resets } else { &mut closings }.extend(reason);
                continue;
            }
            types.insert(kind.to_owned());
            let payload: Result<Payload, _> = serde_json::from_value(json!({"type": kind, "data": data}));
            assert!(payload.is_ok(), "{name}: {data} is no {kind}: {payload:?}");
        }
    }
    assert_eq!(types, declared("{ type: "));
    assert_eq!(statuses, declared("      status: ").union(&declared("  | { status: ")).cloned().collect());
    assert_eq!(resets, declared("export type ResetReason ="));
    assert_eq!(closings, declared("export type CloseReason ="));
}
