//! What `attach` refuses: it says what is wrong, with a hint, and changes nothing.

use super::{ATTACH_DOCS, DOCS, Stage};

#[tokio::test]
async fn sources_that_cannot_be_attached() {
    let stage = Stage::new(&format!(
        "{DOCS}; CREATE VIEW public.seen AS TABLE public.docs; CREATE MATERIALIZED VIEW public.kept AS TABLE public.docs; CREATE SEQUENCE public.counter;
         CREATE TEMPORARY TABLE scratch (id int)"
    ))
    .await;
    for (source, complaint) in [
        ("NULL", "source must not be NULL"),
        ("'public.seen'", "public.seen is not a table Attach the tables behind a view"),
        ("'public.kept'", "public.kept is not a table"),
        ("'public.counter'", "public.counter is not a table"),
        ("'scratch'", "is a temporary table"),
        ("'pg_class'", "pg_catalog.pg_class belongs to Postgres itself"),
        ("4294967290::oid::regclass", "there is no table with OID"),
    ] {
        let refusal = stage.refusal(&format!("{source}, 'user_activity'")).await;
        assert!(refusal.contains(complaint), "{source}: {refusal}");
    }
    let owner = stage.db.connect().await;
    let error = owner.batch_execute("SELECT rowcast.attach('rowcast.memberships', 'user_activity')").await.unwrap_err();
    assert!(super::words(&error).contains("rowcast.memberships belongs to rowcast itself"));
}

#[tokio::test]
async fn arguments_that_make_no_sense() {
    let stage = Stage::new(DOCS).await;
    for (arguments, complaint, hint) in [
        ("'nonsense'", "unknown event type: 'nonsense'", "A type of your own is a row in rowcast.event_types"),
        ("NULL", "unknown event type: NULL", "Known types: chatbot_metrics"),
        ("'connection_status'", "connection_status events are made by the server", "Choose another type"),
        (
            "'user_activity', operations => '{INSERT,UPSERT}'",
            "unknown operation UPSERT",
            "Use INSERT, UPDATE and DELETE",
        ),
        ("'user_activity', operations => '{NULL}'", "unknown operation NULL", "Use INSERT, UPDATE and DELETE"),
        ("'user_activity', operations => '{}'", "at least one is needed", "Leave the argument out"),
        (
            "'user_activity', exclude => '{titel}'",
            "exclude: public.docs has no column \"titel\"",
            "Its columns: id, org, title.",
        ),
        ("'user_activity', exclude => '{ctid}'", "has no column \"ctid\"", "Its columns"),
        ("'user_activity', exclude => '{NULL}'", "exclude contains NULL", "names of columns"),
        (
            "'user_activity', exclude => '{title}', data => $$'{}'$$",
            "exclude and data cannot both be given",
            "whole row",
        ),
        (
            "'user_activity', changed_columns => '{x}'",
            "changed_columns: public.docs has no column \"x\"",
            "Its columns",
        ),
        ("'user_activity', changed_columns => '{}'", "changed_columns: at least one is needed", "any column"),
        (
            "'user_activity', changed_columns => '{title}', operations => '{INSERT}'",
            "changed_columns is about UPDATE",
            "Add UPDATE",
        ),
        ("'user_activity', private => true", "private: user_id is missing", "r.user_id"),
        ("'user_activity', private => NULL", "private must not be NULL", "true or false"),
        ("'user_activity', on_error => 'ignore'", "on_error: unknown choice 'ignore'", "rowcast.capture_errors"),
        ("'user_activity', on_error => NULL", "on_error: unknown choice NULL", "'fail'"),
    ] {
        let refusal = stage.refusal(&format!("'public.docs', {arguments}")).await;
        assert!(refusal.contains(complaint) && refusal.contains(hint), "{arguments}: {refusal}");
    }
    assert_nothing_made(&stage).await;
}

#[tokio::test]
async fn texts_that_are_not_one_expression() {
    let stage = Stage::new(DOCS).await;
    for (expression, complaint) in [
        ("", "is empty"),
        (" \n\t", "is empty"),
        ("org", "column \"org\" does not exist"),
        ("r.nothing", "The columns of r: id, org, title."),
        ("s.org", "missing FROM-clause entry for table \"s\""),
        ("org-1", "column \"org\" does not exist"),
        ("r.org FROM docs r", "syntax error"),
        ("NULL) FROM rowcast_new r; DROP TABLE docs; --", "syntax error"),
        ("NULL); DROP TABLE docs; --", "syntax error"),
        ("NULL]; DROP TABLE docs; --", "syntax error"),
        ("1), (2", "syntax error"),
        ("1], ARRAY[2", "syntax error"),
        ("1 END, CASE WHEN true THEN 2", "syntax error"),
        ("r.org, r.title", "syntax error"),
        ("r.org; SELECT 1", "syntax error"),
        ("SELECT r.org", "syntax error"),
        ("r.org /* and", "unterminated /* comment"),
        ("'r.org", "unterminated quoted string"),
        ("$x$ r.org", "unterminated dollar-quoted string"),
        ("count(r.org)", "aggregate functions are not allowed"),
        ("row_number() OVER ()", "window functions are not allowed"),
        ("unnest(ARRAY['a', 'b'])", "set-returning functions are not allowed"),
        ("$2", "there is no parameter $2"),
        ("(SELECT * FROM docs)", "subquery must return only one column"),
        ("(DELETE FROM docs RETURNING org)", "syntax error"),
    ] {
        for argument in ["organization_id", "user_id", "chatbot_id", "session_id", "priority"] {
            let refusal =
                stage.refusal(&format!("'public.docs', 'user_activity', {argument} => $q${expression}$q$")).await;
            assert!(refusal.starts_with(argument), "{refusal}");
            assert!(refusal.contains(complaint), "{expression}: {refusal}");
        }
    }
    for argument in ["filter", "data"] {
        let refusal = stage
            .refusal(&format!("'public.docs', 'user_activity', {argument} => 'NULL) FROM docs; DROP TABLE docs; --'"))
            .await;
        assert!(refusal.contains("syntax error"), "{refusal}");
    }
    assert_nothing_made(&stage).await;
    assert_eq!(stage.writer.query("SELECT FROM docs", &[]).await.unwrap().len(), 0, "it is still there");
}

#[tokio::test]
async fn expressions_of_the_wrong_type() {
    let stage = Stage::new(DOCS).await;
    for (argument, complaint, hint) in [
        ("filter => 'r.title'", "filter:", "It must be of type boolean."),
        ("filter => '1'", "filter:", "It must be of type boolean."),
        ("data => 'r.title'", "data:", "It must be of type jsonb"),
        ("data => 'r.id'", "data:", "It must be of type jsonb"),
        ("data => 'to_json(r.*)'", "data:", "It must be of type jsonb"),
    ] {
        let refusal = stage.refusal(&format!("'public.docs', 'user_activity', {argument}")).await;
        assert!(refusal.starts_with(complaint) && refusal.contains(hint), "{argument}: {refusal}");
    }
    assert_nothing_made(&stage).await;
}

#[tokio::test]
async fn expressions_may_hold_whatever_an_expression_may() {
    let stage = Stage::new(DOCS).await;
    for expression in [
        "r.org -- its organisation",
        "/* a /* nested */ comment */ r.org",
        "(r).org",
        "r.org || ')'",
        "$x$a)$x$",
        "E'\\'a)'",
        "\"r\".\"org\"",
        "(SELECT d.org FROM docs d WHERE d.id = r.id ORDER BY 1 LIMIT 1)",
        "CASE WHEN r.id > 0 THEN r.org END",
        "upper(r.org)",
        "r.id",
        "NULL",
        "'acme'",
    ] {
        stage.attach(&format!("'public.docs', 'user_activity', organization_id => $q${expression}$q$")).await;
        stage.write("DELETE FROM docs; INSERT INTO docs VALUES (1, 'a', 'x'); UPDATE docs SET title = 'y'").await;
        let told = stage.told().await;
        assert!(told.len() >= 2, "{expression}: {told:?}");
        stage.own("SELECT rowcast.detach('docs')").await;
    }
}

#[tokio::test]
async fn a_table_is_attached_once_for_each_type() {
    let stage = Stage::new(DOCS).await;
    stage.attach(ATTACH_DOCS).await;
    let refusal = stage.refusal(ATTACH_DOCS).await;
    assert!(refusal.contains("public.docs is attached to document_processing already Detach it first: SELECT rowcast.detach('public.docs');"), "{refusal}");
}

#[tokio::test]
async fn unlogged_tables_are_accepted_with_a_warning() {
    let stage = Stage::new("CREATE UNLOGGED TABLE public.cache (id int PRIMARY KEY)").await;
    let notices = stage.notices("SELECT rowcast.attach('public.cache', 'user_activity')").await;
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0].starts_with("WARNING: public.cache is unlogged: a crash empties it"), "{notices:?}");
    stage.write("INSERT INTO cache VALUES (1)").await;
    assert_eq!(stage.told().await, ["INSERT 1 all"]);
}

async fn assert_nothing_made(stage: &Stage) {
    // What is rowcast's own is attached, and belongs to somebody else.
    let made =
        "SELECT (SELECT count(*) FROM pg_proc WHERE pronamespace::regnamespace::text = 'rowcast_capture_' || 'rowcast_test_writer'::regrole::oid)
                     + (SELECT count(*) FROM pg_trigger WHERE tgrelid = 'public.docs'::regclass)";
    assert_eq!(stage.superuser.query_one(made, &[]).await.unwrap().get::<_, i64>(0), 0);
}
