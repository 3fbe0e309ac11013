//! What is subscribed to while a stream is open: by its owner alone, on whichever server is asked, in force when it is answered.

use serde_json::json;

use super::{asking, emit, hear, open, post, refusal};
use crate::{
    documents,
    harness::{Database, PATIENCE, Role, Server, eventually, sse, token},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_commits_after_the_answer_is_delivered_and_nothing_older_on_whichever_server_is_asked() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let servers = [Server::start(&db).await, Server::start(&db).await];
    let (mut client, id) = open(&servers[0], "ben", "subscriptions=document_processing").await;
    for (round, server) in [&servers[0], &servers[1]].into_iter().cycle().take(6).enumerate() {
        emit(&db, "system_health", "too early").await;
        emit(&db, "document_processing", &format!("document {round}")).await;
        let (status, body) = post(server, "ben", &asking(&id, "subscribe", &["system_health"])).await;
        assert_eq!((status, &body["success"]), (200, &json!(true)), "{body}");
        assert_eq!(body["eventTypes"], json!(["document_processing", "system_health"]));
        emit(&db, "system_health", &format!("health {round}")).await;
        assert_eq!(hear(&mut client).await, format!("document {round}"));
        assert_eq!(hear(&mut client).await, format!("health {round}"));
        let (status, body) = post(server, "ben", &asking(&id, "unsubscribe", &["system_health"])).await;
        assert_eq!((status, &body["eventTypes"]), (200, &json!(["document_processing"])), "{body}");
        emit(&db, "system_health", "too late").await;
    }
    emit(&db, "document_processing", "last").await;
    assert_eq!(hear(&mut client).await, "last");
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_commits_late_is_judged_by_when_it_commits() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let server = Server::start(&db).await;
    let slow = db.connect_as(Role::Writer).await;
    slow.batch_execute("BEGIN; SELECT rowcast.emit('system_health', 'o1', '{\"text\": \"slow\"}')").await.unwrap();
    emit(&db, "system_health", "too early").await;
    let (mut client, id) = open(&server, "ben", "subscriptions=document_processing").await;
    assert_eq!(post(&server, "ben", &asking(&id, "subscribe", &["system_health"])).await.0, 200);
    slow.batch_execute("COMMIT").await.unwrap();
    assert_eq!(hear(&mut client).await, "slow");
    server.stop().await;
}

/// The stream goes back, tells its cursor first, repeats nothing, and is as good to resume from as ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn since_brings_what_that_cursor_lacks() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let servers = [Server::start(&db).await, Server::start_with(&db, &[("ROWCAST_LOG_MIB", "1")]).await];
    let first = emit(&db, "system_health", "seen").await;
    for n in 0..3 {
        emit(&db, "system_health", &format!("health {n}")).await;
        emit(&db, "document_processing", &format!("document {n}")).await;
    }
    let mut documents: Vec<String> = (0..3).map(|n| format!("document {n}")).collect();
    for (round, (server, asked)) in [(0, 0), (0, 1), (1, 1)].into_iter().enumerate() {
        if server == 1 {
            // Out of the log: it has to be read from the outbox.
            let filling = "SELECT rowcast.emit('document_processing', 'o2', to_jsonb(repeat('x', 60000))) FROM generate_series(1, 40)";
            db.connect_as(Role::Writer).await.batch_execute(filling).await.unwrap();
        }
        let query = format!("subscriptions=document_processing&lastEventId={first}");
        let (mut client, id) = open(&servers[server], "ben", &query).await;
        for document in &documents {
            assert_eq!(hear(&mut client).await, *document);
        }
        let mut ask = asking(&id, "subscribe", &["system_health"]);
        ask["since"] = json!(first.to_string());
        let (status, body) = post(&servers[asked], "ben", &ask).await;
        assert_eq!(status, 200, "{body}");
        let back = client.next_event().await.unwrap();
        assert_eq!((back.event.as_str(), back.id.as_deref()), ("cursor", Some(first.to_string().as_str())));
        for n in 0..3 {
            assert_eq!(hear(&mut client).await, format!("health {n}"));
        }
        documents.push(format!("and on {round}"));
        emit(&db, "document_processing", &documents[round + 3]).await;
        assert_eq!(hear(&mut client).await, documents[round + 3]);
    }
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_may_be_narrowed_and_widened() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let server = Server::start(&db).await;
    let (mut client, id) = open(&server, "ben", "").await;
    let all = post(&server, "ben", &asking(&id, "subscribe", &["system_health"])).await.1["eventTypes"].clone();
    assert!(all.as_array().unwrap().len() > 5, "who has everything has it still: {all}");
    let (_, body) = post(&server, "ben", &asking(&id, "unsubscribe", &["document_processing", "user_activity"])).await;
    assert_eq!(body["eventTypes"].as_array().unwrap().len(), all.as_array().unwrap().len() - 2, "{body}");
    emit(&db, "document_processing", "unwanted").await;
    emit(&db, "system_health", "wanted").await;
    assert_eq!(hear(&mut client).await, "wanted");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_be_asked_for_is_refused_and_changes_nothing() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let servers = [Server::start(&db).await, Server::start(&db).await];
    let (mut client, id) = open(&servers[0], "ann", "subscriptions=document_processing").await;
    for server in &servers {
        for (user, ask, expected) in [
            ("ann", asking(&id, "subscribe", &["no_such_type"]), (400, "unknown_event_type")),
            ("ann", asking(&id, "unsubscribe", &["no_such_type"]), (400, "unknown_event_type")),
            ("ann", asking(&id, "subscribe", &["system_health"]), (403, "permission_required")),
            ("ann", asking(&id, "subscribe", &[]), (400, "no_valid_subscription")),
            ("ann", asking(&id, "dance", &["document_processing"]), (400, "invalid_action")),
            ("ann", asking("no-such-stream", "subscribe", &["document_processing"]), (404, "connection_not_found")),
            // Not even to an admin of the same organization, or platform staff.
            ("ben", asking(&id, "subscribe", &["conversation_activity"]), (404, "connection_not_found")),
            ("sam", asking(&id, "unsubscribe", &["document_processing"]), (404, "connection_not_found")),
            ("ann", json!({"connectionId": id, "action": "subscribe"}), (400, "invalid_body")),
            ("ann", json!({"action": "subscribe", "eventTypes": ["document_processing"]}), (400, "invalid_body")),
            ("ann", json!({"connectionId": id, "action": "subscribe", "eventTypes": "x"}), (400, "invalid_body")),
            (
                "ann",
                json!({"connectionId": id, "action": "subscribe", "eventTypes": ["conversation_activity"], "since": "x"}),
                (400, "invalid_since"),
            ),
            (
                "ann",
                json!({"connectionId": id, "action": "subscribe", "eventTypes": ["conversation_activity"], "since": "999999999"}),
                (400, "invalid_since"),
            ),
        ] {
            let answer = post(server, user, &ask).await;
            assert_eq!(refusal(&answer), expected, "{ask}");
            assert!(!answer.1.to_string().contains("no_such_type") && !answer.1.to_string().contains("dance"));
        }
    }
    emit(&db, "system_health", "not for ann").await;
    emit(&db, "conversation_activity", "not asked for").await;
    emit(&db, "document_processing", "as before").await;
    assert_eq!(hear(&mut client).await, "as before");
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_are_json_of_a_reasonable_size() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let sizes = [("ROWCAST_MAX_BODY_BYTES", "6000"), ("ROWCAST_MAX_HEADER_BYTES", "8192")];
    let server = Server::start_with(&db, &sizes).await;
    let bearer = format!("Authorization: Bearer {}\r\n", token("ann"));
    let json = format!("{bearer}Content-Type: application/json\r\n");
    let deep = format!("{{\"connectionId\":{}1{}}}", "[".repeat(2_500), "]".repeat(2_500));
    for (headers, body, expected) in [
        (&bearer, "{}", (415, "unsupported_media_type")),
        (&json, "", (400, "invalid_body")),
        (&json, "{", (400, "invalid_body")),
        (&json, "\u{0}", (400, "invalid_body")),
        (&json, deep.as_str(), (400, "invalid_body")),
        (&json, " ".repeat(6001).as_str(), (413, "body_too_large")),
        (
            &"Content-Type: application/json\r\n".to_owned(),
            "{\"connectionId\":\"\",\"action\":\"subscribe\"}",
            (401, "token_required"),
        ),
    ] {
        let mut answer = sse::Client::request(&server.url(), "POST", super::PATH, headers, body).await;
        let answer = (answer.status, serde_json::from_str(&answer.rest().await).unwrap());
        assert_eq!(refusal(&answer), expected);
    }
    let long = format!("X-Long: {}\r\n", "x".repeat(9_000));
    assert_eq!(sse::Client::request(&server.url(), "GET", "/livez", &long, "").await.status, 431);
    server.stop().await;
}

/// A server that has been killed cannot answer for its streams; one that is stopped does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_whose_server_does_not_answer_is_said_to_be_so() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let (mut owner, other) = (Server::start(&db).await, Server::start(&db).await);
    let (client, id) = open(&owner, "ann", "").await;
    owner.signal("STOP");
    let answer = post(&other, "ann", &asking(&id, "subscribe", &["document_processing"])).await;
    assert_eq!(refusal(&answer), (503, "connection_unanswered"));
    owner.signal("CONT");
    owner.kill().await;
    drop(client);
    let gone = async {
        eventually("the dead server's streams to be given up", async || {
            let answer = post(&other, "ann", &asking(&id, "subscribe", &["document_processing"])).await;
            (answer.0 == 404).then_some(())
        })
        .await;
    };
    tokio::time::timeout(PATIENCE * 2, gone).await.unwrap();
    other.stop().await;
}
