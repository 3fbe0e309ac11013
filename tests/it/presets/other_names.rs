//! An app whose tables have other names for everything, and other types.

use serde_json::{Value, json};

use super::Stage;

pub(super) const TABLES: &str = r#"
    CREATE TABLE "Tenants" ("tenantId" uuid PRIMARY KEY);
    CREATE TABLE bots (bot int PRIMARY KEY, tenant uuid);
    CREATE TABLE threads (thread uuid PRIMARY KEY, "botRef" int);
    CREATE TYPE file_state AS ENUM ('in the queue', 'Reading', 'shredded', 'all good');
    CREATE TABLE files ("fileId" int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "ownedBy" uuid, "originalName" varchar(200), state file_state, done real,
        arrived timestamp, "leftAt" timestamp, problem text, bytes bigint);
    CREATE TABLE msgs ("msgId" uuid PRIMARY KEY DEFAULT gen_random_uuid(), thread uuid, "isBot" boolean, words text, sent timestamp);
    CREATE TABLE "Figures" (bot int, at timestamp, talks int, "avgSeconds" interval, good int, bad int, tok int, cents int);
    INSERT INTO bots VALUES (3, '00000000-0000-0000-0000-0000000000f1');
    INSERT INTO threads VALUES ('00000000-0000-0000-0000-00000000000a', 3)"#;

/// The organization that all of it belongs to.
const TENANT: &str = "00000000-0000-0000-0000-0000000000f1";

/// Where everything is in this app.
pub(super) fn arguments() -> Value {
    json!({
        "chatbots.table": "bots", "chatbots.id": "r.bot", "chatbots.organization": "r.tenant",
        "sessions.table": "threads", "sessions.id": "r.thread", "sessions.chatbot": "r.\"botRef\"",
        "documents.table": "files", "documents.id": "r.\"fileId\"", "documents.organization_id": "r.\"ownedBy\"",
        "documents.filename": "r.\"originalName\"", "documents.status": "r.state -- an enum",
        "documents.status_words": "{\"in the queue\": \"upload\", \"reading\": \"ocr\", \"Shredded\": \"failed\", \"all good\": \"completed\"}",
        "documents.progress": "r.done", "documents.progress_max": "1", "documents.error": "r.problem",
        "documents.uploaded": "r.arrived", "documents.finished": "r.\"leftAt\"",
        "documents.metadata": "CASE WHEN r.bytes > 0 THEN jsonb_build_object('kb', r.bytes / 1024) END",
        "messages.table": "msgs", "messages.id": "r.\"msgId\"", "messages.session": "r.thread",
        "messages.role": "CASE WHEN r.\"isBot\" THEN 'bot' ELSE 'user' END", "messages.content": "r.words", "messages.created": "r.sent",
        "metrics.table": "Figures", "metrics.chatbot_id": "r.bot", "metrics.active_conversations": "r.talks",
        "metrics.response_time": "extract(epoch FROM r.\"avgSeconds\") * 1000",
        "metrics.success_rate": "r.good::numeric / nullif(r.good + r.bad, 0)", "metrics.tokens": "r.tok", "metrics.cost": "r.cents / 100.0",
    })
}

#[tokio::test]
async fn everything_may_be_called_otherwise() {
    let stage = Stage::new(TABLES).await;
    let attached = stage.attach("chatbot", &arguments()).await;
    assert_eq!(
        attached,
        ["app.files document_processing", "app.msgs conversation_activity", "app.Figures chatbot_metrics"]
    );

    stage
        .write(&format!(
            r#"SET TimeZone = 'Asia/Tokyo';
               INSERT INTO files ("ownedBy", "originalName", state, done, arrived, bytes) VALUES ('{TENANT}', 'a.pdf', 'in the queue', 0, '2026-03-29 01:59:59', 4096);
               UPDATE files SET state = 'Reading', done = 0.5;
               UPDATE files SET state = 'shredded', problem = 'unreadable', "leftAt" = '2026-03-29 03:00:00', bytes = 0"#
        ))
        .await;
    let events = stage.events().await;
    assert!(events.iter().all(|event| event.audience == TENANT && event.source == "app.files"), "{events:?}");
    let data: Vec<_> = events.iter().map(|event| event.data.clone()).collect();
    let document = |stage: &str, progress: f64, more: Value| {
        let mut data = json!({"documentId": "1", "filename": "a.pdf", "stage": stage, "progress": progress, "status": "processing"});
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        data
    };
    assert_eq!(data.iter().map(|data| data["progress"].as_f64().unwrap()).collect::<Vec<_>>(), [0.0, 50.0, 50.0]);
    let whole = |mut data: Value| {
        data["progress"] = json!(data["progress"].as_f64());
        data
    };
    assert_eq!(
        data.into_iter().map(whole).collect::<Vec<_>>(),
        [
            document("upload", 0.0, json!({"metadata": {"kb": 4}})),
            document("ocr", 50.0, json!({"metadata": {"kb": 4}})),
            // Neither the app's time zone nor summer time has a say.
            document("failed", 50.0, json!({"status": "failed", "error": "unreadable", "processingTime": 3_601_000})),
        ]
    );

    stage
        .write(
            r#"INSERT INTO msgs (thread, "isBot", words, sent) VALUES ('00000000-0000-0000-0000-00000000000a', false, 'Where is it?', '2026-03-01 10:00:00');
               INSERT INTO msgs (thread, "isBot", words, sent) VALUES ('00000000-0000-0000-0000-00000000000a', true, 'Here.', '2026-03-01 10:00:01.2')"#,
        )
        .await;
    let events = stage.events().await;
    let [question, answer] = &events[..] else { panic!("{events:?}") };
    assert_eq!((answer.audience.as_str(), answer.chatbot.as_deref()), (TENANT, Some("3")));
    assert_eq!(question.data["messageType"], "user_message");
    assert_eq!(
        (&answer.data["messageType"], &answer.data["content"], &answer.data["responseTime"]),
        (&json!("bot_response"), &json!("Here."), &json!(1200))
    );

    stage.write(r#"INSERT INTO "Figures" VALUES (3, now(), 2, '1.5 s', 3, 1, 900, 12), (3, now(), 2, '1.5 s', 0, 0, 900, 12)"#).await;
    let figures = stage.only().await;
    let figure = |key: &str| figures[key].as_f64().unwrap();
    assert_eq!((figure("responseTime"), figure("successRate"), figure("cost")), (1500.0, 0.75, 0.12));
}

#[tokio::test]
async fn tables_may_be_in_several_schemas() {
    let stage = Stage::new("CREATE TABLE messages (id int PRIMARY KEY, thread int, role text)").await;
    stage
        .writer
        .batch_execute(r#"CREATE TABLE public."Threads" (id int PRIMARY KEY, organization_id text); INSERT INTO public."Threads" VALUES (7, 'o1')"#)
        .await
        .unwrap();
    let arguments = json!({"sessions.table": "public.\"Threads\"", "messages.session": "r.thread"});
    stage.attach("chatbot", &arguments).await;
    stage.write("INSERT INTO messages VALUES (1, 7, 'user')").await;
    assert_eq!(stage.events().await[0].audience, "o1");
}

/// An expression means what it means to whoever gives it, and what is built in means what it is built to.
#[tokio::test]
async fn somebody_elses_function_is_not_taken_for_ours() {
    let stage = Stage::new(
        "CREATE TABLE documents (id int PRIMARY KEY, organization_id text, filename varchar(20), status varchar(20))",
    )
    .await;
    stage
        .writer
        .batch_execute(
            "CREATE FUNCTION public.num_nulls(text, text) RETURNS int LANGUAGE sql AS 'SELECT 0';
             CREATE FUNCTION public.shout(text) RETURNS text LANGUAGE sql AS 'SELECT upper($1)';
             CREATE FUNCTION public.jsonb_strip_nulls(jsonb, boolean DEFAULT false) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
             CREATE FUNCTION public.nullif_of(varchar, varchar) RETURNS text LANGUAGE sql AS 'SELECT NULL'",
        )
        .await
        .unwrap();
    stage.attach("chatbot", &json!({"documents.filename": "shout(r.filename)"})).await;
    stage.write("INSERT INTO documents VALUES (1, 'o1', 'a.pdf', 'new')").await;
    assert_eq!(stage.only().await["filename"], "A.PDF");
}
