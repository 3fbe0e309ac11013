//! Triggers, functions, sequence: what turns rows into events.

use super::{attached, examine, is_found_and_mended};
use crate::{
    fresh_role,
    harness::{Database, Role},
};

#[tokio::test]
async fn a_disabled_trigger() {
    let db = Database::new().await;
    assert_eq!(examine(&db).await.one("attached_tables"), ("warning", "no table is attached"));
    let writer = attached(&db).await;
    assert_eq!(examine(&db).await.level("attached_tables"), "ok");
    let disable = "ALTER TABLE docs DISABLE TRIGGER rowcast_document_processing_update";
    let expected = ("problem", "public.docs: its trigger rowcast_document_processing_update is disabled");
    is_found_and_mended(&db, "trigger_disabled", disable, expected, &writer).await;
    let replica = "ALTER TABLE docs ENABLE REPLICA TRIGGER rowcast_document_processing_insert";
    is_found_and_mended(&db, "trigger_disabled", replica, ("problem", "for replicated rows only"), &writer).await;
}

#[tokio::test]
async fn a_trigger_that_somebody_dropped() {
    let db = Database::new().await;
    attached(&db).await;
    let superuser = db.connect_as(Role::Superuser).await;
    superuser.batch_execute("DROP TRIGGER rowcast_document_processing_delete ON docs").await.unwrap();
    let examination = examine(&db).await;
    let said = "public.docs has no trigger for DELETE: such writes make no event";
    assert_eq!(examination.one("trigger_missing"), ("problem", said));
    let [fix] = &examination.fixes("trigger_missing")[..] else { panic!("one table, one fix") };
    assert!(fix.starts_with("SELECT rowcast.detach('public.docs');"), "{fix}");
}

#[tokio::test]
async fn a_partition_without_triggers_and_one_with_too_few() {
    let db = Database::new().await;
    let writer = db.connect_as(Role::Writer).await;
    let parent = "CREATE TABLE parts (id bigint PRIMARY KEY, organization_id text) PARTITION BY RANGE (id);
                  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (100);
                  SELECT rowcast.attach('parts', 'document_processing', organization_id => 'r.organization_id')";
    writer.batch_execute(parent).await.unwrap();
    // No superuser has migrated the template, so new partitions are left alone, and that is said too.
    assert_eq!(examine(&db).await.level("event_trigger"), "warning");
    let leaf = "SET ROLE rowcast_test_writer; CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (100) TO (200)";
    let expected = ("problem", "public.parts_2 has no trigger for DELETE, INSERT, TRUNCATE, UPDATE");
    is_found_and_mended(&db, "trigger_missing", leaf, expected, &writer).await;
    let dropped = "DROP TRIGGER rowcast_document_processing_insert ON parts_1";
    let expected = ("problem", "public.parts_1 has no trigger for INSERT");
    is_found_and_mended(&db, "trigger_missing", dropped, expected, &writer).await;
}

#[tokio::test]
async fn an_owner_who_may_not_write_events() {
    let db = Database::new().await;
    let superuser = db.connect_as(Role::Superuser).await;
    let owner = fresh_role("leaver");
    let table = format!(
        "CREATE ROLE {owner} IN ROLE rowcast_writer; GRANT CREATE ON SCHEMA public TO {owner}; SET ROLE {owner};
         CREATE TABLE theirs (id bigint PRIMARY KEY); SELECT rowcast.attach('theirs', 'document_processing'); RESET ROLE"
    );
    superuser.batch_execute(&table).await.unwrap();
    let leave = format!("REVOKE rowcast_writer FROM {owner}");
    let expected = format!("public.theirs belongs to {owner}, who is not in rowcast_writer");
    is_found_and_mended(&db, "writer_role", &leave, ("problem", &expected), &superuser).await;
    // Our own tables are no exception.
    let give_away = format!(
        "REVOKE rowcast_writer FROM {owner}; DROP TABLE theirs CASCADE; ALTER TABLE rowcast.errors OWNER TO {owner}"
    );
    let expected = format!("rowcast.errors belongs to {owner}, who is not in rowcast_writer");
    is_found_and_mended(&db, "writer_role", &give_away, ("problem", &expected), &superuser).await;
    superuser.batch_execute(&format!("DROP OWNED BY {owner} CASCADE; DROP ROLE {owner}")).await.unwrap();
}

#[tokio::test]
async fn a_producer_whose_rows_make_no_events() {
    let db = Database::new().await;
    let owner = db.connect().await;
    let detach = format!(
        "SET ROLE {}; SELECT rowcast.detach('rowcast.errors'), rowcast.detach('rowcast.activity')",
        Role::Owner.name()
    );
    let expected = ("warning", "not attached: rowcast.errors, rowcast.activity");
    is_found_and_mended(&db, "producers", &detach, expected, &owner).await;
    let attached = "SELECT count(DISTINCT root) FROM rowcast.attachment_triggers";
    assert_eq!(owner.query_one(attached, &[]).await.unwrap().get::<_, i64>(0), 5);
}

#[tokio::test]
async fn generated_functions_of_another_and_missing_ones() {
    let db = Database::new().await;
    attached(&db).await;
    let superuser = db.connect_as(Role::Superuser).await;
    let give_away = "DO $$ BEGIN
        EXECUTE (SELECT format('ALTER FUNCTION %s OWNER TO postgres', function::regprocedure) FROM rowcast.attachment_triggers WHERE function::regproc::text LIKE '%docs%' LIMIT 1);
    END $$";
    superuser.batch_execute(give_away).await.unwrap();
    let examination = examine(&db).await;
    let (level, what) = examination.one("generated_functions");
    assert!(level == "problem" && what.contains("belongs to postgres, but its table public.docs to"), "{what}");
    let drop = "DO $$ BEGIN
        EXECUTE (SELECT format('DROP FUNCTION %s CASCADE', oid::regprocedure) FROM pg_proc WHERE proname LIKE 'docs%events');
    END $$";
    superuser.batch_execute(drop).await.unwrap();
    let examination = examine(&db).await;
    let said = examination.of("generated_functions");
    assert!(said.iter().any(|(_, what)| what.contains("is missing: writes to it fail")), "{said:?}");
}

#[tokio::test]
async fn generated_functions_of_an_older_rowcast() {
    let db = Database::new().await;
    let writer = attached(&db).await;
    db.connect().await.batch_execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'admin')").await.unwrap();
    let age = "DO $$ BEGIN
        EXECUTE (SELECT replace(pg_get_functiondef(oid), 'rowcast.draw_id(e.window_end)',
                                'CASE WHEN (SELECT rowcast.mark_writer()) THEN nextval(''rowcast.outbox_id_seq'') END')
                 FROM pg_proc WHERE starts_with(pronamespace::regnamespace::text, 'rowcast_capture_') AND proname LIKE 'docs%' AND prorettype = 'trigger'::regtype);
    END $$";
    let expected = ("warning", "public.docs is captured as an older rowcast did it");
    is_found_and_mended(&db, "generated_functions", age, expected, &writer).await;
}

#[tokio::test]
async fn a_sequence_behind_its_table() {
    let db = Database::new().await;
    let superuser = db.connect_as(Role::Superuser).await;
    superuser
        .batch_execute("SELECT rowcast.emit('document_processing', 'o1', '{}') FROM generate_series(1, 5)")
        .await
        .unwrap();
    let back = "SELECT setval('rowcast.outbox_id_seq', 3)";
    let expected = ("problem", "the sequence stands at 3, but the outbox already has id 5");
    is_found_and_mended(&db, "sequence_behind", back, expected, &superuser).await;
    superuser.batch_execute("SELECT rowcast.emit('document_processing', 'o1', '{}')").await.unwrap();
}
