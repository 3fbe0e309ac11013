//! The stream over real HTTP: replay, splice, live; who gets what; how it ends.

use std::time::Duration;

use rowcast::access::token::sign;
use serde_json::{Value, json};

use crate::{
    documents::{connect, emit, get, insert, keys, next, prepare, status},
    harness::{self, Database, Role, Server, sse},
};

#[tokio::test]
async fn a_row_arrives_as_it_was_written() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let server = Server::start(&db).await;
    let mut client = connect(&server, "ann", None).await;
    insert(&app, 7, "o1").await;
    let mut envelope = next(&mut client).await;
    let object = envelope.as_object_mut().unwrap();
    let timestamp = object.remove("timestamp").unwrap();
    assert!(timestamp.as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{timestamp}");
    assert!(object.remove("txid").unwrap().as_str().unwrap().parse::<u64>().is_ok());
    assert_eq!(
        envelope,
        json!({
            "id": "1", "type": "document_processing", "organizationId": "o1", "priority": "medium", "operation": "INSERT",
            "source": "public.documents", "key": "7", "data": {"id": 7, "organization_id": "o1", "title": "x"}
        })
    );
    server.stop().await;
}

#[tokio::test]
async fn who_comes_back_gets_what_was_missed_and_nothing_twice() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let server = Server::start(&db).await;
    let mut client = connect(&server, "ann", None).await;
    insert(&app, 1, "o1").await;
    let event = client.next_event().await.unwrap();
    let cursor = event.id.expect("the last frame of a write carries the cursor");
    drop(client);
    for id in 2..=4 {
        insert(&app, id, "o1").await;
    }
    insert(&app, 5, "o2").await;
    let mut client = connect(&server, "ann", Some(&cursor)).await;
    assert_eq!(keys(&mut client).await, ["2", "3", "4"]);
    insert(&app, 6, "o1").await;
    assert_eq!(keys(&mut client).await, ["6"], "live after the replay");
    server.stop().await;
}

#[tokio::test]
async fn another_server_goes_on_where_one_was_killed() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let mut first = Server::start(&db).await;
    let mut client = connect(&first, "ann", None).await;
    insert(&app, 1, "o1").await;
    let cursor = client.next_event().await.unwrap().id.unwrap();
    first.kill().await;
    insert(&app, 2, "o1").await;
    let second = Server::start(&db).await;
    let mut client = connect(&second, "ann", Some(&cursor)).await;
    insert(&app, 3, "o1").await;
    assert_eq!(keys(&mut client).await, ["2", "3"]);
    second.stop().await;
}

#[tokio::test]
async fn what_has_left_the_log_comes_from_the_outbox() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let server = Server::start_with(&db, &[("ROWCAST_LOG_MIB", "1")]).await;
    let mut live = connect(&server, "dora", None).await;
    let load = "INSERT INTO documents SELECT n, CASE WHEN n % 3 = 0 THEN 'o3' ELSE 'o1' END, repeat('x', 1000) FROM generate_series(1, 6000) n";
    app.execute(load, &[]).await.unwrap();
    let expected: Vec<String> = (1..=6_000).filter(|n| n % 3 != 0).map(|n| n.to_string()).collect();
    let mut replayed = connect(&server, "dora", Some("0")).await;
    for (who, client) in [("replayed", &mut replayed), ("live", &mut live)] {
        for key in &expected {
            assert_eq!(next(client).await["key"], **key, "{who}");
        }
    }
    insert(&app, 7_000, "o1").await;
    assert_eq!(keys(&mut replayed).await, ["7000"]);
    server.stop().await;
}

#[tokio::test]
async fn organizations_do_not_see_each_other() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let server = Server::start(&db).await;
    let mut ann = connect(&server, "ann", None).await;
    let mut dora = connect(&server, "dora", None).await;
    let mut sam = connect(&server, "sam", None).await;
    let mut only_o2 =
        sse::Client::connect_with(&server.url(), "organizationId=o2", &harness::token("dora"), None).await;
    assert_eq!(status(&mut only_o2).await["organizations"], json!(["o2"]));
    insert(&app, 1, "o2").await;
    insert(&app, 2, "o3").await;
    app.execute("INSERT INTO documents VALUES (3, NULL, 'of nobody')", &[]).await.unwrap();
    insert(&app, 4, "o1").await;
    emit(&db, "'document_processing', NULL, '{\"for\": \"all\"}'").await;
    assert_eq!(keys(&mut ann).await, ["4"]);
    assert_eq!(keys(&mut dora).await, ["1", "4"]);
    assert_eq!(keys(&mut sam).await, ["1", "2", "4"]);
    assert_eq!(keys(&mut only_o2).await, ["1"]);
    for client in [&mut ann, &mut dora, &mut sam, &mut only_o2] {
        assert_eq!(next(client).await["data"], json!({"for": "all"}), "what is platform-wide is for everybody");
    }
    server.stop().await;
}

#[tokio::test]
async fn types_need_their_permission_and_fields_theirs() {
    let db = Database::new().await;
    prepare(&db).await;
    let server = Server::start(&db).await;
    let mut ann = connect(&server, "ann", None).await;
    let mut ben = connect(&server, "ben", None).await;
    let mut sam = connect(&server, "sam", None).await;
    emit(&db, "'error_notification', 'o1', '{\"message\": \"m\", \"stackTrace\": \"secret\"}'").await;
    emit(&db, "'system_health', NULL, '{\"status\": \"down\"}'").await;
    emit(&db, "'conversation_activity', 'o1', '{\"content\": \"hello\", \"status\": \"completed\"}'").await;
    assert_eq!(next(&mut ann).await["data"], json!({"content": "[FILTERED]", "status": "completed"}));
    assert_eq!(next(&mut ben).await["data"], json!({"message": "m", "stackTrace": "secret"}));
    assert_eq!(
        next(&mut ben).await["data"],
        json!({"content": "hello", "status": "completed"}),
        "not the platform's health"
    );
    assert_eq!(next(&mut sam).await["type"], "error_notification");
    assert_eq!(next(&mut sam).await["type"], "system_health");
    server.stop().await;
}

#[tokio::test]
async fn private_events_reach_their_user_and_admins() {
    let db = Database::new().await;
    prepare(&db).await;
    let owner = db.connect_as(Role::Writer).await;
    owner
        .batch_execute(
            "CREATE TABLE drafts (id int PRIMARY KEY, author text);
             SELECT rowcast.attach('drafts', 'document_processing', organization_id => '''o1''', user_id => 'r.author', private => true);",
        )
        .await
        .unwrap();
    let server = Server::start(&db).await;
    let mut ann = connect(&server, "ann", None).await;
    let mut dora = connect(&server, "dora", None).await;
    let mut ben = connect(&server, "ben", None).await;
    owner.batch_execute("INSERT INTO drafts VALUES (1, 'dora'); INSERT INTO drafts VALUES (2, 'ann')").await.unwrap();
    assert_eq!(keys(&mut ann).await, ["2"]);
    assert_eq!(keys(&mut dora).await, ["1"]);
    assert_eq!(keys(&mut ben).await, ["1", "2"]);
    server.stop().await;
}

#[tokio::test]
async fn a_subscription_narrows_the_stream() {
    let db = Database::new().await;
    prepare(&db).await;
    let server = Server::start(&db).await;
    let query = "subscriptions=user_activity,%20performance_alert";
    let mut ben = sse::Client::connect_with(&server.url(), query, &harness::token("ben"), None).await;
    assert_eq!(status(&mut ben).await["subscriptions"], json!(["performance_alert", "user_activity"]));
    emit(&db, "'document_processing', 'o1', '{}'").await;
    emit(&db, "'user_activity', 'o1', '{}'").await;
    assert_eq!(next(&mut ben).await["type"], "user_activity");
    server.stop().await;
}

#[tokio::test]
async fn the_heartbeat_moves_the_cursor_of_a_quiet_client() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let server = Server::start_with(&db, &[("ROWCAST_HEARTBEAT", "200ms")]).await;
    let mut ann = connect(&server, "ann", None).await;
    insert(&app, 1, "o2").await;
    insert(&app, 2, "o2").await;
    loop {
        let event = ann.next_event().await.unwrap();
        assert_eq!((&*event.event, &*event.data), ("cursor", "{}"));
        if event.id.as_deref() == Some("2") {
            break;
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_heartbeat_names_the_head_of_its_own_time() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    // Long enough that the row is in the log before the first heartbeat.
    let server = Server::start_with(&db, &[("ROWCAST_HEARTBEAT", "3s")]).await;
    let mut ann = connect(&server, "ann", None).await;
    insert(&app, 1, "o2").await;
    let event = ann.next_event().await.unwrap();
    assert_eq!((&*event.event, event.id.as_deref()), ("cursor", Some("1")), "the first heartbeat after the row");
    server.stop().await;
}

#[tokio::test]
async fn a_cursor_of_no_use_is_said_to_be_so() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let server = Server::start(&db).await;
    let mut client = connect(&server, "ann", Some("1")).await;
    assert_eq!(status(&mut client).await["reason"], "cursor_ahead", "nothing has been given out yet");
    insert(&app, 1, "o1").await;
    for (cursor, reason) in
        [("nonsense", "invalid_cursor"), ("5~7", "invalid_cursor"), ("999", "cursor_ahead"), ("1@3", "cursor_ahead")]
    {
        let mut client = connect(&server, "ann", Some(cursor)).await;
        let event = client.next_event().await.unwrap();
        let envelope: Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(envelope["data"], json!({"status": "reset", "reason": reason}), "{cursor}");
        assert!(event.id.is_some(), "it says from where the stream goes on");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let db = Database::new().await;
    prepare(&db).await;
    let server = Server::start(&db).await;
    let token = sign(harness::SECRET, "ann", Duration::from_secs(2)).unwrap();
    let mut client = sse::Client::connect(&server.url(), &token, None).await;
    assert_eq!(status(&mut client).await["status"], "connected");
    assert_eq!(status(&mut client).await["status"], "token_expiring");
    assert_eq!(status(&mut client).await, json!({"status": "closing", "reason": "token_expired"}));
    assert!(client.next_event().await.is_none());
    server.stop().await;
}

#[tokio::test]
async fn streams_say_goodbye_when_the_server_stops() {
    let db = Database::new().await;
    prepare(&db).await;
    let server = Server::start(&db).await;
    let mut client = connect(&server, "ann", None).await;
    server.stop().await;
    assert_eq!(status(&mut client).await, json!({"status": "closing", "reason": "unavailable"}));
    assert!(client.next_event().await.is_none());
}

#[tokio::test]
async fn changes_of_access_reach_open_streams() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let admin = db.connect().await;
    let server = Server::start(&db).await;
    let mut ann = connect(&server, "ann", None).await;
    admin.batch_execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o2', 'member')").await.unwrap();
    let changed = status(&mut ann).await;
    assert_eq!((&changed["status"], &changed["organizations"]), (&json!("access_changed"), &json!(["o1", "o2"])));
    insert(&app, 1, "o2").await;
    assert_eq!(keys(&mut ann).await, ["1"]);
    admin
        .batch_execute("DELETE FROM rowcast.memberships WHERE user_id = 'ann' AND organization_id = 'o1'")
        .await
        .unwrap();
    insert(&app, 2, "o1").await;
    insert(&app, 3, "o2").await;
    assert_eq!(status(&mut ann).await["organizations"], json!(["o2"]));
    assert_eq!(keys(&mut ann).await, ["3"], "what was committed after the revocation is not sent");
    admin.batch_execute("DELETE FROM rowcast.memberships WHERE user_id = 'ann'").await.unwrap();
    assert_eq!(status(&mut ann).await["status"], "access_changed");
    assert_eq!(status(&mut ann).await, json!({"status": "closing", "reason": "access_revoked"}));
    assert!(ann.next_event().await.is_none());
    assert_eq!(get(&server, "/api/v1/realtime/sse", Some(&harness::token("ann"))).await.0, 403);
    server.stop().await;
}

#[tokio::test]
async fn losing_the_organization_that_was_asked_for_ends_the_stream() {
    let db = Database::new().await;
    prepare(&db).await;
    let admin = db.connect().await;
    let server = Server::start(&db).await;
    let query = "organizationId=o1&subscriptions=document_processing";
    let mut dora = sse::Client::connect_with(&server.url(), query, &harness::token("dora"), None).await;
    assert_eq!(status(&mut dora).await["status"], "connected");
    let leave = "DELETE FROM rowcast.memberships WHERE user_id = 'dora' AND organization_id = 'o1'";
    admin.batch_execute(leave).await.unwrap();
    assert_eq!(status(&mut dora).await["status"], "access_changed");
    assert_eq!(status(&mut dora).await, json!({"status": "closing", "reason": "access_revoked"}), "she is still in o2");
    assert!(dora.next_event().await.is_none());
    server.stop().await;
}

#[tokio::test]
async fn refusals_say_why_and_repeat_nothing() {
    let db = Database::new().await;
    prepare(&db).await;
    let server = Server::start(&db).await;
    let path = "/api/v1/realtime/sse";
    let ann = harness::token("ann");
    let stranger = harness::token("stranger");
    let sam = harness::token("sam");
    let cases: [(&str, Option<&str>, u16, &str); 14] = [
        ("", None, 401, "token_required"),
        ("", Some("rubbish-<script>"), 401, "invalid_token"),
        ("", Some(&stranger), 403, "not_a_member"),
        ("?organizationId=o2", Some(&ann), 403, "not_a_member"),
        ("?organizationId=nowhere", Some(&ann), 403, "not_a_member"),
        ("?organizationId=%00", Some(&sam), 403, "not_a_member"),
        ("?subscriptions=system_health", Some(&ann), 403, "permission_required"),
        ("?subscriptions=document_processing,rubbish", Some(&ann), 400, "unknown_event_type"),
        ("?subscriptions=,%20,", Some(&ann), 400, "no_valid_subscription"),
        ("?subscriptions=", Some(&ann), 400, "no_valid_subscription"),
        ("?lastEventId=1&lastEventId=2", Some(&ann), 400, "invalid_query"),
        ("/nothing/rubbish", Some(&ann), 404, "not_found"),
        ("?access_token=rubbish", None, 401, "url_tokens_off"),
        ("?organizationId=rubbish", None, 401, "token_required"),
    ];
    for (query, token, expected, code) in cases {
        let (status, body) = get(&server, &format!("{path}{query}"), token).await;
        let body: Value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("{query}: {body}"));
        assert_eq!(
            (status, &body["error"]["code"], &body["success"]),
            (expected, &json!(code), &json!(false)),
            "{query}"
        );
        assert!(body["error"]["message"].as_str().is_some_and(|message| message.len() > 10));
        assert!(!body.to_string().contains("rubbish") && !body.to_string().contains("o2"), "{body}");
    }
    server.stop().await;
}

#[tokio::test]
async fn methods_and_paths_that_are_not_there() {
    let db = Database::new().await;
    let server = Server::start(&db).await;
    for (method, target, expected) in [
        ("HEAD", "/livez", 200),
        ("HEAD", "/readyz", 200),
        ("POST", "/livez", 405),
        ("PUT", "/api/v1/realtime/sse", 405),
        ("POST", "/api/v1/realtime/events", 405),
        ("DELETE", "/api/v1/realtime/stats", 405),
        ("POST", "/index.html", 405),
        ("POST", "/nonsense", 404),
        ("GET", "/../Cargo.toml", 404),
        ("GET", "/%2e%2e/Cargo.toml", 404),
    ] {
        let response = sse::Client::request(&server.url(), method, target, "", "").await;
        assert_eq!(response.status, expected, "{method} {target}");
        assert_eq!(response.header("allow").is_some(), expected == 405, "{method} {target}");
    }
    server.stop().await;
}

#[tokio::test]
async fn health_is_told() {
    let db = Database::new().await;
    let server = Server::start(&db).await;
    assert_eq!(get(&server, "/livez", None).await, (200, r#"{"status":"live"}"#.to_owned()));
    assert_eq!(get(&server, "/readyz", None).await, (200, r#"{"status":"ready"}"#.to_owned()));
    server.stop().await;
}
