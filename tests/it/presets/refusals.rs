//! What is said when a preset does not fit, and that nothing is attached then.

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio_postgres::{AsyncMessage, NoTls};

use super::Stage;
use crate::harness::Role;

/// The messages that statements raise for the writer, hints included.
pub(super) async fn notices(stage: &Stage, statements: &str) -> Vec<String> {
    let (client, mut connection) = tokio_postgres::connect(&stage.db.url_as(Role::Writer), NoTls).await.unwrap();
    let messages = stream::poll_fn(move |context| connection.poll_message(context));
    let run = async {
        client.batch_execute(statements).await.unwrap();
        drop(client);
    };
    let ((), messages) = tokio::join!(run, messages.collect::<Vec<_>>());
    let notices = messages.into_iter().filter_map(|message| match message.unwrap() {
        AsyncMessage::Notice(notice) if notice.severity() == "NOTICE" => {
            Some(format!("{} {}", notice.message(), notice.hint().unwrap_or_default()))
        }
        _ => None,
    });
    // Those of Postgres itself are none of ours.
    notices.filter(|notice| notice.starts_with("chatbot:") || notice.starts_with("documents:")).collect()
}

const FILES: &str = "CREATE TABLE files (id int PRIMARY KEY, organization_id text, name text, state text);
    CREATE TABLE messages (id int PRIMARY KEY, organization_id text, session_id int, role text)";

#[tokio::test]
async fn what_does_not_fit_is_named_with_what_there_is() {
    let stage = Stage::new(FILES).await;
    for (preset, arguments, parts, expected) in [
        ("chatbit", json!({}), None, "there is no preset 'chatbit' There are: audit, chatbot, sessions."),
        (
            "audit",
            json!({"audit.tabel": "x"}),
            None,
            "audit has no argument audit.tabel There are: audit.table, audit.user_id, audit.organization_id,",
        ),
        (
            "audit",
            json!({"documents.table": "x"}),
            None,
            "audit has no argument documents.table There are: users.table, users.id, users.organization, audit.table,",
        ),
        ("audit", json!({"audit.event_type": "x"}), None, "audit has no argument audit.event_type"),
        ("chatbot", json!([]), None, "arguments: a JSON object is needed"),
        (
            "chatbot",
            json!({}),
            Some(&["chatbots"][..]),
            "chatbot has no part chatbots There are: documents, chunks, messages, metrics, health, errors, alerts, activity.",
        ),
        (
            "chatbot",
            json!({}),
            Some(&["documents"][..]),
            "documents: there is no table documents Say which: --set documents.table=TABLE",
        ),
        ("chatbot", json!({"documents.table": "filez"}), None, "documents: there is no table filez Say which"),
        ("chatbot", json!({"documents.table": null}), None, "documents: there is no table  Say which"),
        ("chatbot", json!({"documents.table": "a b.\"c"}), None, "documents: there is no table a b.\"c"),
        (
            "chatbot",
            json!({"metrics.cost": "0"}),
            None,
            "metrics: there is no table daily_metrics or chatbot_metrics Say which: --set metrics.table=TABLE",
        ),
        (
            "chatbot",
            json!({"documents.table": "files"}),
            None,
            "documents: app.files has no column processing_status or status Say which: --set documents.status=r.COLUMN, or in SQL {\"documents.status\": \"r.COLUMN\"}. \
             Any SQL expression over r will do. Its columns: id, organization_id, name, state. Or leave documents out.",
        ),
        (
            "chatbot",
            json!({"documents.table": "files", "documents.status": "r.stat"}),
            None,
            "documents.status: not an expression over r:",
        ),
        (
            "chatbot",
            json!({"documents.table": "files", "documents.status": "r.state, r.name"}),
            None,
            "documents.status: not an expression over r:",
        ),
        (
            "chatbot",
            json!({"documents.table": "files", "documents.status": "r.state) FROM x; DROP TABLE files; --"}),
            None,
            "documents.status: not an expression over r:",
        ),
        (
            "chatbot",
            json!({"documents.table": "files", "documents.status": "r.state", "documents.progress": "r.name"}),
            None,
            "documents",
        ),
        (
            "chatbot",
            json!({"documents.table": "files", "documents.status": "r.state", "documents.data": " "}),
            None,
            "documents.data is empty",
        ),
        (
            "chatbot",
            json!({"documents.table": "files", "documents.status": "r.state", "documents.status_words": "{\"x\": \"lost\"}"}),
            None,
            "documents.status_words: no word can mean lost Use: chunking, completed, embedding, failed, indexing, ocr, upload.",
        ),
        (
            "chatbot",
            json!({"documents.table": "files", "documents.status": "r.state", "documents.status_words": "x=failed"}),
            None,
            "documents.status_words: not a JSON object of words: x=failed",
        ),
        ("chatbot", json!({"messages.session": "r.id", "messages.priority": "1 / 0 + 'x'"}), None, "messages"),
    ] {
        let refused = stage.try_attach(preset, &arguments, parts).await;
        let refused = refused.expect_err(&format!("{preset} {arguments} {parts:?} was accepted"));
        assert!(refused.starts_with(expected), "{arguments}: {refused}");
        assert_eq!(stage.attached().await, [""; 0], "{arguments}");
    }
    let elsewhere =
        stage.writer.query("SELECT * FROM rowcast.attach_preset('chatbot', 'nowhere')", &[]).await.unwrap_err();
    assert_eq!(elsewhere.as_db_error().unwrap().message(), "there is no schema 'nowhere'");
}

#[tokio::test]
async fn a_part_without_a_table_is_left_out_and_that_is_said() {
    let stage = Stage::new(FILES).await;
    let said = notices(&stage, "SELECT rowcast.attach_preset('chatbot', 'app')").await;
    assert_eq!(
        said,
        [
            "chatbot: these parts are left out, because their tables are not in the schema app: documents (documents), chunks (document_chunks or chunks), \
          metrics (daily_metrics or chatbot_metrics), health (system_events), errors (system_events), alerts (system_events), activity (system_events) \
          Where a table is called otherwise, say so: --set documents.table=TABLE, or in SQL {\"documents.table\": \"TABLE\"}."
        ]
    );
    assert_eq!(stage.attached().await, ["app.messages conversation_activity"]);
    // Those that nobody asked for are not missed.
    stage.writer.batch_execute("SELECT rowcast.detach('app.messages')").await.unwrap();
    let said = notices(&stage, "SELECT rowcast.attach_preset('chatbot', 'app', parts => '{messages}')").await;
    assert_eq!(said, [""; 0]);
    let none = stage.try_attach("audit", &json!({}), None).await.unwrap_err();
    assert!(none.starts_with("audit: none of its tables is in the schema app"), "{none}");
}

#[tokio::test]
async fn all_is_attached_or_nothing() {
    let stage = Stage::new(&format!(
        "{FILES}; CREATE TABLE daily_metrics (id int PRIMARY KEY, organization_id text, success_rate text)"
    ))
    .await;
    let documents = json!({"documents.table": "files", "documents.status": "r.state"});
    let refused = stage.try_attach("chatbot", &documents, None).await.unwrap_err();
    assert!(refused.starts_with("metrics: app.daily_metrics has no column active_conversations"), "{refused}");
    assert_eq!(stage.attached().await, [""; 0]);
    // One that fails only when it is attached, after others have been.
    let mut wrong = documents.clone();
    for figure in ["active_conversations", "response_time", "tokens", "cost"] {
        wrong[format!("metrics.{figure}")] = Value::from("1");
    }
    let refused = stage.try_attach("chatbot", &wrong, None).await.unwrap_err();
    assert!(refused.contains("json_number(text)"), "{refused}");
    assert_eq!(stage.attached().await, [""; 0]);

    let attached = stage.try_attach("chatbot", &documents, Some(&["documents", "messages"])).await.unwrap();
    assert_eq!(attached, ["app.files document_processing", "app.messages conversation_activity"]);
    let again = stage.try_attach("chatbot", &documents, Some(&["messages"])).await.unwrap_err();
    assert!(again.starts_with("app.messages is attached to conversation_activity already"), "{again}");
}

#[tokio::test]
async fn parts_that_nobody_asked_for_need_not_fit() {
    // Chunks whose document is of another type than the documents' key, and documents of which nothing is known.
    let stage = Stage::new(
        "CREATE TABLE documents (id uuid PRIMARY KEY, organization_id text, filename text, status text);
         CREATE TABLE chunks (id int PRIMARY KEY, document_id int);
         CREATE TABLE messages (id int PRIMARY KEY, organization_id text, session_id int, role text)",
    )
    .await;
    let all = stage.try_attach("chatbot", &json!({}), None).await.unwrap_err();
    assert!(all.starts_with("chunks.organization_id: not an expression over r"), "{all}");
    let attached = stage.try_attach("chatbot", &json!({}), Some(&["documents", "messages"])).await.unwrap();
    assert_eq!(attached, ["app.documents document_processing", "app.messages conversation_activity"]);
    // What the caller speaks of is looked at, asked for or not.
    let chunks = json!({"chunks.document": "r.document"});
    stage.writer.batch_execute("SELECT rowcast.detach('app.documents')").await.unwrap();
    let refused = stage.try_attach("chatbot", &chunks, Some(&["documents"])).await.unwrap_err();
    assert!(refused.starts_with("chunks.document: not an expression over r"), "{refused}");
}

#[tokio::test]
async fn only_the_owner_of_the_tables_may() {
    let stage = Stage::new(FILES).await;
    stage.writer.batch_execute("GRANT USAGE ON SCHEMA app TO PUBLIC").await.unwrap();
    let attach = "SELECT * FROM rowcast.attach_preset('chatbot', 'app')";
    let of_another = stage.owner.query(attach, &[]).await.unwrap_err();
    assert_eq!(
        of_another.as_db_error().unwrap().message(),
        "app.messages belongs to rowcast_test_writer, not to rowcast_test_owner"
    );
    for role in [Role::App, Role::Reader, Role::Server] {
        let refused = stage.db.connect_as(role).await.query(attach, &[]).await.unwrap_err();
        assert_eq!(refused.as_db_error().unwrap().code().code(), "42501", "{role:?}");
    }
    assert_eq!(stage.attached().await, [""; 0]);
}
