//! What is attached: the registry, `preview` and `detach`.

use super::{ATTACH_DOCS, DOCS, Stage, words};
use crate::harness::Role;

/// Everything that could differ after an attach: functions with their source and rights, triggers, comments.
const CATALOGS: &str = "
    SELECT pg_get_functiondef(p.oid) || coalesce(p.proacl::text, 'public') || pg_get_userbyid(p.proowner) || coalesce(obj_description(p.oid), '')
    FROM pg_proc p WHERE starts_with(pronamespace::regnamespace::text, 'rowcast_capture_')
    UNION ALL
    SELECT pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger WHERE tgrelid IN ('public.docs'::regclass, 'public.part'::regclass)
    ORDER BY 1";

async fn catalogs(stage: &Stage) -> Vec<String> {
    stage.superuser.query(CATALOGS, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

const PART: &str = "CREATE TABLE public.part (id int, org text, PRIMARY KEY (id)) PARTITION BY RANGE (id)";

#[tokio::test]
async fn the_registry_shows_what_was_attached_and_how() {
    let stage = Stage::new(DOCS).await;
    stage
        .attach(
            "'public.docs', 'document_processing', organization_id => 'r.org', exclude => '{title}', operations => '{INSERT,UPDATE}',
             changed_columns => '{title,org}', filter => 'r.id > 0', priority => $$'high'$$, user_id => 'r.title', chatbot_id => '1',
             session_id => '2', private => true, on_error => 'skip'",
        )
        .await;
    for role in [Role::Writer, Role::Server, Role::Reader, Role::Owner] {
        let row = stage.db.connect_as(role).await.query_one("SELECT * FROM rowcast.attachments", &[]).await.unwrap();
        let text = |name: &str| row.get::<_, Option<String>>(name).unwrap_or_default();
        for (name, expected) in [
            ("source", "public.docs"),
            ("event_type", "document_processing"),
            ("organization_id", "r.org"),
            ("data", ""),
            ("filter", "r.id > 0"),
            ("priority", "'high'"),
            ("user_id", "r.title"),
            ("chatbot_id", "1"),
            ("session_id", "2"),
            ("on_error", "skip"),
            ("owner", "rowcast_test_writer"),
            ("source_in_events", "public.docs"),
        ] {
            assert_eq!(text(name), expected, "{name}");
        }
        assert_eq!(row.get::<_, Vec<String>>("exclude"), ["title"]);
        assert_eq!(row.get::<_, Vec<String>>("operations"), ["INSERT", "UPDATE"]);
        assert_eq!(row.get::<_, Vec<String>>("changed_columns"), ["org", "title"]);
        assert!(row.get::<_, bool>("private") && row.get::<_, bool>("enabled"));
    }
    stage.own("ALTER TABLE docs DISABLE TRIGGER rowcast_document_processing_update").await;
    let enabled: bool = stage.writer.query_one("SELECT enabled FROM rowcast.attachments", &[]).await.unwrap().get(0);
    assert!(!enabled);
}

#[tokio::test]
async fn a_foreign_comment_does_not_break_the_registry() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    let schema = stage.capture_schema().await;
    let facts: String = stage
        .superuser
        .query_one("SELECT facts::text FROM rowcast.attachment_triggers LIMIT 1", &[])
        .await
        .unwrap()
        .get(0);
    for (name, comment) in [("broken", "not {json"), ("imitated", facts.as_str())] {
        stage
            .own(&format!(
                "CREATE FUNCTION {schema}.{name}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
                 COMMENT ON FUNCTION {schema}.{name}() IS $comment${comment}$comment$;
                 CREATE TRIGGER {name} AFTER INSERT ON docs EXECUTE FUNCTION {schema}.{name}()"
            ))
            .await;
    }
    let triggers = "SELECT count(*) FROM rowcast.attachment_triggers WHERE trigger_name IN ('broken', 'imitated')";
    assert_eq!(stage.superuser.query_one(triggers, &[]).await.unwrap().get::<_, i64>(0), 0);
    assert_eq!(stage.writer.query("SELECT FROM rowcast.attachments", &[]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn preview_is_the_sql_that_attach_runs_and_changes_nothing() {
    for arguments in [
        ATTACH_DOCS.to_owned(),
        format!(
            "{ATTACH_DOCS}, filter => $$r.title <> 'x' -- no$$, on_error => 'skip', changed_columns => '{{title}}'"
        ),
        "'public.docs', 'user_activity', data => 'to_jsonb(r.*)', priority => $$'low'$$".to_owned(),
        "'public.part', 'user_activity', organization_id => 'r.org'".to_owned(),
    ] {
        let stage = Stage::new(&format!("{DOCS}; {PART}; CREATE TABLE public.part1 (org text, id int NOT NULL); ALTER TABLE part ATTACH PARTITION part1 DEFAULT")).await;
        let before = catalogs(&stage).await;
        let preview: String =
            stage.writer.query_one(&format!("SELECT rowcast.preview({arguments})"), &[]).await.unwrap().get(0);
        assert_eq!(catalogs(&stage).await, before);
        assert!(preview.starts_with("BEGIN;\n") && preview.ends_with("COMMIT;\n"), "{preview}");
        assert!(!preview.lines().any(|line| line.ends_with(' ')), "{preview}");
        stage.attach(&arguments).await;
        let attached = catalogs(&stage).await;
        assert!(attached.len() > before.len());
        // The OID in a name or comment is that of the table, which is the same.
        let table = arguments.split('\'').nth(1).unwrap();
        stage.own(&format!("SELECT rowcast.detach('{table}')")).await;
        assert_eq!(catalogs(&stage).await, before, "detach takes away exactly what attach made");
        stage.own(&preview).await;
        assert_eq!(catalogs(&stage).await, attached);
    }
}

#[tokio::test]
async fn preview_refuses_what_attach_refuses() {
    let stage = Stage::new(DOCS).await;
    for arguments in [
        "'public.docs', 'nonsense'",
        "'public.docs', 'user_activity', filter => 'r.nothing'",
        "'public.docs', 'user_activity', organization_id => '1); DROP TABLE docs; --'",
    ] {
        let error = stage.writer.query(&format!("SELECT rowcast.preview({arguments})"), &[]).await.unwrap_err();
        assert_eq!(words(&error), stage.refusal(arguments).await);
    }
}

#[tokio::test]
async fn detach_leaves_the_apps_own_triggers_and_what_was_captured() {
    let stage = Stage::new(DOCS).await;
    stage
        .own(
            "CREATE FUNCTION public.own() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
             CREATE TRIGGER rowcast_own AFTER INSERT ON docs EXECUTE FUNCTION public.own()",
        )
        .await;
    stage.attach(ATTACH_DOCS).await;
    stage.attach("'public.docs', 'user_activity'").await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'x')").await;
    stage.own("SELECT rowcast.detach('docs')").await;
    stage.write("INSERT INTO docs VALUES (2, 'a', 'x')").await;
    assert_eq!(stage.events().await.len(), 2);
    let triggers: Vec<String> = stage
        .superuser
        .query("SELECT tgname::text FROM pg_trigger WHERE tgrelid = 'docs'::regclass", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(triggers, ["rowcast_own"]);
    let error = stage.writer.batch_execute("SELECT rowcast.detach('docs')").await.unwrap_err();
    assert!(
        words(&error).contains("public.docs is not attached SELECT * FROM rowcast.attachments"),
        "{}",
        words(&error)
    );
    stage.attach(ATTACH_DOCS).await;
    stage.write("INSERT INTO docs VALUES (3, 'a', 'x')").await;
    assert_eq!(stage.told().await, ["INSERT 3 @a"]);
}

#[tokio::test]
async fn event_types_of_any_length_make_triggers_of_their_own() {
    let stage = Stage::new(DOCS).await;
    let (long, longer) = (format!("{}a", "x".repeat(61)), format!("{}b", "x".repeat(61)));
    stage
        .db
        .connect()
        .await
        .execute("INSERT INTO rowcast.event_types VALUES ($1), ($2)", &[&long, &longer])
        .await
        .unwrap();
    stage.attach(&format!("'public.docs', '{long}'")).await;
    stage.attach(&format!("'public.docs', '{longer}'")).await;
    stage.write("INSERT INTO docs VALUES (1)").await;
    let mut kinds: Vec<_> = stage.events().await.into_iter().map(|event| event.kind).collect();
    kinds.sort();
    assert_eq!(kinds, [long, longer]);
}

/// Makes the trigger function draw its ids as that of an older rowcast did.
async fn age(stage: &Stage) {
    let functions = "SELECT replace(pg_get_functiondef(oid), 'rowcast.draw_id(e.window_end)',
            'CASE WHEN (SELECT rowcast.mark_writer()) THEN nextval(''rowcast.outbox_id_seq'') END')
        FROM pg_proc WHERE starts_with(pronamespace::regnamespace::text, 'rowcast_capture_') AND proname LIKE 'docs%' AND prorettype = 'trigger'::regtype";
    let function: String = stage.superuser.query_one(functions, &[]).await.unwrap().get(0);
    assert!(function.contains("mark_writer"));
    stage.superuser.batch_execute(&function).await.unwrap();
}

#[tokio::test]
async fn functions_of_an_older_rowcast_go_on_working_and_are_generated_anew() {
    let stage = Stage::new(&format!("{DOCS}; {PART}")).await;
    stage.attach(ATTACH_DOCS).await;
    let before = catalogs(&stage).await;
    age(&stage).await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'x')").await;
    assert_eq!(stage.told().await, ["INSERT 1 @a"]);
    let refresh = "SELECT left(outcome, 26) FROM rowcast.refresh_attachments()";
    let outcomes = stage.writer.query(refresh, &[]).await.unwrap();
    assert_eq!(outcomes.iter().map(|row| row.get(0)).collect::<Vec<&str>>(), ["CREATE OR REPLACE FUNCTION"]);
    assert_eq!(catalogs(&stage).await, before);
    assert!(stage.writer.query(refresh, &[]).await.unwrap().is_empty());
    // A migration does so too, for the owners whom the migrating role may act for.
    age(&stage).await;
    stage.superuser.batch_execute("DELETE FROM rowcast.settings WHERE name = 'functions_version'").await.unwrap();
    let migrated = rowcast::app::migrate_at(&stage.db.url_as(Role::Superuser)).await.unwrap();
    assert!(migrated.functions);
    assert_eq!(catalogs(&stage).await, before);
}
