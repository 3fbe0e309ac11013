//! `rowcast attach --preset`, as the owner of the tables runs it.

use std::process::{Command, Output};

use serde_json::Value;

use super::{Stage, other_names};
use crate::harness::Role;

fn rowcast(stage: &Stage, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rowcast"));
    command.arg("attach").args(arguments).env("DATABASE_URL", stage.db.url_as(Role::Writer)).output().unwrap()
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_attached_from_the_command_line() {
    let stage = Stage::new(
        "CREATE TABLE documents (id int PRIMARY KEY, organization_id text, filename text, state text);
         CREATE TABLE messages (id int PRIMARY KEY, organization_id text, session_id int, role text)",
    )
    .await;
    let command = ["--preset", "chatbot", "--schema", "app", "--only", "documents,messages"];
    let refused = rowcast(&stage, &command);
    let (_, told) = said(&refused);
    assert!(!refused.status.success());
    assert!(told.contains("documents: app.documents has no column processing_status or status"), "{told}");
    assert!(told.contains("--set documents.status=r.COLUMN"), "{told}");

    let attached = rowcast(&stage, &[&command[..], &["--set", "documents.status=r.state"]].concat());
    assert!(attached.status.success(), "{attached:?}");
    let (told, _) = said(&attached);
    assert_eq!(
        told,
        "app.documents is attached as document_processing\napp.messages is attached as conversation_activity\n"
    );
    stage.write("INSERT INTO documents VALUES (1, 'o1', 'a.pdf', 'done')").await;
    assert_eq!(stage.only().await["stage"], "completed");
}

/// What is attached, as `attach()` was told it.
async fn facts(stage: &Stage) -> Vec<Value> {
    let list = "SELECT facts::text FROM rowcast.attachment_triggers WHERE root::regclass::text LIKE 'app.%' ORDER BY facts->>'source', trigger_name";
    let rows = stage.writer.query(list, &[]).await.unwrap();
    rows.iter().map(|row| serde_json::from_str(row.get(0)).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dry_run_prints_attaches_the_same() {
    let stage = Stage::new(other_names::TABLES).await;
    let arguments = other_names::arguments();
    let sets: Vec<String> = arguments
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap()))
        .collect();
    let sets = sets.iter().flat_map(|set| ["--set", set.as_str()]);
    let command: Vec<&str> = ["--preset", "chatbot", "--schema", "app"].into_iter().chain(sets).collect();

    let printed = rowcast(&stage, &[&command[..], &["--dry-run"]].concat());
    let (script, told) = said(&printed);
    assert!(printed.status.success(), "{told}");
    assert!(script.starts_with("BEGIN;"), "{script}");
    assert_eq!(stage.attached().await, [""; 0]);

    stage.writer.batch_execute(&script).await.unwrap();
    let by_script = facts(&stage).await;
    for table in ["app.files", "app.msgs", "app.\"Figures\""] {
        stage.writer.execute("SELECT rowcast.detach($1::text::regclass)", &[&table]).await.unwrap();
    }
    let attached = rowcast(&stage, &command);
    assert!(attached.status.success(), "{attached:?}");
    let by_command = facts(&stage).await;
    assert!(by_script.len() >= 9, "{by_script:?}");
    assert_eq!(by_script, by_command);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_set_is_listed() {
    let stage = Stage::new("").await;
    let listed = rowcast(&stage, &["--presets"]);
    assert!(listed.status.success(), "{listed:?}");
    let (told, _) = said(&listed);
    let rows = stage
        .writer
        .query(
            "SELECT part || '.' || argument || '=', defaults[1] FROM rowcast.presets WHERE kind <> 'event_type'",
            &[],
        )
        .await
        .unwrap();
    assert!(rows.len() > 100);
    for row in rows {
        let argument: String = row.get(0);
        assert!(told.contains(&argument), "{argument}");
    }
    assert!(told.contains("--preset sessions\n"), "{told}");
    assert!(told.contains("documents → document_processing: "), "{told}");
    assert!(told.contains("documents.status=r.processing_status | r.status\n"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_combinations_are_refused_before_anything_is_asked_of_the_database() {
    let stage = Stage::new("").await;
    for (arguments, expected) in [
        (&[][..], "required arguments were not provided"),
        (&["public.docs"], "required arguments were not provided"),
        (&["--set", "documents.table=x"], "--preset <NAME>"),
        (&["--only", "documents", "public.docs", "document_processing"], "cannot be used with"),
        (&["--preset", "chatbot", "public.docs", "document_processing"], "cannot be used with"),
        (&["--preset", "chatbot", "--filter", "true"], "cannot be used with"),
        (&["--presets", "--preset", "chatbot"], "cannot be used with"),
        (&["--preset", "chatbot", "--set", "documents"], "expected PART.ARGUMENT=VALUE"),
        (&["--preset", "chatbot", "--set", "documents.id=1", "--set", "documents.id=2"], "documents.id is set twice"),
    ] {
        let refused = rowcast(&stage, arguments);
        let (_, told) = said(&refused);
        assert!(!refused.status.success() && told.contains(expected), "{arguments:?}: {told}");
    }
}
