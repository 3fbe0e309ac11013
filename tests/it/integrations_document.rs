//! `docs/integrations.md`, read and pasted from top to bottom: its SQL, its commands and its settings, with the example app's tables.

use std::{env, path::Path, process::Command};

use clap::Parser;
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::harness::{Database, Server, sse, token};

const DOCUMENT: &str = include_str!("../../docs/integrations.md");

const EXAMPLE: [&str; 2] = [include_str!("../../sql/chatbot/schema.sql"), include_str!("../../sql/chatbot/seed.sql")];

/// What stands between two fences.
#[derive(Debug)]
struct Block {
    language: String,
    text: String,
}

/// All of them, in their order.
fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for line in DOCUMENT.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            open = !open;
            if open {
                blocks.push(Block { language: language.to_owned(), text: String::new() });
            }
        } else if open {
            let text = &mut blocks.last_mut().unwrap().text;
            text.push_str(line);
            text.push('\n');
        }
    }
    assert!(!open, "a block has no end");
    blocks
}

/// The first block of SQL that has this in it.
pub(crate) fn sql_with(word: &str) -> String {
    let mut blocks = blocks().into_iter().filter(|block| block.language == "sql");
    let found = blocks.find(|block| block.text.contains(word));
    found.unwrap_or_else(|| panic!("no {word} in the document")).text
}

/// The example app, in which nothing is attached.
async fn with_the_example() -> (Database, Client) {
    let db = Database::new().await;
    let owner = db.connect().await;
    for script in EXAMPLE {
        owner.batch_execute(script).await.unwrap();
    }
    (db, owner)
}

/// What is to come on the stream once a block that has this in it was run: an event of that type, with that value at that place.
fn promises() -> Vec<(&'static str, &'static str, &'static str, Value)> {
    let alert = blocks().into_iter().find(|block| block.language == "json").expect("the alert is not shown");
    vec![
        ("'care-guide.pdf'", "document_processing", "/data/stage", json!("upload")),
        ("'care-guide.pdf'", "document_processing", "/data/stage", json!("ocr")),
        ("'care-guide.pdf'", "conversation_activity", "/data/messageType", json!("bot_response")),
        ("INTO public.files", "document_processing", "/data/stage", json!("ocr")),
        ("INTO public.user_sessions", "user_activity", "/data/action", json!("sign_in")),
        ("INTO public.user_sessions", "user_activity", "/data/action", json!("chatbot_renamed")),
        ("rowcast.measure(", "chatbot_metrics", "/chatbotId", json!("bot_kitchen")),
        ("rowcast.emit(", "performance_alert", "/data", serde_json::from_str(&alert.text).unwrap()),
        ("SET enabled = false", "performance_alert", "/data/status", json!("resolved")),
    ]
}

#[tokio::test]
async fn all_of_its_sql_can_be_pasted_in_its_order_and_makes_the_events_that_it_promises() {
    let (db, owner) = with_the_example().await;
    let server = Server::start_with(&db, &[("ROWCAST_ALERTS", "50ms")]).await;
    let mut sam = None;
    let mut promises = promises();
    let sql: Vec<_> = blocks().into_iter().filter(|block| block.language == "sql").collect();
    assert!(sql.len() > 30, "the blocks were not found");
    for Block { text, .. } in sql {
        owner.batch_execute(&text).await.unwrap_or_else(|error| panic!("{text}: {error:?}"));
        if text.contains("INTO rowcast.memberships") {
            sam = Some(sse::Client::connect(&server.url(), &token("sam"), None).await);
        }
        for (_, kind, place, value) in promises.extract_if(.., |(word, ..)| text.contains(*word)) {
            let events = sam.as_mut().expect("nobody listens yet");
            while events.next_of(kind).await.json().pointer(place) != Some(&value) {}
        }
    }
    assert!(promises.is_empty(), "nothing in the document makes {promises:?}");
    drop(sam);
    server.stop().await;
}

/// The commands of a block: one for each line that is not continued.
fn commands(text: &str) -> Vec<String> {
    text.replace("\\\n", " ").lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Runs it in a shell that finds our program; what it printed and what it complained of.
fn run(db: &Database, command: &str) -> (bool, String, String) {
    let ours = Path::new(env!("CARGO_BIN_EXE_rowcast")).parent().unwrap();
    let path = env::join_paths([ours.to_owned()].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap())));
    let mut shell = Command::new("sh");
    let output =
        shell.args(["-euc", command]).env("PATH", path.unwrap()).env("DATABASE_URL", db.url()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn its_commands_do_and_say_what_it_says() {
    let (db, owner) = with_the_example().await;
    let mut done = 0;
    let mut said = String::new();
    for Block { language, text } in blocks() {
        match &*language {
            "sql" if text.starts_with("CREATE TABLE") => {
                owner.batch_execute(&text).await.unwrap();
                if text.contains("public.files") {
                    // Told in the middle of a sentence.
                    let command = "rowcast attach --preset chatbot --schema public --set documents.table=files";
                    assert!(DOCUMENT.contains(&format!("`{command}` answers")));
                    let (succeeded, _, complaint) = run(&db, command);
                    assert!(!succeeded);
                    said = complaint;
                }
            }
            "sh" => {
                for command in commands(&text)
                    .iter()
                    .filter(|command| command.starts_with("rowcast ") && *command != "rowcast serve")
                {
                    let (succeeded, printed, complaint) = run(&db, command);
                    assert!(succeeded, "{command}: {complaint}");
                    said = printed;
                    done += 1;
                }
            }
            // What is shown after a command is what it said.
            "" if text.contains(" is attached as ") || text.starts_with("rowcast: ") => {
                let shown: Vec<_> = text.lines().filter(|line| *line != "…").collect();
                assert!(said.contains(&shown.join("\n")), "{said}");
                done += 1;
            }
            _ => {}
        }
    }
    assert!(done >= 7, "hardly anything was run");
}

/// What is exported in a block, without the quotes around it.
fn exported(text: &str) -> Vec<(String, String)> {
    let exports = commands(text).into_iter().filter_map(|command| command.strip_prefix("export ").map(str::to_owned));
    let pairs = exports.map(|export| {
        let (name, value) = export.split_once('=').unwrap();
        let quote = |letter: char| letter == '"' || letter == '\'';
        (name.to_owned(), value.trim_start_matches(quote).trim_end_matches(quote).to_owned())
    });
    pairs.collect()
}

#[test]
fn its_settings_are_taken() {
    let mut taken = 0;
    for block in blocks().into_iter().filter(|block| block.language == "sh") {
        let flags = exported(&block.text).into_iter().filter_map(|(name, value)| {
            Some([format!("--{}", name.strip_prefix("ROWCAST_")?.to_lowercase().replace('_', "-")), value])
        });
        let flags: Vec<_> = flags.collect();
        taken += flags.len();
        let command = ["rowcast", "serve", "--database-url", "postgres://localhost/mydb"].map(str::to_owned);
        // A switch is told by its flag alone.
        let flags = flags.into_iter().flatten().filter(|word| word != "true");
        if let Err(error) = rowcast::cli::Cli::try_parse_from(command.into_iter().chain(flags)) {
            panic!("{}: {error}", block.text);
        }
    }
    assert!(taken >= 8, "the settings were not found");
}
