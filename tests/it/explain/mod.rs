//! `rowcast.explain` and `rowcast explain`: which rule says no, in the words of docs/access.md.

mod agreement;
mod to_user;

use std::process::{Command, Output, Stdio};

use tokio_postgres::Client;

use crate::{
    documents::{connect, emit, insert, prepare},
    harness::{Database, Role, Server, eventually},
};

/// A row of the answer.
type Step = (String, Option<bool>, String);

async fn explain(client: &Client, arguments: &str) -> Vec<Step> {
    let explain = format!("SELECT rule, passes, detail FROM rowcast.explain({arguments})");
    let rows = client.query(&explain, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

/// The verdict, the first rule that refuses, and what that says.
async fn refusal(client: &Client, arguments: &str) -> (String, String) {
    let steps = explain(client, arguments).await;
    let (_, passes, verdict) = steps.last().unwrap();
    assert_eq!(*passes, Some(false), "{steps:?}");
    let (rule, _, detail) = steps.iter().find(|(rule, passes, _)| *passes == Some(false) && rule != "stream").unwrap();
    assert!(verdict.ends_with(&format!(": {rule}")), "{steps:?}");
    (rule.clone(), detail.clone())
}

#[track_caller]
fn says((rule, detail): (String, String), expected: (&str, &str)) {
    assert!(rule == expected.0 && detail.contains(expected.1), "{rule}: {detail}");
}

/// What is told of the event beside the rules.
async fn told(client: &Client, arguments: &str) -> Vec<String> {
    let steps = explain(client, arguments).await;
    assert_eq!(steps.last().unwrap().1, Some(true), "{steps:?}");
    let told = steps.into_iter().filter(|(rule, passes, _)| passes.is_none() && rule != "subscribed");
    told.map(|(rule, _, detail)| format!("{rule}: {detail}")).collect()
}

#[tokio::test]
async fn every_rule_of_access_has_a_name() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let (reader, superuser) = (db.connect_as(Role::Reader).await, db.connect_as(Role::Superuser).await);
    insert(&app, 1, "o1").await;
    emit(&db, "'user_activity', 'o1', '{}'").await;
    emit(&db, "'user_activity', NULL, '{}'").await;
    app.batch_execute("INSERT INTO documents VALUES (4, NULL, 'x')").await.unwrap();
    emit(&db, "'document_processing', 'o1', '{}', user_id => 'dora'").await;
    superuser.batch_execute("UPDATE rowcast.outbox SET audience = 'user' WHERE id = 5").await.unwrap();
    emit(&db, "'document_processing', 'o1', '{}'").await;
    superuser.batch_execute("UPDATE rowcast.outbox SET event_type = 'gone' WHERE id = 6").await.unwrap();

    let rules = explain(&reader, "'ann', 1").await;
    let names: Vec<_> = rules.iter().map(|(rule, passes, _)| (rule.as_str(), *passes)).collect();
    let yes = ["drawn", "kept", "committed", "type", "audience", "known", "member", "permission", "private"];
    let expected: Vec<_> = yes.into_iter().map(|rule| (rule, Some(true))).collect();
    assert_eq!(names, [&expected[..], &[("subscribed", None), ("delivered", Some(true))]].concat());

    says(refusal(&reader, "'zed', 1").await, ("known", "zed has no row in rowcast.grants"));
    says(refusal(&reader, "'cleo', 1").await, ("member", "not a member of o1"));
    let here = "user_activity requires monitor, which ann does not hold in o1";
    says(refusal(&reader, "'ann', 2").await, ("permission", here));
    says(refusal(&reader, "'ben', 3").await, ("permission", "monitor, which ben does not hold platform-wide"));
    assert_eq!(told(&reader, "'sam', 3").await, [""; 0]);
    let lost = "nobody: organization_id or user_id of public.documents yielded NULL";
    says(refusal(&reader, "'sam', 4").await, ("audience", lost));
    says(refusal(&reader, "'ann', 5").await, ("private", "to dora, and this user does not hold admin in o1"));
    assert_eq!(told(&reader, "'dora', 5").await, [""; 0]);
    assert_eq!(told(&reader, "'ben', 5").await, [""; 0]);
    says(refusal(&reader, "'sam', 6").await, ("type", "gone is not in rowcast.event_types"));
    let asked = refusal(&reader, "'ann', 1, '{document_processing,user_activity}'").await;
    says(asked, ("subscribed", "user_activity requires monitor, which ann does not hold: the stream is refused"));
    says(refusal(&reader, "'ann', 1, '{conversation_activity}'").await, ("subscribed", "not to document_processing"));
    says(refusal(&reader, "'dora', 1, organization => 'o2'").await, ("subscribed", "to o2, and the event is of o1"));
    says(refusal(&reader, "'ann', 1, organization => 'o2'").await, ("subscribed", "not a member of o2"));
    assert_eq!(told(&reader, "'ann', 1, '{document_processing}', 'o1'").await, [""; 0]);
}

#[tokio::test]
async fn what_is_not_there_is_told_apart() {
    let db = Database::new().await;
    prepare(&db).await;
    let (server, superuser) = (db.connect_as(Role::Server).await, db.connect_as(Role::Superuser).await);
    says(
        refusal(&server, "'ann', 1").await,
        ("drawn", "no event has had this id yet: they have been given out up to 0"),
    );
    for _ in 0..3 {
        emit(&db, "'document_processing', 'o1', '{}'").await;
    }
    superuser
        .batch_execute("DELETE FROM rowcast.outbox WHERE id = 1; UPDATE rowcast.maintenance SET expired_through = 1")
        .await
        .unwrap();
    says(refusal(&server, "'ann', 1").await, ("kept", "expired and deleted for its age"));

    let mut writer = db.connect_as(Role::Writer).await;
    let pid: i32 = writer.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    let open = writer.transaction().await.unwrap();
    open.batch_execute("SELECT rowcast.emit('document_processing', 'o1', '{}')").await.unwrap();
    let gap = format!("in an open gap: it may still come with process {pid} of rowcast_test_writer");
    says(refusal(&server, "'ann', 4").await, ("committed", &gap));
    open.rollback().await.unwrap();
    says(refusal(&server, "'ann', 4").await, ("committed", "rolled back"));
    emit(&db, "'document_processing', 'o1', '{}'").await;
    assert_eq!(told(&server, "'ann', 5").await, [""; 0]);
}

#[tokio::test]
async fn a_prepared_transaction_is_named() {
    let db = Database::with_two_phase_commit().await;
    prepare(&db).await;
    let (writer, reader) = (db.connect_as(Role::Writer).await, db.connect_as(Role::Reader).await);
    let prepare = "BEGIN; SELECT rowcast.emit('document_processing', 'o1', '{}'); PREPARE TRANSACTION 'forgotten one'";
    writer.batch_execute(prepare).await.unwrap();
    let named = "the prepared transaction 'forgotten one' of rowcast_test_writer";
    says(refusal(&reader, "'ann', 1").await, ("committed", named));
    writer.batch_execute("ROLLBACK PREPARED 'forgotten one'").await.unwrap();
}

#[tokio::test]
async fn what_is_hidden_in_it_is_told() {
    let db = Database::new().await;
    prepare(&db).await;
    let (reader, owner) = (db.connect_as(Role::Reader).await, db.connect().await);
    emit(&db, "'conversation_activity', 'o1', '{\"content\": \"x\", \"error\": null, \"steps\": [{\"cost\": 1}, {}]}'")
        .await;
    emit(&db, "'error_notification', 'o1', '{\"message\": \"m\"}'").await;
    let redaction = "INSERT INTO rowcast.redactions VALUES ('conversation_activity', '{steps,cost}', 'admin', NULL)";
    owner.batch_execute(redaction).await.unwrap();
    let expected = [
        r#"redacted: {content} is replaced by "[FILTERED]": seen with admin in o1"#,
        "redacted: {steps,cost} is removed: seen with admin in o1",
    ];
    assert_eq!(told(&reader, "'ann', 1").await, expected);
    assert_eq!(told(&reader, "'ben', 1").await, [""; 0]);
    assert_eq!(told(&reader, "'ben', 2").await, [""; 0]);
    owner
        .batch_execute(
            "UPDATE rowcast.outbox SET data = '{\"erased\": true}' WHERE id = 1;
             UPDATE rowcast.outbox SET data = '{\"truncated\": true, \"id\": 1}' WHERE id = 2",
        )
        .await
        .unwrap();
    assert_eq!(told(&reader, "'ann', 1").await, ["erased: its data has been erased (rowcast.erase)"]);
    assert_eq!(
        told(&reader, "'ben', 2").await,
        ["truncated: its data was too large, or not possible in JSON: only the key is sent"]
    );
}

#[tokio::test]
async fn open_streams_are_looked_at() {
    let db = Database::new().await;
    prepare(&db).await;
    let (reader, server) = (db.connect_as(Role::Reader).await, db.connect_as(Role::Server).await);
    emit(&db, "'document_processing', 'o1', '{}'").await;
    let others = "INSERT INTO rowcast.servers VALUES ('here', now(), now()), ('gone', now(), now() - interval '1 minute');
                  INSERT INTO rowcast.connections (id, server, user_id, organizations, event_types, active, connected_at) VALUES
                      ('c1', 'here', 'dora', '{o1,o2}', '{user_activity}', true, '2026-01-01'),
                      ('c2', 'here', 'dora', '{o2}', '{document_processing}', false, '2026-01-02'),
                      ('c3', 'gone', 'dora', NULL, '{document_processing}', true, '2026-01-03')";
    server.batch_execute(others).await.unwrap();
    says(refusal(&reader, "'dora', 1").await, ("subscribed", "no open stream includes it"));
    let streams = |steps: Vec<Step>| {
        let streams = steps.into_iter().filter(|(rule, ..)| rule == "stream");
        streams.map(|(_, passes, detail)| (passes.unwrap(), detail)).collect::<Vec<_>>()
    };
    let expected = [
        (false, "c1: is subscribed to user_activity".to_owned()),
        (false, "c2: is of o2; its client takes nothing at present".to_owned()),
    ];
    assert_eq!(streams(explain(&reader, "'dora', 1").await), expected);
    server
        .batch_execute(
            "INSERT INTO rowcast.connections VALUES ('c4', 'here', 'dora', now(), NULL, '{document_processing}')",
        )
        .await
        .unwrap();
    assert_eq!(streams(explain(&reader, "'dora', 1").await)[2], (true, "c4: includes it".to_owned()));
    assert_eq!(told(&reader, "'dora', 1").await, ["stream: "; 0]);
}

async fn run(url: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rowcast"));
    command.arg("explain").args(arguments).env("DATABASE_URL", url);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test]
async fn the_command_prints_the_rules_and_ends_with_the_verdict() {
    let db = Database::new().await;
    prepare(&db).await;
    emit(&db, "'document_processing', 'o1', '{}'").await;
    let url = db.url_as(Role::Server);
    let answer = async |arguments: &[&str]| {
        let output = run(&url, arguments).await;
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        (output.status.code(), out, err)
    };
    let (code, out, _) = answer(&["--user", "ann", "--event", "1"]).await;
    assert!(code == Some(0) && out.ends_with("delivered   yes  ann gets event 1\n"), "{out}");
    let (code, out, _) = answer(&["--user", "cleo", "--event", "1"]).await;
    assert!(code == Some(1) && out.contains("member      NO   not a member of o1\n"), "{out}");
    let (code, out, _) = answer(&[
        "--user",
        "ann",
        "--event",
        "1",
        "--subscriptions",
        "conversation_activity,connection_status",
        "--organization",
        "o1",
    ])
    .await;
    assert!(code == Some(1) && out.contains("subscribed  NO   not to document_processing\n"), "{out}");
    for (arguments, complaint) in [
        (&["--user", "ann", "--event", "0"][..], "0 is not in 1.."),
        (&["--user", "", "--event", "1"], "a value is required"),
        (&["--user", "ann"], "--event <ID>"),
        (&["--user", "ann", "--event", "1", "--subscriptions", "nope"], "unknown event types in subscriptions: nope"),
    ] {
        let (code, out, err) = answer(arguments).await;
        assert!(code != Some(0) && out.is_empty() && err.contains(complaint), "{arguments:?}: {code:?} {out} {err}");
    }
    let denied = run(&db.url_as(Role::App), &["--user", "ann", "--event", "1"]).await;
    assert!(!denied.status.success() && String::from_utf8_lossy(&denied.stderr).contains("permission denied"));
}

#[tokio::test]
async fn a_real_stream_gets_what_it_says() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let reader = db.connect_as(Role::Reader).await;
    let server = Server::start(&db).await;
    let mut ann = connect(&server, "ann", None).await;
    insert(&app, 1, "o2").await;
    insert(&app, 2, "o1").await;
    let got = ann.next_of("document_processing").await.json();
    assert_eq!(got["id"], "2");
    says(refusal(&reader, "'ann', 1").await, ("member", "not a member of o2"));
    eventually("the event to be delivered", async || {
        explain(&reader, "'ann', 2").await.last().unwrap().1.unwrap_or(false).then_some(())
    })
    .await;
    server.stop().await;
}
