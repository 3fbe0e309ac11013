//! Every kind of statement that writes rows.

use std::time::{Duration, Instant};

use futures_util::SinkExt;

use super::{ATTACH_DOCS, DOCS, Stage};

/// The events, sorted: where the order among different rows is Postgres's own affair.
async fn sorted(stage: &Stage) -> Vec<String> {
    let mut told = stage.told().await;
    told.sort();
    told
}

#[tokio::test]
async fn a_statement_without_rows_takes_neither_xid_nor_lock() {
    let stage = Stage::new(DOCS).await;
    stage.attach(&format!("{ATTACH_DOCS}, filter => $$r.title <> 'draft'$$")).await;
    stage.write("BEGIN; UPDATE docs SET title = 'x'; DELETE FROM docs; INSERT INTO docs SELECT 1 WHERE false").await;
    let row = stage
        .app
        .query_one(
            "SELECT pg_current_xact_id_if_assigned() IS NULL, (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())",
            &[],
        )
        .await
        .unwrap();
    assert!(row.get::<_, bool>(0), "an xid was taken");
    assert_eq!(row.get::<_, i64>(1), 0);
    // Rows that the filter keeps out mark nothing either.
    stage.write("INSERT INTO docs VALUES (1, 'a', 'draft')").await;
    let marks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()";
    assert_eq!(stage.app.query_one(marks, &[]).await.unwrap().get::<_, i64>(0), 0);
    stage.write("INSERT INTO docs VALUES (2, 'a', 'x')").await;
    let locks = "SELECT classid::bigint, objid::bigint, mode FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() ORDER BY 1";
    let locks = stage.app.query(locks, &[]).await.unwrap();
    let locks: Vec<(i64, i64, &str)> = locks.iter().map(|lock| (lock.get(0), lock.get(1), lock.get(2))).collect();
    let (mark, window) = ((1_919_907_683, 1, "ShareLock"), (1_919_907_684, 0, "ShareLock"));
    assert_eq!(locks, [mark, window]);
    stage.write("COMMIT").await;
    assert_eq!(stage.told().await, ["INSERT 2 @a"]);
}

#[tokio::test]
async fn on_conflict_is_told_as_what_it_did() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'x')").await;
    stage.told().await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'y'), (2, 'a', 'z') ON CONFLICT (id) DO UPDATE SET title = excluded.title").await;
    assert_eq!(sorted(&stage).await, ["INSERT 2 @a", "UPDATE 1 @a"]);
    stage.write("INSERT INTO docs VALUES (1, 'a', 'w') ON CONFLICT DO NOTHING").await;
    assert_eq!(stage.told().await, [""; 0]);
}

#[tokio::test]
async fn merge_is_told_as_what_it_did() {
    let stage = Stage::new(DOCS).await;
    let version: i32 =
        stage.app.query_one("SELECT current_setting('server_version_num')::int", &[]).await.unwrap().get(0);
    assert!(version >= 140_000);
    if version < 150_000 {
        return; // which has no MERGE
    }
    stage.attach(ATTACH_DOCS).await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'x'), (2, 'a', 'x')").await;
    stage.told().await;
    stage
        .write(
            "MERGE INTO docs d USING (VALUES (1, 'y'), (2, NULL), (3, 'z')) v (id, title) ON v.id = d.id
             WHEN MATCHED AND v.title IS NULL THEN DELETE
             WHEN MATCHED THEN UPDATE SET title = v.title
             WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'a', v.title)",
        )
        .await;
    assert_eq!(sorted(&stage).await, ["DELETE 2 @a", "INSERT 3 @a", "UPDATE 1 @a"]);
}

#[tokio::test]
async fn copy_is_captured() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    let sink = stage.app.copy_in::<_, bytes::Bytes>("COPY docs FROM STDIN").await.unwrap();
    let mut sink = std::pin::pin!(sink);
    sink.send("1\ta\tx\n2\tb\ty\n".into()).await.unwrap();
    sink.finish().await.unwrap();
    assert_eq!(stage.told().await, ["INSERT 1 @a", "INSERT 2 @b"]);
}

#[tokio::test]
async fn data_modifying_ctes_are_captured() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'x'), (2, 'a', 'x')").await;
    stage.told().await;
    stage
        .write(
            "WITH gone AS (DELETE FROM docs WHERE id = 1 RETURNING *), changed AS (UPDATE docs SET title = 'y' WHERE id = 2 RETURNING *)
             INSERT INTO docs SELECT id + 10, org, title FROM gone UNION ALL SELECT id + 10, org, title FROM changed",
        )
        .await;
    assert_eq!(sorted(&stage).await, ["DELETE 1 @a", "INSERT 11 @a", "INSERT 12 @a", "UPDATE 2 @a"]);
    // The same key, deleted and inserted in one statement: it is there in the end.
    stage
        .write(
            "WITH gone AS (DELETE FROM docs WHERE id = 2 RETURNING *) INSERT INTO docs SELECT id, 'b', title FROM gone",
        )
        .await;
    assert_eq!(stage.told().await, ["DELETE 2 @a", "INSERT 2 @b"]);
}

#[tokio::test]
async fn a_cascade_within_a_table_is_captured() {
    let stage = Stage::new(
        "CREATE TABLE public.tree (id int PRIMARY KEY, parent int REFERENCES public.tree ON DELETE CASCADE ON UPDATE CASCADE)",
    )
    .await;
    stage.attach("'public.tree', 'user_activity'").await;
    stage.write("INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 2)").await;
    stage.told().await;
    stage.write("UPDATE tree SET id = 20 WHERE id = 2").await;
    let told = stage.told().await;
    let last = |key: &str| told.iter().rfind(|event| event.contains(&format!(" {key} "))).cloned();
    assert_eq!(last("2").as_deref(), Some("DELETE 2 all"));
    assert_eq!(last("20").as_deref(), Some("INSERT 20 all"));
    assert!(told.contains(&"UPDATE 3 all".to_owned()), "{told:?}");
    stage.write("DELETE FROM tree WHERE id = 1").await;
    assert_eq!(sorted(&stage).await, ["DELETE 1 all", "DELETE 20 all", "DELETE 3 all"]);
}

#[tokio::test]
async fn a_deferred_trigger_of_the_app_is_captured() {
    let stage = Stage::new(DOCS).await;
    stage
        .own(
            "CREATE FUNCTION public.late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE docs SET title = 'late' WHERE id = NEW.id; RETURN NULL; END $$;
             CREATE CONSTRAINT TRIGGER late AFTER INSERT ON docs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.late()",
        )
        .await;
    stage.attach(ATTACH_DOCS).await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'early')").await;
    let events = stage.events().await;
    assert_eq!(events.iter().map(super::Event::summary).collect::<Vec<_>>(), ["INSERT 1 @a", "UPDATE 1 @a"]);
    assert_eq!(events[1].data["title"], "late");
}

#[tokio::test]
async fn what_a_before_trigger_made_of_the_row_is_captured() {
    let stage = Stage::new(DOCS).await;
    stage
        .own(
            "CREATE FUNCTION public.tidy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF NEW.title = 'no' THEN RETURN NULL; END IF; NEW.title := upper(NEW.title); RETURN NEW; END $$;
             CREATE TRIGGER tidy BEFORE INSERT OR UPDATE ON docs FOR EACH ROW EXECUTE FUNCTION public.tidy()",
        )
        .await;
    stage.attach(ATTACH_DOCS).await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'x'), (2, 'a', 'no')").await;
    assert_eq!(stage.only_data().await["title"], "X");
}

#[tokio::test]
async fn identity_and_generated_columns_are_in_the_payload() {
    let stage = Stage::new(
        "CREATE TABLE public.sums (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 2) STORED)",
    )
    .await;
    stage.attach("'public.sums', 'user_activity'").await;
    stage.write("INSERT INTO sums (a) VALUES (3)").await;
    assert_eq!(stage.only_data().await, serde_json::json!({"id": 1, "a": 3, "b": 6}));
}

#[tokio::test]
async fn virtual_columns_fail_no_write() {
    let stage = Stage::new("CREATE TABLE public.sums (id int PRIMARY KEY, org text, a float8, at timestamptz)").await;
    stage.attach("'public.sums', 'user_activity', organization_id => 'r.org'").await;
    stage.write("INSERT INTO sums VALUES (1, 'o', 0.1, '2026-01-01 00:00+00')").await;
    stage.told().await;
    let version: i32 =
        stage.app.query_one("SELECT current_setting('server_version_num')::int", &[]).await.unwrap().get(0);
    if stage
        .writer
        .batch_execute("ALTER TABLE sums ADD COLUMN b float8 GENERATED ALWAYS AS (a * 2) VIRTUAL")
        .await
        .is_err()
    {
        assert!(version < 180_000);
        return;
    }
    // In a session that has its plans already.
    stage.write("INSERT INTO sums VALUES (2, 'o', 0.2, NULL)").await;
    assert_eq!(stage.only_data().await, serde_json::json!({"id": 2, "org": "o", "a": 0.2, "at": null}));
    stage.write("UPDATE sums SET a = 0.3; UPDATE sums SET org = 'p' WHERE id = 1; DELETE FROM sums WHERE id = 1").await;
    let events = stage.events().await;
    let summaries: Vec<_> = events.iter().map(super::Event::summary).collect();
    assert_eq!(summaries, ["UPDATE 1 @o", "UPDATE 2 @o", "DELETE 1 @o", "INSERT 1 @p", "DELETE 1 @p"]);
    assert_eq!(events[4].data, serde_json::json!({"id": 1, "org": "p", "a": 0.3, "at": "2026-01-01T00:00:00+00:00"}));
    for arguments in ["filter => 'r.b > 1'", "changed_columns => '{b}'"] {
        let refusal = stage.refusal(&format!("'public.sums', 'document_processing', {arguments}")).await;
        assert!(refusal.contains("\"b\" is a virtual generated column"), "{refusal}");
    }
}

#[tokio::test]
async fn names_of_sixty_bytes_and_in_quotes_are_fine() {
    let long = "a_table_with_a_name_of_sixty_bytes_and_not_a_single_one_less";
    assert_eq!(long.len(), 60);
    let odd = r#""Odd ""Tablé"", r""#;
    let stage = Stage::new(&format!("CREATE TABLE public.{long} (id int PRIMARY KEY, org text, {long} text)")).await;
    stage.schema(r#""my app""#).await;
    stage.own(&format!(r#"CREATE TABLE "my app".{odd} ("the Id" int PRIMARY KEY, "Org" text, "%s" text)"#)).await;
    stage
        .attach(&format!(
            "'public.{long}', 'document_processing', organization_id => 'r.org', changed_columns => '{{{long}}}'"
        ))
        .await;
    stage
        .attach(&format!(
            r#"'"my app".{odd}', 'document_processing', organization_id => 'r."Org"', exclude => '{{%s}}'"#
        ))
        .await;
    stage.write(&format!("INSERT INTO {long} VALUES (1, 'a', 'x'); UPDATE {long} SET {long} = 'y'")).await;
    assert_eq!(stage.told().await, ["INSERT 1 @a", "UPDATE 1 @a"]);
    stage
        .write(&format!(r#"INSERT INTO "my app".{odd} VALUES (1, 'a', 'x'); UPDATE "my app".{odd} SET "%s" = 'y'"#))
        .await;
    let events = stage.events().await;
    assert_eq!(events[1].summary(), "UPDATE 1 @a");
    assert_eq!(events[1].source.as_deref(), Some(r#"my app.Odd "Tablé", r"#));
    assert_eq!(events[1].data, serde_json::json!({"the Id": 1, "Org": "a"}));
}

#[tokio::test]
async fn a_savepoint_takes_its_events_with_it() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    stage
        .write("BEGIN; INSERT INTO docs VALUES (1, 'a', 'x'); SAVEPOINT s; INSERT INTO docs VALUES (2, 'a', 'x'); ROLLBACK TO s; INSERT INTO docs VALUES (3, 'a', 'x'); COMMIT")
        .await;
    stage.write("BEGIN; INSERT INTO docs VALUES (4, 'a', 'x'); ROLLBACK").await;
    assert_eq!(stage.told().await, ["INSERT 1 @a", "INSERT 3 @a"]);
}

#[tokio::test]
async fn a_large_update_after_small_ones_is_still_fast() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    stage.write("INSERT INTO docs SELECT i, 'a', 'x' FROM generate_series(1, 30000) i").await;
    for id in 1..=20 {
        stage.write(&format!("UPDATE docs SET title = 'y' WHERE id = {id}")).await;
        stage.write(&format!("UPDATE docs SET title = 'z' WHERE id IN ({id}, {id} + 1)")).await;
    }
    stage.told().await;
    let started = Instant::now();
    stage.write("UPDATE docs SET title = 'many'").await;
    // Planned as a nested loop it would take minutes.
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let events = stage.events().await;
    assert_eq!(events.len(), 30_000);
    assert!(events.iter().all(|event| event.operation == "UPDATE" && event.data["title"] == "many"));
}

#[tokio::test]
async fn every_new_row_is_paired_with_its_old_one() {
    let stage = Stage::new("CREATE TABLE public.t (id int PRIMARY KEY, org text, v int, pad text)").await;
    stage.attach("'public.t', 'user_activity', organization_id => 'r.org'").await;
    stage.write("INSERT INTO t SELECT i, 'o' || i % 7, i, repeat('x', i % 500) FROM generate_series(1, 3000) i").await;
    stage.told().await;
    // A third moves to another organisation, a third changes, a third stays as it is.
    stage.write("UPDATE t SET org = CASE WHEN id % 3 = 0 THEN 'moved' ELSE org END, v = CASE WHEN id % 3 = 1 THEN -v ELSE v END").await;
    let told = stage.told().await;
    for id in 1..=3000 {
        let of_key: Vec<_> =
            told.iter().filter(|event| event.contains(&format!(" {id} "))).map(String::as_str).collect();
        let expected = match id % 3 {
            0 => vec![format!("DELETE {id} @o{}", id % 7), format!("INSERT {id} @moved")],
            1 => vec![format!("UPDATE {id} @o{}", id % 7)],
            _ => vec![],
        };
        assert_eq!(of_key, expected);
    }
}

#[tokio::test]
async fn replicated_rows_are_captured_where_the_setting_says_so() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    let replicate = "SET session_replication_role = replica; INSERT INTO public.docs VALUES (%, 'a', 'x'); RESET session_replication_role";
    stage.superuser.batch_execute(&replicate.replace('%', "1")).await.unwrap();
    assert_eq!(stage.told().await, [""; 0]);
    let owner = stage.db.connect().await;
    owner.batch_execute("UPDATE rowcast.settings SET value = 'on' WHERE name = 'capture_replicated'").await.unwrap();
    stage.own("SELECT rowcast.refresh_attachments()").await;
    stage.superuser.batch_execute(&replicate.replace('%', "2")).await.unwrap();
    assert_eq!(stage.told().await, ["INSERT 2 @a"]);
    // And at once for what is attached from now on.
    stage.attach("'public.docs', 'user_activity', organization_id => 'r.org'").await;
    stage.superuser.batch_execute(&replicate.replace('%', "3")).await.unwrap();
    assert_eq!(stage.told().await.len(), 2);
    owner.batch_execute("UPDATE rowcast.settings SET value = 'off' WHERE name = 'capture_replicated'").await.unwrap();
    stage.own("SELECT rowcast.refresh_attachments()").await;
    stage.superuser.batch_execute(&replicate.replace('%', "4")).await.unwrap();
    assert_eq!(stage.told().await, [""; 0]);
}

#[tokio::test]
async fn a_table_is_attached_by_a_session_whose_search_path_is_empty() {
    let stage = Stage::new(DOCS).await;
    stage.own("SELECT set_config('search_path', '', false)").await;
    stage.attach(ATTACH_DOCS).await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'x')").await;
    assert_eq!(stage.told().await.len(), 1);
}
