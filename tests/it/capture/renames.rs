//! DDL after `attach`.

use serde_json::json;

use super::{ATTACH_DOCS, DOCS, Stage, words};

#[tokio::test]
async fn renaming_columns_tables_and_schemas_changes_nothing() {
    let stage = Stage::new(
        "CREATE TABLE public.orgs (id text PRIMARY KEY, name text); INSERT INTO public.orgs VALUES ('a', 'acme')",
    )
    .await;
    stage.schema("one").await;
    stage.own(&DOCS.replace("public.", "one.")).await;
    stage
        .attach(
            "'one.docs', 'document_processing', organization_id => '(SELECT o.name FROM orgs o WHERE o.id = r.org)',
             filter => $$r.title <> 'draft'$$, changed_columns => '{title}', data => $$jsonb_build_object('t', r.title)$$",
        )
        .await;
    stage.write("INSERT INTO one.docs VALUES (1, 'a', 'x')").await;
    stage.told().await;
    stage
        .own(
            "ALTER TABLE one.docs RENAME TO papers; ALTER TABLE one.papers RENAME title TO headline;
             ALTER TABLE one.papers RENAME org TO tenant; ALTER TABLE one.papers RENAME id TO number;
             ALTER TABLE orgs RENAME TO tenants; ALTER TABLE tenants RENAME name TO label",
        )
        .await;
    stage.superuser.batch_execute("ALTER SCHEMA one RENAME TO two").await.unwrap();
    // In the session that has its plans, and in a new one.
    for app in [&stage.app, &stage.db.connect_as(crate::harness::Role::App).await] {
        app.batch_execute("UPDATE two.papers SET headline = headline || 'y'; UPDATE two.papers SET tenant = tenant")
            .await
            .unwrap();
        let events = stage.events().await;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].summary(), "UPDATE 1 @acme");
        assert_eq!(events[0].source.as_deref(), Some("one.docs"), "clients know it by this name");
    }
    let row = stage
        .writer
        .query_one("SELECT source, source_in_events, changed_columns FROM rowcast.attachments", &[])
        .await
        .unwrap();
    assert_eq!((row.get(0), row.get(1)), ("two.papers", "one.docs"));
    assert_eq!(row.get::<_, Vec<String>>(2), ["headline"]);
    stage.own("SELECT rowcast.detach('two.papers')").await;
}

#[tokio::test]
async fn dropping_what_an_expression_needs_is_refused_and_anything_else_is_not() {
    let stage = Stage::new("CREATE TABLE public.orgs (id text, name text, note text); CREATE TABLE public.docs (id int PRIMARY KEY, org text, title text, pages int, x int)").await;
    stage
        .attach("'public.docs', 'document_processing', organization_id => '(SELECT o.name FROM orgs o WHERE o.id = r.org)', exclude => '{pages}'")
        .await;
    for needed in [
        "ALTER TABLE docs DROP COLUMN org",
        "ALTER TABLE orgs DROP COLUMN name",
        "DROP TABLE orgs",
        "ALTER TABLE docs ALTER COLUMN org TYPE int USING org::int",
    ] {
        let error = stage.writer.batch_execute(needed).await.unwrap_err();
        let error = error.as_db_error().unwrap();
        let told = format!("{} {}", error.message(), error.detail().unwrap_or_default());
        assert!(told.contains("function rowcast_capture_"), "{needed}: {told}");
    }
    stage
        .own("ALTER TABLE docs DROP COLUMN pages; ALTER TABLE docs DROP COLUMN x; ALTER TABLE orgs DROP COLUMN note")
        .await;
    stage.own("ALTER TABLE docs ALTER COLUMN title TYPE varchar(20); ALTER TABLE docs ADD COLUMN y int[]").await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'x', '{1}')").await;
    assert_eq!(stage.only_data().await, json!({"id": 1, "org": "a", "title": "x", "y": [1]}));
}

#[tokio::test]
async fn a_session_with_plans_follows_changes_of_the_table() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    stage.attach("'public.docs', 'user_activity', on_error => 'skip'").await;
    let write = "INSERT INTO docs (id) SELECT coalesce(max(id), 0) + 1 FROM docs; UPDATE docs SET title = title || 'x';
                 UPDATE docs SET org = coalesce(org, '') || 'o'; DELETE FROM docs WHERE id = 1";
    for change in [
        "ALTER TABLE docs ADD COLUMN a int DEFAULT 1",
        "ALTER TABLE docs ADD COLUMN b text",
        "ALTER TABLE docs DROP COLUMN a",
        "ALTER TABLE docs ALTER COLUMN b TYPE int USING 1",
        "ALTER TABLE docs RENAME b TO c",
        "ALTER TABLE docs DROP CONSTRAINT docs_pkey",
        "ALTER TABLE docs ADD PRIMARY KEY (id)",
        "VACUUM FULL docs",
    ] {
        stage.write(write).await;
        stage.told().await;
        stage.own(change).await;
        stage.write(write).await;
        assert!(!stage.told().await.is_empty(), "{change}");
    }
    let errors: i64 =
        stage.superuser.query_one("SELECT count(*) FROM rowcast.capture_errors", &[]).await.unwrap().get(0);
    assert_eq!(errors, 0);
}

#[tokio::test]
async fn a_table_can_be_dropped_after_detaching_it() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    let error = stage.writer.batch_execute("DROP TABLE docs").await.unwrap_err();
    assert!(words(&error).contains("other objects depend on it"));
    stage.own("SELECT rowcast.detach('docs'); DROP TABLE docs").await;
}
