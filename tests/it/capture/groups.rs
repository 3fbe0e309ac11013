//! `group_by`: one event for each group that a statement has changed.

use serde_json::json;

use super::{DOCS, Stage, words};
use crate::harness::Role;

/// Like the chunks of documents of `sql/chatbot/schema.sql`: whose they are, their document knows.
const CHUNKS: &str = "
    CREATE TABLE public.documents (id uuid PRIMARY KEY, org text);
    CREATE TABLE public.chunks (document_id uuid NOT NULL REFERENCES public.documents, position int, content text NOT NULL, PRIMARY KEY (document_id, position));
    INSERT INTO public.documents SELECT ('00000000-0000-0000-0000-00000000000' || i)::uuid, 'o' || i FROM generate_series(1, 3) i";

const ATTACH_CHUNKS: &str = "'public.chunks', 'document_processing',
    organization_id => '(SELECT d.org FROM documents d WHERE d.id = r.document_id)', group_by => 'r.document_id',
    data => $$jsonb_build_object('documentId', r.document_id, 'last', r.position, 'rows', rows,
                                 'chunks', (SELECT count(*) FROM chunks c WHERE c.document_id = r.document_id))$$";

/// A table of things in boxes.
const ITEMS: &str = "CREATE TABLE public.items (id int PRIMARY KEY, box text, org text, owner text, state text NOT NULL DEFAULT 'new', v int NOT NULL DEFAULT 0)";

pub(super) async fn items(arguments: &str) -> Stage {
    let stage = Stage::new(ITEMS).await;
    stage.attach(&format!("'public.items', 'user_activity', {arguments}")).await;
    stage
}

/// Each event as `OPERATION key audience rows`, sorted.
pub(super) async fn counted(stage: &Stage) -> Vec<String> {
    let mut told: Vec<_> = stage.events().await.iter().map(|e| format!("{} {}", e.summary(), e.data["rows"])).collect();
    told.sort();
    told
}

#[tokio::test]
async fn ten_thousand_chunks_of_a_document_are_one_event_and_one_notification() {
    let stage = Stage::new(CHUNKS).await;
    stage.attach(ATTACH_CHUNKS).await;
    let document = "00000000-0000-0000-0000-000000000001";
    stage
        .write(&format!("INSERT INTO chunks SELECT '{document}', i, repeat('x', 500) FROM generate_series(1, 10000) i"))
        .await;
    let events = stage.events().await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].summary(), format!("INSERT {document} @o1"));
    assert_eq!(events[0].source.as_deref(), Some("public.chunks"));
    // The lookup has seen all of the statement.
    assert_eq!(events[0].data, json!({"documentId": document, "last": 10000, "rows": 10000, "chunks": 10000}));
    stage.write("UPDATE chunks SET content = 'y' WHERE position <= 4000").await;
    stage.write("DELETE FROM chunks WHERE position > 100").await;
    let events = stage.events().await;
    assert_eq!(events.iter().map(|e| e.operation.as_str()).collect::<Vec<_>>(), ["UPDATE", "DELETE"]);
    assert_eq!([&events[0].data["rows"], &events[0].data["chunks"]], [4000, 10000]);
    assert_eq!([&events[1].data["rows"], &events[1].data["chunks"]], [9900, 100]);
}

#[tokio::test]
async fn each_group_has_an_event_of_its_own_and_the_row_written_last_speaks_for_it() {
    let stage = items("organization_id => 'r.org', group_by => 'r.box', user_id => 'r.owner', priority => $$CASE WHEN r.v > 5 THEN 'high' END$$, data => $$jsonb_build_object('rows', rows, 'id', r.id)$$").await;
    stage.write("INSERT INTO items (id, box, org, owner, v) VALUES (9, 'a', 'o1', 'ann', 1), (2, 'b', 'o1', 'ben', 9), (3, 'a', 'o1', 'cid', 7), (4, NULL, 'o1', 'dan', 1)").await;
    let mut events = stage.events().await;
    events.sort_by_key(|event| event.key.clone());
    assert_eq!(events.iter().map(super::Event::summary).collect::<Vec<_>>(), ["INSERT a @o1", "INSERT b @o1"]);
    assert_eq!(events.iter().map(|e| e.user_id.as_deref().unwrap()).collect::<Vec<_>>(), ["cid", "ben"]);
    assert_eq!(events.iter().map(|e| e.priority.as_str()).collect::<Vec<_>>(), ["high", "high"]);
    assert_eq!(events[0].data, json!({"rows": 2, "id": 3}));
    // Nothing of nothing.
    stage.write("INSERT INTO items (id) SELECT 1 WHERE false; UPDATE items SET v = v; UPDATE items SET v = 0 WHERE box IS NULL; DELETE FROM items WHERE box IS NULL").await;
    assert_eq!(stage.events().await.len(), 0);
}

#[tokio::test]
async fn a_group_in_two_organizations_is_two_groups_and_neither_hears_of_the_other() {
    let stage = items("organization_id => 'r.org', group_by => 'r.box', data => $$jsonb_build_object('rows', rows, 'owner', r.owner)$$").await;
    stage.write("INSERT INTO items (id, box, org, owner) VALUES (1, 'a', 'o1', 'ann'), (2, 'a', 'o2', 'ben'), (3, 'a', 'o1', 'ann'), (4, 'a', NULL, 'nil')").await;
    let told = |events: Vec<super::Event>| {
        let mut told: Vec<_> = events
            .iter()
            .map(|e| format!("{} {} {}", e.summary(), e.data["owner"].as_str().unwrap(), e.data["rows"]))
            .collect();
        told.sort();
        told
    };
    assert_eq!(told(stage.events().await), ["INSERT a @o1 ann 2", "INSERT a @o2 ben 1", "INSERT a nobody nil 1"]);
    // The organization that loses a row is told of the row as it was.
    stage.write("UPDATE items SET org = 'o2', owner = 'eve' WHERE id = 1").await;
    assert_eq!(told(stage.events().await), ["UPDATE a @o1 ann 1", "UPDATE a @o2 eve 1"]);
    stage.write("UPDATE items SET owner = 'x'").await;
    assert_eq!(told(stage.events().await), ["UPDATE a @o1 x 1", "UPDATE a @o2 x 2", "UPDATE a nobody x 1"]);
}

#[tokio::test]
async fn a_private_group_is_one_for_each_user() {
    let stage = items("user_id => 'r.owner', private => true, group_by => 'r.box'").await;
    stage.write("INSERT INTO items (id, box, owner) VALUES (1, 'a', 'ann'), (2, 'a', 'ben'), (3, 'a', 'ann'), (4, 'a', NULL)").await;
    assert_eq!(counted(&stage).await, ["INSERT a nobody 1", "INSERT a ~ann 2", "INSERT a ~ben 1"]);
    stage.write("UPDATE items SET owner = 'ben' WHERE id = 1").await;
    assert_eq!(counted(&stage).await, ["UPDATE a ~ann 1", "UPDATE a ~ben 1"]);
}

#[tokio::test]
async fn an_update_concerns_the_group_that_a_row_leaves_and_the_one_it_comes_to() {
    let stage = items(
        "organization_id => 'r.org', group_by => 'r.box', filter => $$r.state <> 'draft'$$, changed_columns => '{v}'",
    )
    .await;
    stage.write("INSERT INTO items (id, box, org, state) VALUES (1, 'a', 'o1', 'new'), (2, 'a', 'o1', 'new'), (3, 'b', 'o1', 'new'), (4, 'a', 'o1', 'draft')").await;
    assert_eq!(counted(&stage).await, ["INSERT a @o1 2", "INSERT b @o1 1"]);
    for (update, expected) in [
        ("box = 'b' WHERE id = 1", &["UPDATE a @o1 1", "UPDATE b @o1 1"][..]),
        // Of the columns that count none has changed.
        ("owner = 'x'", &[]),
        ("v = v + 1", &["UPDATE a @o1 1", "UPDATE b @o1 2"]),
        ("box = NULL WHERE id = 1", &["UPDATE b @o1 1"]),
        ("box = 'a' WHERE id = 1", &["UPDATE a @o1 1"]),
        // Out of the filter, while out of it, and back.
        ("state = 'draft' WHERE id = 3", &["UPDATE b @o1 1"]),
        ("box = 'c', v = 9 WHERE id IN (3, 4)", &[]),
        ("state = 'new' WHERE id = 3", &["UPDATE c @o1 1"]),
    ] {
        stage.write(&format!("UPDATE items SET {update}")).await;
        assert_eq!(counted(&stage).await, expected, "{update}");
    }
    stage.write("DELETE FROM items").await;
    assert_eq!(counted(&stage).await, ["DELETE a @o1 2", "DELETE c @o1 1"]);
    stage.write("TRUNCATE items").await;
    assert_eq!(stage.told().await, ["TRUNCATE - all"]);
}

#[tokio::test]
async fn only_the_operations_asked_for_make_events() {
    let stage = items("group_by => 'r.box', operations => '{INSERT}'").await;
    stage.write("INSERT INTO items VALUES (1, 'a'), (2, 'a') ON CONFLICT DO NOTHING; UPDATE items SET v = 1; DELETE FROM items; TRUNCATE items").await;
    assert_eq!(counted(&stage).await, ["INSERT a all 2"]);
}

#[tokio::test]
async fn without_data_it_says_which_group_and_how_many_rows() {
    let stage = Stage::new(
        "CREATE TABLE public.t (i int, l bigint, n numeric, d date, u uuid, j jsonb, b boolean, password text)",
    )
    .await;
    let row = "INSERT INTO t VALUES (1, 9007199254740993, 1.50, '2026-01-02', '00000000-0000-0000-0000-000000000001', '{\"a\": 1}', true, 'secret')";
    for (expression, key, group) in [
        ("r.i", "1", json!(1)),
        ("r.l", "9007199254740993", json!("9007199254740993")),
        ("r.n", "1.50", json!("1.50")),
        ("r.d", "2026-01-02", json!("2026-01-02")),
        ("r.u", "00000000-0000-0000-0000-000000000001", json!("00000000-0000-0000-0000-000000000001")),
        ("r.j", "{\"a\": 1}", json!({"a": 1})),
        ("r.b", "true", json!(true)),
        ("jsonb_build_array(r.i, r.d)", "[1, \"2026-01-02\"]", json!([1, "2026-01-02"])),
        ("date_trunc(''month'', r.d::timestamp) -- by month", "2026-01-01T00:00:00", json!("2026-01-01T00:00:00")),
        ("''all''", "all", json!("all")),
    ] {
        // No primary key, and not a word of it.
        let notices = stage
            .notices(&format!("SELECT rowcast.attach('public.t', 'user_activity', group_by => '{expression}')"))
            .await;
        assert_eq!(notices, [""; 0], "{expression}");
        stage.write(&format!("SET datestyle = 'SQL, DMY'; {row}; {row}; {row}")).await;
        let events = stage.events().await;
        assert_eq!(events.len(), 3);
        assert_eq!(events[0].key.as_deref(), Some(key), "{expression}");
        assert_eq!(events[0].data, json!({"group": group, "rows": 1}), "{expression}");
        stage.write("UPDATE t SET password = 'x'").await;
        assert_eq!(stage.only_data().await["rows"], 3);
        stage.write("DELETE FROM t").await;
        assert_eq!(stage.only_data().await, json!({"group": group, "rows": 3}));
        stage.own("SELECT rowcast.detach('public.t')").await;
    }
}

#[tokio::test]
async fn what_is_too_large_is_told_by_its_group_alone() {
    let stage = items("group_by => 'r.box', data => $$jsonb_build_object('big', repeat('x', r.v))$$").await;
    stage.write("INSERT INTO items (id, box, v) VALUES (1, 'a', 100000)").await;
    assert_eq!(stage.only_data().await, json!({"truncated": true, "group": "a"}));
    stage.write("INSERT INTO items (id, box, v) VALUES (2, repeat('y', 5000), 1)").await;
    let key: String = stage.superuser.query_one("SELECT md5(repeat('y', 5000))", &[]).await.unwrap().get(0);
    assert_eq!(stage.told().await, [format!("INSERT {key} all")]);
    // As for rows: nothing of a data that is nothing.
    stage.own("SELECT rowcast.detach('items'); SELECT rowcast.attach('items', 'user_activity', group_by => 'r.box', data => 'NULL::jsonb')").await;
    stage.write("INSERT INTO items (id, box) VALUES (3, 'a')").await;
    assert_eq!(stage.only_data().await, json!({}));
}

#[tokio::test]
async fn an_expression_that_fails_fails_the_write_or_is_skipped() {
    let arguments = "organization_id => 'r.org', group_by => '(10 / r.v)::text', data => $$jsonb_build_object('rows', rows, 'n', 1 / (rows - 3))$$";
    let stage = items(arguments).await;
    let rows = "INSERT INTO items (id, org, v) VALUES (1, 'o1', 10), (2, 'o1', 0), (3, 'o1', 10), (4, 'o1', 5), (5, 'o1', 5), (6, 'o1', 5)";
    assert!(words(&stage.app.batch_execute(rows).await.unwrap_err()).contains("division by zero"));
    stage.own(&format!("SELECT rowcast.detach('items'); SELECT rowcast.attach('items', 'user_activity', {arguments}, on_error => 'skip')")).await;
    // A row that fails is left out of its group; a group that fails is left out.
    stage.write(rows).await;
    assert_eq!(counted(&stage).await, ["INSERT 1 @o1 2"]);
    stage.write("UPDATE items SET owner = 'x' WHERE id IN (1, 2)").await;
    assert_eq!(counted(&stage).await, ["UPDATE 1 @o1 1"]);
    stage.write("DELETE FROM items").await;
    assert_eq!(counted(&stage).await, ["DELETE 1 @o1 2"]);
    let noted = stage
        .superuser
        .query("SELECT operation || ' ' || message FROM rowcast.capture_errors ORDER BY id", &[])
        .await
        .unwrap();
    let noted: Vec<String> = noted.iter().map(|row| row.get(0)).collect();
    assert_eq!(noted, ["INSERT", "INSERT", "UPDATE", "DELETE", "DELETE"].map(|o| format!("{o} division by zero")));
}

#[tokio::test]
async fn what_cannot_be_a_group_is_refused_and_nothing_is_made() {
    let stage = Stage::new(&format!("{DOCS}; ALTER TABLE docs ADD j json, ADD p point")).await;
    for (arguments, complaint) in [
        ("group_by => 'count(*)'", "group_by: not an expression over r: aggregate functions are not allowed"),
        ("group_by => 'row_number() OVER ()'", "group_by: not an expression over r: window functions"),
        ("group_by => 'generate_series(1, r.id)'", "group_by: not an expression over r: set-returning functions"),
        ("group_by => 'r.nothing'", "The columns of r: id, org, title, j, p."),
        ("group_by => ' '", "group_by is empty"),
        ("group_by => 'r.org, r.title'", "syntax error"),
        ("group_by => '1); DROP TABLE docs; --'", "syntax error"),
        (
            "group_by => 'r.j'",
            "group_by: could not identify an equality operator for type json Group by a value that can be compared",
        ),
        ("group_by => 'r.p'", "group_by: could not identify an equality operator for type point"),
        ("group_by => 'rows'", "column \"rows\" does not exist"),
        ("group_by => 'r.id', user_id => 'rows'", "user_id: not an expression over r: column \"rows\" does not exist"),
        ("data => 'to_jsonb(rows)'", "data: not an expression over r: column \"rows\" does not exist"),
        ("group_by => 'r.id', data => 'rows'", "data: COALESCE types bigint and jsonb cannot be matched"),
        (
            "group_by => 'r.id', data => '(SELECT to_jsonb(count(*)) FROM rowcast.outbox)'",
            "rowcast_test_writer may not read rowcast.outbox",
        ),
        ("group_by => 'r.id', exclude => '{title}'", "exclude and group_by cannot both be given"),
    ] {
        let refusal = stage.refusal(&format!("'public.docs', 'user_activity', {arguments}")).await;
        assert!(refusal.contains(complaint), "{arguments}: {refusal}");
    }
    let made = "SELECT count(*) FROM pg_proc WHERE pronamespace::regnamespace::text = 'rowcast_capture_' || 'rowcast_test_writer'::regrole::oid";
    assert_eq!(stage.superuser.query_one(made, &[]).await.unwrap().get::<_, i64>(0), 0);
    stage.attach("'public.docs', 'user_activity', group_by => 'r.org'").await;
    let twice = stage.refusal("'public.docs', 'user_activity'").await;
    assert!(twice.contains("public.docs is attached to user_activity already"), "{twice}");
}

#[tokio::test]
async fn row_security_that_would_hide_what_data_counts_is_refused() {
    let stage = Stage::new(&format!("{DOCS}; CREATE TABLE public.hidden (id int); ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; ALTER TABLE hidden FORCE ROW LEVEL SECURITY")).await;
    let refusal = stage.refusal("'public.docs', 'user_activity', group_by => 'r.org', data => 'jsonb_build_object($$n$$, (SELECT count(*) FROM hidden))'").await;
    assert!(refusal.contains("row-level security hides rows of public.hidden"), "{refusal}");
}

#[tokio::test]
async fn the_registry_shows_the_group_and_preview_is_what_attach_runs() {
    let stage = Stage::new(ITEMS).await;
    let catalogs =
        "SELECT pg_get_functiondef(p.oid) || p.proacl::text || coalesce(obj_description(p.oid), '') FROM pg_proc p
        WHERE pronamespace::regnamespace::text = 'rowcast_capture_' || 'rowcast_test_writer'::regrole::oid ORDER BY 1";
    for arguments in [
        "group_by => 'r.box'",
        "organization_id => 'r.org', group_by => 'r.v', filter => 'r.id > 0', on_error => 'skip', user_id => 'r.owner', private => true",
    ] {
        let preview = stage
            .writer
            .query_one(&format!("SELECT rowcast.preview('items', 'user_activity', {arguments})"), &[])
            .await
            .unwrap();
        stage.attach(&format!("'items', 'user_activity', {arguments}")).await;
        for role in [Role::Writer, Role::Server, Role::Reader, Role::Owner] {
            let row = stage
                .db
                .connect_as(role)
                .await
                .query_one("SELECT group_by, data FROM rowcast.attachments", &[])
                .await
                .unwrap();
            assert!(arguments.contains(&format!("group_by => '{}'", row.get::<_, &str>(0))));
            assert_eq!(row.get::<_, Option<&str>>(1), None);
        }
        let texts = async || {
            stage.superuser.query(catalogs, &[]).await.unwrap().iter().map(|row| row.get(0)).collect::<Vec<String>>()
        };
        let attached = texts().await;
        assert!(
            attached.iter().all(|function| !function.contains("{=X/") && !function.contains(",=X/")),
            "somebody else may run one: {attached:?}"
        );
        stage.own("SELECT rowcast.detach('items')").await;
        assert_eq!(texts().await, [""; 0], "detach leaves nothing");
        stage.own(preview.get(0)).await;
        assert_eq!(texts().await, attached);
        stage.own("SELECT rowcast.detach('items')").await;
    }
}

#[tokio::test]
async fn functions_of_an_older_rowcast_are_generated_anew() {
    let stage = items("group_by => 'r.box'").await;
    let functions = "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace::regnamespace::text = 'rowcast_capture_' || 'rowcast_test_writer'::regrole::oid AND prorettype = 'trigger'::regtype";
    let today: String = stage.superuser.query_one(functions, &[]).await.unwrap().get(0);
    stage.superuser.batch_execute(&today.replace("ORDER BY t.number", "ORDER BY t.number DESC")).await.unwrap();
    // Nor does it matter that the table's key, which was there when it was attached, is not.
    stage.own("ALTER TABLE items DROP CONSTRAINT items_pkey").await;
    let outcomes =
        stage.writer.query("SELECT left(outcome, 26) FROM rowcast.refresh_attachments()", &[]).await.unwrap();
    assert_eq!(outcomes.iter().map(|row| row.get(0)).collect::<Vec<&str>>(), ["CREATE OR REPLACE FUNCTION"]);
    assert_eq!(stage.superuser.query_one(functions, &[]).await.unwrap().get::<_, String>(0), today);
    assert!(stage.writer.query("SELECT FROM rowcast.refresh_attachments()", &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn partitions_are_counted_with_their_parent_and_each_row_once() {
    let stage = Stage::new(
        "CREATE TABLE public.p (id int, box text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
         CREATE TABLE public.p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
         CREATE TABLE public.p2 (box text, id int NOT NULL); ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20)",
    )
    .await;
    stage.attach("'public.p', 'user_activity', group_by => 'r.box'").await;
    stage.write("INSERT INTO p VALUES (1, 'a'), (2, 'b'), (11, 'a')").await;
    assert_eq!(counted(&stage).await, ["INSERT a all 2", "INSERT b all 1"]);
    stage.write("INSERT INTO p2 (id, box) VALUES (12, 'a'), (13, 'a')").await;
    assert_eq!(counted(&stage).await, ["INSERT a all 2"]);
    stage.write("UPDATE p2 SET box = 'c' WHERE id = 12").await;
    assert_eq!(counted(&stage).await, ["UPDATE a all 1", "UPDATE c all 1"]);
    // From one partition to the other.
    stage.write("UPDATE p SET id = 3 WHERE id = 13").await;
    assert_eq!(counted(&stage).await, ["UPDATE a all 1"]);
    stage
        .own("CREATE TABLE public.p3 PARTITION OF p FOR VALUES FROM (20) TO (30); SELECT rowcast.refresh_attachments()")
        .await;
    stage.write("INSERT INTO p3 VALUES (21, 'a')").await;
    assert_eq!(counted(&stage).await, ["INSERT a all 1"]);
}
