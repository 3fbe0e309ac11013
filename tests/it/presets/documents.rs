//! Documents: from the app's own words and figures to stages and progress.

use serde_json::{Value, json};

use super::Stage;

const DOCUMENTS: &str = "CREATE TABLE documents (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, organization_id text, filename text, status text,
    progress int, error_message text, uploaded_at timestamptz DEFAULT '2026-03-01 10:00Z', finished_at timestamptz, note text)";

#[tokio::test]
async fn the_usual_columns_need_no_argument() {
    let stage = Stage::new(DOCUMENTS).await;
    assert_eq!(stage.attach("chatbot", &json!({})).await, ["app.documents document_processing"]);
    stage
        .write(
            "INSERT INTO documents (organization_id, filename, status, progress) VALUES ('o1', 'a.pdf', 'queued', 3)",
        )
        .await;
    let [event] = &stage.events().await[..] else { panic!("one row, one event") };
    assert_eq!((event.audience.as_str(), event.priority.as_str()), ("o1", "medium"));
    assert_eq!(
        event.data,
        json!({"documentId": "1", "filename": "a.pdf", "stage": "upload", "progress": 3, "status": "processing"})
    );

    stage.write("UPDATE documents SET status = 'failed', error_message = 'no text in it', finished_at = '2026-03-01 10:00:02.5Z'").await;
    let [event] = &stage.events().await[..] else { panic!("one change, one event") };
    assert_eq!(event.priority, "high");
    assert_eq!(
        event.data,
        json!({"documentId": "1", "filename": "a.pdf", "stage": "failed", "progress": 3, "status": "failed",
               "error": "no text in it", "processingTime": 2500})
    );

    // What no event tells is none.
    stage.write("UPDATE documents SET note = 'seen'").await;
    assert!(stage.events().await.is_empty());
}

/// The words that are known without being told, as the documents list them.
const WORDS: [(&str, &str); 7] = [
    ("upload", "upload uploaded uploading new created queued pending waiting received scheduled"),
    (
        "ocr",
        "ocr processing in_progress inProgress IN-PROGRESS Running started active extracting parsing scanning converting",
    ),
    ("chunking", "chunking chunked splitting split"),
    ("embedding", "embedding embedded vectorizing encoding"),
    ("indexing", "indexing storing finalizing"),
    ("completed", "completed complete done DONE success succeeded successful finished processed indexed ready ok"),
    ("failed", "failed failure fail error Errored cancelled canceled aborted rejected timeout time_out"),
];

#[tokio::test]
async fn each_status_word_has_its_stage() {
    let stage = Stage::new(DOCUMENTS).await;
    stage.attach("chatbot", &json!({})).await;
    for (expected, words) in WORDS {
        for word in words.split(' ') {
            let insert = "INSERT INTO documents (organization_id, filename, status) VALUES ('o1', 'a', $1)";
            stage.app.execute(insert, &[&word]).await.unwrap();
            let data = stage.only().await;
            assert_eq!(data["stage"], expected, "{word}");
            let status = if ["completed", "failed"].contains(&expected) { expected } else { "processing" };
            assert_eq!(data["status"], status, "{word}");
        }
    }
    stage.write("INSERT INTO documents (organization_id, filename) VALUES ('o1', 'no word yet')").await;
    assert_eq!(stage.only().await["stage"], "upload");
}

#[tokio::test]
async fn words_of_ones_own_are_added_to_the_known_ones() {
    let stage = Stage::new(DOCUMENTS).await;
    let words = json!({"documents.status_words": {"On Fire": "failed", "ready": "indexing", "*": "chunking"}});
    stage.attach("chatbot", &words).await;
    stage
        .write("INSERT INTO documents (organization_id, filename, status) VALUES ('o1', 'a', 'onFire'), ('o1', 'b', 'ready'), ('o1', 'c', 'never heard'), ('o1', 'd', 'done')")
        .await;
    assert_eq!(stage.told("stage").await, ["failed", "indexing", "chunking", "completed"]);
}

#[tokio::test]
async fn words_that_nobody_knows_are_told_of() {
    let stage = Stage::new(DOCUMENTS).await;
    stage.write("INSERT INTO documents (organization_id, filename, status) VALUES ('o1', 'a', 'hibernating'), ('o1', 'b', 'done')").await;
    let notices =
        super::refusals::notices(&stage, "SELECT rowcast.attach_preset('chatbot', 'app', parts => '{documents}')")
            .await;
    let [notice] = &notices[..] else { panic!("{notices:?}") };
    assert_eq!(
        notice,
        "documents: words that are not known are taken for ocr: hibernating \
         Say what they mean, for example: --set documents.status_words='{\"hibernating\": \"ocr\"}'."
    );
}

#[tokio::test]
async fn progress_is_percent_whatever_the_app_counts_in() {
    for (kind, arguments, values) in [
        ("int", json!({}), [("62", 62.0), ("0", 0.0), ("140", 100.0), ("-1", 0.0)]),
        (
            "real",
            json!({"documents.progress_max": "1"}),
            [("0.25", 25.0), ("1", 100.0), ("'NaN'", 60.0), ("'-Infinity'", 60.0)],
        ),
        (
            "numeric",
            json!({"documents.progress_max": "1.0"}),
            [("0.257", 25.7), ("1e-20", 0.0), ("'NaN'", 60.0), ("NULL", 60.0)],
        ),
        (
            "bigint",
            json!({"documents.progress_max": "r.pages"}),
            [("3", 30.0), ("10", 100.0), ("11", 100.0), ("0", 0.0)],
        ),
    ] {
        let stage = Stage::new(&format!(
            "CREATE TABLE documents (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), organization_id int, filename text, status text, progress {kind}, pages int DEFAULT 10)"
        ))
        .await;
        stage.attach("chatbot", &arguments).await;
        for (value, expected) in values {
            stage.write(&format!("INSERT INTO documents (organization_id, filename, status, progress) VALUES (1, 'a', 'embedding', {value})")).await;
            assert_eq!(stage.only().await["progress"].as_f64(), Some(expected), "{kind} {value}");
        }
    }
}

#[tokio::test]
async fn without_progress_the_stage_says_how_far_it_is() {
    let stage =
        Stage::new("CREATE TABLE documents (id int PRIMARY KEY, organization_id text, title text, status text)").await;
    stage.attach("chatbot", &json!({})).await;
    stage.write("INSERT INTO documents VALUES (1, 'o1', 'A title', 'new')").await;
    for word in ["ocr", "chunking", "embedding", "indexing", "done", "error"] {
        stage.write(&format!("UPDATE documents SET status = '{word}'")).await;
    }
    let progress: Vec<Value> = stage.told("progress").await;
    assert_eq!(progress, [0, 20, 40, 60, 80, 100, 0]);
}

#[tokio::test]
async fn what_looks_secret_in_metadata_is_not_sent_and_what_is_no_object_neither() {
    let stage = Stage::new(
        "CREATE TABLE documents (id int PRIMARY KEY, organization_id text, filename text, status text, metadata json)",
    )
    .await;
    stage.attach("chatbot", &json!({})).await;
    stage
        .write(
            r#"INSERT INTO documents VALUES (1, 'o1', 'a', 'new', '{"pages": 3, "s3": {"secret_key": "x", "bucket": "b"}}'), (2, 'o1', 'b', 'new', '[1]'), (3, 'o1', 'c', 'new', NULL)"#,
        )
        .await;
    assert_eq!(stage.told("metadata").await, [json!({"pages": 3, "s3": {"bucket": "b"}}), Value::Null, Value::Null]);
}

#[tokio::test]
async fn a_status_that_is_read_from_the_row_as_a_whole_makes_any_update_count() {
    let stage = Stage::new(
        "CREATE TABLE documents (id int PRIMARY KEY, organization_id text, filename text, state text, progress int);
         CREATE FUNCTION state_of(d documents) RETURNS text LANGUAGE sql STABLE RETURN d.state",
    )
    .await;
    for expression in ["to_jsonb(r) ->> 'state'", "app.state_of(r)", "coalesce(r.state, r::text)"] {
        stage.attach("chatbot", &json!({"documents.status": expression})).await;
        stage.write("INSERT INTO documents VALUES (1, 'o1', 'a.pdf', 'pending', 5)").await;
        stage.write("UPDATE documents SET state = 'done'").await;
        stage.write("DELETE FROM documents").await;
        assert_eq!(stage.told("stage").await, ["upload", "completed", "completed"], "{expression}");
        stage.writer.batch_execute("SELECT rowcast.detach('app.documents')").await.unwrap();
    }
    // By its column alone, only that counts.
    stage.attach("chatbot", &json!({"documents.status": "r.state"})).await;
    stage
        .write("INSERT INTO documents VALUES (1, 'o1', 'a.pdf', 'pending', 5); UPDATE documents SET filename = 'b.pdf'")
        .await;
    assert_eq!(stage.told("stage").await, ["upload"]);
}

#[tokio::test]
async fn times_without_end_fail_no_write() {
    for time in ["timestamptz", "timestamp"] {
        let stage = Stage::new(&format!(
            "CREATE TABLE documents (id int PRIMARY KEY, organization_id text, filename text, status text, uploaded_at {time}, finished_at {time});
             CREATE TABLE messages (id int PRIMARY KEY, organization_id text, session_id int, role text, created_at {time})"
        ))
        .await;
        stage.attach("chatbot", &json!({})).await;
        stage
            .write(
                "INSERT INTO documents VALUES (1, 'o1', 'a', 'done', 'infinity', 'infinity'), (2, 'o1', 'a', 'done', '2026-01-01', 'infinity'),
                     (3, 'o1', 'a', 'done', '-infinity', '2026-01-01'), (4, 'o1', 'a', 'done', '4713-01-01 BC', '294276-01-01'),
                     (5, 'o1', 'a', 'done', '2026-01-01 00:00:00', '2026-01-01 00:00:02')",
            )
            .await;
        let (none, two) = (Value::Null, json!(2000));
        assert_eq!(
            stage.told("processingTime").await,
            [none.clone(), none.clone(), none.clone(), none.clone(), two],
            "{time}"
        );
        stage.write("INSERT INTO messages VALUES (1, 'o1', 7, 'user', '-infinity'), (2, 'o1', 7, 'bot', '2026-01-01'), (3, 'o1', 7, 'bot', 'infinity')").await;
        assert_eq!(stage.told("responseTime").await, [none.clone(), none.clone(), none], "{time}");
    }
}

#[tokio::test]
async fn what_json_and_numbers_cannot_hold_fails_no_write() {
    let stage = Stage::new(
        "CREATE TABLE documents (id int PRIMARY KEY, organization_id text, filename text, status text, metadata json, progress numeric);
         CREATE TABLE audit_log (id int PRIMARY KEY, organization_id text, user_id text, action text, details json)",
    )
    .await;
    stage.attach("chatbot", &json!({})).await;
    stage.attach("audit", &json!({})).await;
    stage
        .write(
            r#"INSERT INTO documents VALUES (1, 'o1', 'a', 'new', '{"a": "x\u0000"}', 1), (2, 'o1', 'a', 'new', '{"a": 1e400000}', ('1' || repeat('0', 400))::numeric),
                   (3, 'o1', 'a', 'new', '{"pages": 3, "password": "x"}', 12.345)"#,
        )
        .await;
    let events = stage.events().await;
    let told: Vec<_> =
        events.iter().map(|event| (&event.data["metadata"], event.data["progress"].as_f64().unwrap())).collect();
    let pages = json!({"pages": 3});
    assert_eq!(told, [(&Value::Null, 1.0), (&Value::Null, 100.0), (&pages, 12.35)]);
    stage
        .write(
            r#"INSERT INTO audit_log VALUES (1, 'o1', 'u', 'look', '"\ud800"'), (2, 'o1', 'u', 'look', '{"at": "x"}')"#,
        )
        .await;
    assert_eq!(stage.told("metadata").await, [Value::Null, json!({"at": "x"})]);
}
