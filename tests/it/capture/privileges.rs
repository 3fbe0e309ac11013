//! Nobody gains by capture what they did not have.

use super::{ATTACH_DOCS, DOCS, Stage, words};
use crate::fresh_role;
use crate::harness::Role;

#[tokio::test]
async fn the_table_must_be_the_callers_own() {
    let stage = Stage::new(DOCS).await;
    let other = fresh_role("other");
    stage
        .superuser
        .batch_execute(&format!(
            "CREATE ROLE {other}; GRANT rowcast_writer TO {other}; GRANT ALL ON public.docs TO {other}"
        ))
        .await
        .unwrap();
    let refused = format!("SELECT rowcast.attach({ATTACH_DOCS})");

    // The TRIGGER privilege is not enough.
    stage.superuser.batch_execute(&format!("SET ROLE {other}")).await.unwrap();
    let error = stage.superuser.batch_execute(&refused).await.unwrap_err();
    assert!(
        words(&error).contains(&format!("public.docs belongs to rowcast_test_writer, not to {other}")),
        "{}",
        words(&error)
    );
    stage.superuser.batch_execute("RESET ROLE").await.unwrap();

    // Nor is being a superuser, who would be taken over by what the owner has planted.
    let error = stage.superuser.batch_execute(&refused).await.unwrap_err();
    assert!(
        words(&error).contains("not to postgres Attach it as its owner: SET ROLE rowcast_test_writer;"),
        "{}",
        words(&error)
    );
    stage.superuser.batch_execute("SET ROLE rowcast_test_writer").await.unwrap();
    stage.superuser.batch_execute(&refused).await.unwrap();
    stage.superuser.batch_execute("RESET ROLE").await.unwrap();
    let error = stage.superuser.batch_execute("SELECT rowcast.detach('public.docs')").await.unwrap_err();
    assert!(words(&error).contains("Detach it as its owner: SET ROLE rowcast_test_writer;"), "{}", words(&error));
    stage.superuser.batch_execute(&format!("REVOKE ALL ON public.docs FROM {other}; DROP ROLE {other}")).await.unwrap();
}

#[tokio::test]
async fn the_owner_must_be_a_writer() {
    let stage = Stage::new("").await;
    let other = fresh_role("other");
    stage
        .superuser
        .batch_execute(&format!(
            "CREATE ROLE {other}; CREATE TABLE public.theirs (id int PRIMARY KEY); ALTER TABLE public.theirs OWNER TO {other}; SET ROLE {other}"
        ))
        .await
        .unwrap();
    let error =
        stage.superuser.batch_execute("SELECT rowcast.attach('public.theirs', 'user_activity')").await.unwrap_err();
    assert!(words(&error).contains("permission denied for schema rowcast"), "{}", words(&error));
    // Were it only given the schema and the function, it would be told what is missing.
    stage
        .superuser
        .batch_execute(&format!(
            "RESET ROLE; GRANT USAGE ON SCHEMA rowcast TO {other}; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA rowcast TO {other};
             GRANT SELECT ON rowcast.event_types, rowcast.attachment_triggers TO {other}; SET ROLE {other}"
        ))
        .await
        .unwrap();
    let error =
        stage.superuser.batch_execute("SELECT rowcast.attach('public.theirs', 'user_activity')").await.unwrap_err();
    assert!(words(&error).contains(&format!("{other} is not in rowcast_writer")), "{}", words(&error));
    assert!(words(&error).contains(&format!("GRANT rowcast_writer TO {other};")), "{}", words(&error));
    stage.superuser.batch_execute(&format!("RESET ROLE; DROP OWNED BY {other}; DROP ROLE {other}")).await.unwrap();
}

#[tokio::test]
async fn nothing_is_executable_by_public() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    stage
        .attach("'public.docs', 'user_activity', filter => 'true', user_id => 'r.org', chatbot_id => '1', session_id => '1', priority => $$'low'$$, data => $$'{}'$$, changed_columns => '{org}', on_error => 'skip'")
        .await;
    let open = stage
        .superuser
        .query(
            "SELECT p.oid::regprocedure::text FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
             WHERE p.pronamespace::regnamespace::text ~ '^rowcast(_capture_.*)?$' AND a.grantee = 0",
            &[],
        )
        .await
        .unwrap();
    let open: Vec<String> = open.iter().map(|row| row.get(0)).collect();
    assert_eq!(open, [""; 0]);
    for schema in ["rowcast".to_owned(), stage.capture_schema().await] {
        let error = stage
            .app
            .batch_execute(&format!("CREATE FUNCTION {schema}.x() RETURNS int LANGUAGE sql AS 'SELECT 1'"))
            .await
            .unwrap_err();
        assert!(words(&error).contains("permission denied for schema"), "{}", words(&error));
    }
}

#[tokio::test]
async fn a_generated_function_cannot_be_put_on_another_table() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    let function: String = stage
        .superuser
        .query_one("SELECT function::regprocedure::text FROM rowcast.attachment_triggers LIMIT 1", &[])
        .await
        .unwrap()
        .get(0);
    let other = fresh_role("other");
    stage
        .superuser
        .batch_execute(&format!(
            "CREATE ROLE {other}; GRANT rowcast_writer TO {other}; GRANT CREATE ON SCHEMA public TO {other}; SET ROLE {other};
             CREATE TABLE public.forged (id int PRIMARY KEY, org text, title text)"
        ))
        .await
        .unwrap();
    let forge = format!(
        "CREATE TRIGGER forge AFTER INSERT ON public.forged REFERENCING NEW TABLE AS rowcast_new FOR EACH STATEMENT EXECUTE FUNCTION {function}"
    );
    let error = stage.superuser.batch_execute(&forge).await.unwrap_err();
    assert!(words(&error).contains("permission denied for schema"), "{}", words(&error));
    // Nor is there a way to put a function of one's own beside the generated ones, which would be taken for one of them where its arguments fit better.
    let schema = stage.capture_schema().await;
    let plant = format!(
        "CREATE FUNCTION {schema}.planted(record, text) RETURNS docs LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
    );
    let error = stage.superuser.batch_execute(&plant).await.unwrap_err();
    assert!(words(&error).contains("permission denied for schema"), "{}", words(&error));
    // A schema for another's tables may be asked for, and is for the other's use.
    stage.superuser.batch_execute("SELECT rowcast.open_capture_schema('public.docs')").await.unwrap();
    stage.superuser.batch_execute(&plant).await.unwrap_err();
    stage.superuser.batch_execute(&format!("RESET ROLE; DROP OWNED BY {other}; DROP ROLE {other}")).await.unwrap();
}

#[tokio::test]
async fn the_app_and_the_writer_cannot_touch_the_outbox_themselves() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    stage.write("INSERT INTO docs VALUES (1, 'a', 'x')").await;
    for (role, statement) in [
        (Role::App, "SELECT FROM rowcast.outbox"),
        (Role::App, "INSERT INTO rowcast.outbox (id) VALUES (1)"),
        (Role::App, "SELECT rowcast.current_cursor()"),
        (Role::App, "SELECT rowcast.attach('public.docs', 'user_activity')"),
        (Role::App, "SELECT nextval('rowcast.outbox_id_seq')"),
        (Role::Writer, "SELECT FROM rowcast.outbox"),
        (Role::Writer, "UPDATE rowcast.outbox SET data = '{}'"),
        (Role::Writer, "DELETE FROM rowcast.outbox"),
        (
            Role::Writer,
            "INSERT INTO rowcast.outbox (id, txid, event_type, audience, operation, data) VALUES (1, '1', 'x', 'platform', 'EMIT', '{}')",
        ),
        (Role::Writer, "UPDATE rowcast.settings SET value = 'off'"),
        (Role::Writer, "INSERT INTO rowcast.event_types VALUES ('mine')"),
        (Role::Writer, "DELETE FROM rowcast.secret_patterns"),
        (Role::Writer, "SELECT rowcast.apply_settings()"),
        (Role::Writer, "SELECT rowcast.use_grants(NULL, NULL)"),
        (Role::Reader, "SELECT rowcast.emit('system_health', NULL, '{}')"),
        (Role::Reader, "DELETE FROM rowcast.outbox"),
        (Role::Server, "DELETE FROM rowcast.outbox"),
        (Role::Server, "SELECT rowcast.attach('public.docs', 'user_activity')"),
    ] {
        let error = stage.db.connect_as(role).await.batch_execute(statement).await.unwrap_err();
        assert!(words(&error).contains("permission denied"), "{role:?} {statement}: {}", words(&error));
    }
}

#[tokio::test]
async fn expressions_run_with_the_owners_rights_and_no_more() {
    let stage = Stage::new(DOCS).await;
    stage.own("CREATE FUNCTION public.who() RETURNS text LANGUAGE sql STABLE AS 'SELECT current_user::text'").await;
    stage.attach("'public.docs', 'document_processing', organization_id => 'public.who()'").await;
    stage.write("INSERT INTO docs VALUES (1)").await;
    stage.superuser.batch_execute("INSERT INTO public.docs VALUES (2)").await.unwrap();
    assert_eq!(stage.told().await, ["INSERT 1 @rowcast_test_writer", "INSERT 2 @rowcast_test_writer"]);
    let owners = stage
        .superuser
        .query("SELECT DISTINCT pg_get_userbyid(proowner)::text FROM pg_proc WHERE pronamespace::regnamespace::text = 'rowcast_capture_' || 'rowcast_test_writer'::regrole::oid", &[])
        .await
        .unwrap();
    assert_eq!(owners.iter().map(|row| row.get(0)).collect::<Vec<String>>(), ["rowcast_test_writer"]);
    let definers = stage
        .superuser
        .query("SELECT proname::text FROM pg_proc WHERE pronamespace = 'rowcast'::regnamespace AND prosecdef AND (proconfig IS NULL OR NOT proconfig::text LIKE '%search_path=pg_catalog%')", &[])
        .await
        .unwrap();
    assert!(definers.is_empty(), "{definers:?}");
}

#[tokio::test]
async fn what_others_have_planted_in_public_is_not_called() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    stage.own("SELECT rowcast.detach('docs')").await;
    // Exact matches, which beat what pg_catalog has for any type.
    stage
        .superuser
        .batch_execute(
            "CREATE FUNCTION public.to_jsonb(public.docs) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted'; END $$;
             CREATE FUNCTION public.pg_column_size(public.docs) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted'; END $$;
             CREATE FUNCTION public.quote_ident(name) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted'; END $$;
             CREATE FUNCTION public.lower(name) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted'; END $$;
             CREATE FUNCTION public.differ(public.docs, public.docs) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted'; END $$;
             CREATE OPERATOR public.*<> (LEFTARG = public.docs, RIGHTARG = public.docs, FUNCTION = public.differ)",
        )
        .await
        .unwrap();
    for path in ["public", "public, pg_catalog"] {
        stage.own(&format!("SET search_path = {path}")).await;
        stage.attach(ATTACH_DOCS).await;
        stage.app.batch_execute(&format!("SET search_path = {path}; TRUNCATE docs; INSERT INTO docs VALUES (1, 'a', 'x'); UPDATE docs SET title = 'y'")).await.unwrap();
        stage.own("SELECT rowcast.detach('docs')").await;
    }
    let told = stage.told().await;
    assert_eq!(told, ["TRUNCATE - all", "INSERT 1 @a", "UPDATE 1 @a", "TRUNCATE - all", "INSERT 1 @a", "UPDATE 1 @a"]);
}
