//! Chunks of documents: however many a statement stores, they are one step of each document.

use serde_json::{Value, json};

use super::Stage;

const CHUNKS: &str = "CREATE TABLE documents (id int PRIMARY KEY, organization_id text, filename text, processing_status text, progress int, page_count int);
    CREATE TABLE document_chunks (document_id int REFERENCES documents ON DELETE CASCADE, position int, content text, PRIMARY KEY (document_id, position));
    INSERT INTO documents VALUES (1, 'o1', 'a.pdf', 'ocr', 31), (2, 'o2', 'b.pdf', 'embedding', 62), (3, 'o1', 'c.pdf', 'completed', 100)";

#[tokio::test]
async fn ten_thousand_chunks_are_one_event() {
    let stage = Stage::new(CHUNKS).await;
    assert_eq!(
        stage.attach("chatbot", &json!({})).await,
        ["app.documents document_processing", "app.document_chunks document_processing"]
    );
    stage.write("INSERT INTO document_chunks SELECT 1, n, 'text' FROM generate_series(1, 10000) n").await;
    let events = stage.events().await;
    let [event] = &events[..] else { panic!("{} events", events.len()) };
    assert_eq!((event.audience.as_str(), event.source.as_str()), ("o1", "app.document_chunks"));
    assert_eq!(
        event.data,
        json!({"documentId": "1", "filename": "a.pdf", "stage": "chunking", "progress": 31, "status": "processing", "metadata": {"chunks": 10000}})
    );
}

#[tokio::test]
async fn each_document_of_a_statement_has_its_event_and_none_goes_back() {
    let stage = Stage::new(CHUNKS).await;
    stage.attach("chatbot", &json!({})).await;
    stage
        .write(
            "INSERT INTO document_chunks SELECT d, n, 'text' FROM generate_series(1, 3) d, generate_series(1, 5 * d) n",
        )
        .await;
    let events = stage.events().await;
    let mut told: Vec<_> = events
        .iter()
        .map(|event| {
            let data = &event.data;
            (
                event.audience.as_str(),
                data["stage"].as_str().unwrap(),
                data["status"].as_str().unwrap(),
                data["metadata"]["chunks"].as_i64().unwrap(),
            )
        })
        .collect();
    told.sort_unstable_by_key(|told| told.3);
    assert_eq!(
        told,
        [
            ("o1", "chunking", "processing", 5),
            ("o2", "embedding", "processing", 10),
            ("o1", "completed", "completed", 15)
        ]
    );
    // What happens to chunks afterwards is no progress.
    stage.app.batch_execute("UPDATE document_chunks SET content = 'other'; DELETE FROM document_chunks").await.unwrap();
    assert!(stage.events().await.is_empty());
}

#[tokio::test]
async fn chunks_may_be_called_otherwise_as_their_documents_may() {
    let stage = Stage::new(
        r#"CREATE TABLE files (file uuid PRIMARY KEY, tenant int, "fileName" text, state text);
           CREATE TABLE "Pieces" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "ofFile" uuid);
           INSERT INTO files VALUES ('00000000-0000-0000-0000-00000000000a', 7, 'a.pdf', 'queued')"#,
    )
    .await;
    let arguments = json!({
        "documents.table": "files", "documents.id": "r.file", "documents.organization_id": "r.tenant", "documents.filename": "r.\"fileName\"",
        "documents.status": "r.state", "chunks.table": "Pieces", "chunks.document": "r.\"ofFile\"",
    });
    // Chunks alone too: what they look up need not be attached itself.
    let attached = stage.try_attach("chatbot", &arguments, Some(&["chunks"])).await.unwrap();
    assert_eq!(attached, ["app.Pieces document_processing"]);
    stage.write(r#"INSERT INTO "Pieces" ("ofFile") SELECT '00000000-0000-0000-0000-00000000000a' FROM generate_series(1, 300)"#).await;
    let events = stage.events().await;
    let [event] = &events[..] else { panic!("{} events", events.len()) };
    assert_eq!(event.audience, "7");
    // There is no progress column: it follows from the stage.
    assert_eq!(
        (&event.data["stage"], &event.data["progress"], &event.data["metadata"]["chunks"]),
        (&json!("chunking"), &json!(40), &json!(300))
    );
}

#[tokio::test]
async fn chunks_need_their_documents() {
    let stage =
        Stage::new("CREATE TABLE document_chunks (document_id int, position int, PRIMARY KEY (document_id, position))")
            .await;
    let refused = stage.try_attach("chatbot", &json!({}), None).await.unwrap_err();
    assert!(
        refused.starts_with("chunks: there is no table documents Say which: --set documents.table=TABLE"),
        "{refused}"
    );
    let stage = Stage::new("CREATE TABLE documents (id int PRIMARY KEY, organization_id text, filename text); CREATE TABLE chunks (id int PRIMARY KEY, document_id int)").await;
    let refused = stage.try_attach("chatbot", &json!({}), Some(&["chunks"])).await.unwrap_err();
    assert!(
        refused.starts_with(
            "chunks: app.documents has no column processing_status or status Say which: --set documents.status="
        ),
        "{refused}"
    );
    let none: [Value; 0] = [];
    assert_eq!(stage.told("stage").await, none);
}
