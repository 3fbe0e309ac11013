//! What becomes of one row: INSERT, UPDATE and DELETE, keys, and the columns of an event.

use serde_json::json;

use super::{ATTACH_DOCS, DOCS, Stage};

#[tokio::test]
async fn a_row_written_by_an_app_without_rights_becomes_an_event() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    stage.write("INSERT INTO docs VALUES (1, 'acme', 'a')").await;
    stage.write("UPDATE docs SET title = 'b'").await;
    stage.write("DELETE FROM docs").await;
    let events = stage.events().await;
    let summaries: Vec<_> = events.iter().map(super::Event::summary).collect();
    assert_eq!(summaries, ["INSERT 1 @acme", "UPDATE 1 @acme", "DELETE 1 @acme"]);
    assert_eq!(events[0].data, json!({"id": 1, "org": "acme", "title": "a"}));
    assert_eq!(events[1].data, json!({"id": 1, "org": "acme", "title": "b"}));
    assert_eq!(events[2].data, json!({"id": 1, "org": "acme", "title": "b"}));
    for event in &events {
        assert_eq!(event.kind, "document_processing");
        assert_eq!(event.source.as_deref(), Some("public.docs"));
        assert_eq!(event.priority, "medium");
        assert_eq!((&event.user_id, &event.chatbot_id, &event.session_id), (&None, &None, &None));
    }
}

#[tokio::test]
async fn without_an_organization_argument_events_are_platform_wide() {
    let stage = Stage::new(DOCS).await;
    stage.attach("'public.docs', 'document_processing'").await;
    stage.write("INSERT INTO docs VALUES (1, 'acme', 'a')").await;
    assert_eq!(stage.told().await, ["INSERT 1 all"]);
}

#[tokio::test]
async fn expressions_map_a_row_to_the_columns_of_an_event() {
    let stage = Stage::new(
        "CREATE TABLE public.messages (id int PRIMARY KEY, org int, who uuid, bot int, session text, urgent boolean)",
    )
    .await;
    stage
        .attach(
            "'public.messages', 'conversation_activity', organization_id => 'r.org', user_id => 'r.who', chatbot_id => 'r.bot',
             session_id => 'r.session', priority => $$CASE WHEN r.urgent THEN 'critical' ELSE 'low' END$$,
             data => $$jsonb_build_object('messageId', r.id)$$",
        )
        .await;
    stage.write("INSERT INTO messages VALUES (1, 7, '00000000-0000-0000-0000-00000000000a', 3, 's', true), (2, 7, NULL, NULL, NULL, false)").await;
    let events = stage.events().await;
    assert_eq!(events[0].organization_id.as_deref(), Some("7"));
    assert_eq!(events[0].user_id.as_deref(), Some("00000000-0000-0000-0000-00000000000a"));
    assert_eq!(events[0].chatbot_id.as_deref(), Some("3"));
    assert_eq!(events[0].session_id.as_deref(), Some("s"));
    assert_eq!(events[0].priority, "critical");
    assert_eq!(events[0].data, json!({"messageId": 1}));
    assert_eq!(events[1].priority, "low");
    assert_eq!((&events[1].user_id, &events[1].chatbot_id, &events[1].session_id), (&None, &None, &None));
}

#[tokio::test]
async fn odd_results_of_expressions_do_not_fail_the_write() {
    let stage = Stage::new(DOCS).await;
    stage
        .attach(
            "'public.docs', 'document_processing', organization_id => 'r.org', priority => 'r.title', data => 'NULL'",
        )
        .await;
    stage.write("INSERT INTO docs VALUES (1, 'acme', 'urgent'), (2, 'acme', NULL), (3, 'acme', 'high')").await;
    let events = stage.events().await;
    let priorities: Vec<_> = events.iter().map(|event| event.priority.as_str()).collect();
    assert_eq!(priorities, ["medium", "medium", "high"]);
    assert_eq!(events[0].data, json!({}));
}

#[tokio::test]
async fn an_update_that_changes_nothing_is_no_event() {
    // Types without an equality operator included.
    let stage = Stage::new("CREATE TABLE public.docs (id int PRIMARY KEY, a json, b point, c xml, d text)").await;
    stage.attach("'public.docs', 'document_processing'").await;
    stage.write(r#"INSERT INTO docs VALUES (1, '{"a": 1}', '(1,2)', '<a/>', NULL), (2, '{}', NULL, NULL, 'x')"#).await;
    stage.told().await;
    stage.write("UPDATE docs SET d = d WHERE id = 1").await;
    stage.write("UPDATE docs SET d = d, a = a").await;
    assert_eq!(stage.told().await, [""; 0]);
    stage.write("UPDATE docs SET b = '(2,1)' WHERE id = 1").await;
    stage.write("UPDATE docs SET d = 'x'").await;
    assert_eq!(stage.told().await, ["UPDATE 1 all", "UPDATE 1 all"]);
}

#[tokio::test]
async fn changed_columns_decide_which_updates_count() {
    let stage =
        Stage::new("CREATE TABLE public.docs (id int PRIMARY KEY, org text, status text, note json, seen timestamptz)")
            .await;
    stage
        .attach("'public.docs', 'document_processing', organization_id => 'r.org', changed_columns => '{status,note}'")
        .await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'new', '{}', now()), (2, 'a', 'new', '{}', now())").await;
    stage.told().await;
    stage.write("UPDATE docs SET seen = seen + interval '1s' WHERE id = 1").await;
    stage.write("UPDATE docs SET seen = seen + interval '1s'").await;
    assert_eq!(stage.told().await, [""; 0]);
    stage.write("UPDATE docs SET status = 'done' WHERE id = 1").await;
    stage.write("UPDATE docs SET status = 'done'").await;
    stage.write(r#"UPDATE docs SET note = '{"x":1}' WHERE id = 1"#).await;
    assert_eq!(stage.told().await, ["UPDATE 1 @a", "UPDATE 2 @a", "UPDATE 1 @a"]);
    // Who sees the row is never a matter of which columns count.
    stage.write("UPDATE docs SET org = 'b' WHERE id = 1").await;
    assert_eq!(stage.told().await, ["DELETE 1 @a", "INSERT 1 @b"]);
}

#[tokio::test]
async fn only_the_named_operations_are_watched() {
    let stage = Stage::new(DOCS).await;
    stage.attach("'public.docs', 'document_processing', operations => '{insert,DELETE}'").await;
    stage.write("INSERT INTO docs VALUES (1)").await;
    stage.write("UPDATE docs SET title = 'x'").await;
    stage.write("DELETE FROM docs").await;
    assert_eq!(stage.told().await, ["INSERT 1 all", "DELETE 1 all"]);
}

#[tokio::test]
async fn a_change_of_the_key_is_a_delete_and_an_insert() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'x'), (2, 'a', 'y')").await;
    stage.told().await;
    stage.write("UPDATE docs SET id = 10 WHERE id = 1").await;
    assert_eq!(stage.told().await, ["DELETE 1 @a", "INSERT 10 @a"]);
}

#[tokio::test]
async fn a_key_handed_from_row_to_row_ends_on_its_insert() {
    let stage =
        Stage::new("CREATE TABLE public.docs (id int PRIMARY KEY DEFERRABLE INITIALLY IMMEDIATE, title text)").await;
    stage.attach("'public.docs', 'document_processing'").await;
    stage.write("INSERT INTO docs VALUES (1, 'a'), (2, 'b'), (3, 'c')").await;
    stage.told().await;
    stage.write("UPDATE docs SET id = id + 1").await;
    assert_eq!(
        stage.told().await,
        ["DELETE 1 all", "DELETE 2 all", "DELETE 3 all", "INSERT 2 all", "INSERT 3 all", "INSERT 4 all"]
    );
}

#[tokio::test]
async fn keys_are_text_whatever_their_type() {
    for (columns, row, key) in [
        ("id bigint PRIMARY KEY", "9007199254740993", "9007199254740993"),
        ("id uuid PRIMARY KEY", "'00000000-0000-0000-0000-00000000000A'", "00000000-0000-0000-0000-00000000000a"),
        ("id text PRIMARY KEY", "'a \"b\"'", "a \"b\""),
        ("id char(4) PRIMARY KEY", "'a'", "a   "),
        ("id boolean PRIMARY KEY", "true", "true"),
        ("id numeric PRIMARY KEY", "1.50", "1.50"),
        ("id timestamptz PRIMARY KEY", "'2026-01-02 03:04:05+02'", "2026-01-02T01:04:05+00:00"),
        ("id date PRIMARY KEY", "'2026-01-02'", "2026-01-02"),
        ("a int, b text, PRIMARY KEY (b, a)", "1, 'x'", r#"["x", 1]"#),
        ("a bigint, b numeric, PRIMARY KEY (a, b)", "9007199254740993, 1.50", r#"["9007199254740993", "1.50"]"#),
        ("a bigint, b bigint, PRIMARY KEY (a, b)", "-9007199254740991, 7", "[-9007199254740991, 7]"),
        ("a text", "'x'", "-"),
    ] {
        let stage = Stage::new(&format!("CREATE TABLE public.t ({columns})")).await;
        stage.attach("'public.t', 'user_activity'").await;
        stage
            .write(&format!("SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'; INSERT INTO t VALUES ({row})"))
            .await;
        assert_eq!(stage.told().await, [format!("INSERT {key} all")], "{columns}");
    }
}

#[tokio::test]
async fn a_table_without_a_key_is_captured_row_by_row() {
    let stage = Stage::new("CREATE TABLE public.t (a int, b text)").await;
    let notices = stage.notices("SELECT rowcast.attach('public.t', 'user_activity')").await;
    assert!(notices.iter().any(|notice| notice.contains("no primary key")), "{notices:?}");
    stage.write("INSERT INTO t VALUES (1, 'x'), (1, 'x'), (NULL, NULL)").await;
    stage.write("UPDATE t SET b = 'y' WHERE a = 1").await;
    stage.write("DELETE FROM t WHERE a IS NULL").await;
    let events = stage.events().await;
    let operations: Vec<_> = events.iter().map(|event| event.operation.as_str()).collect();
    assert_eq!(operations, ["INSERT", "INSERT", "INSERT", "UPDATE", "UPDATE", "DELETE"]);
    assert_eq!(events[4].data, json!({"a": 1, "b": "y"}));
    assert_eq!(events[5].data, json!({"a": null, "b": null}));
}

#[tokio::test]
async fn one_table_can_be_attached_to_several_types() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    stage.attach("'public.docs', 'user_activity', organization_id => 'r.org', filter => $$r.title = 'x'$$").await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'x')").await;
    let mut kinds: Vec<_> = stage.events().await.into_iter().map(|event| event.kind).collect();
    kinds.sort();
    assert_eq!(kinds, ["document_processing", "user_activity"]);
}
