//! What a DBA hands over as text: expressions for `attach`, queries and JSON for `use_grants`. Nothing in them is carried out, and what is refused is refused with words.

use proptest::prelude::*;
use tokio::runtime::Handle;
use tokio_postgres::Client;

use crate::{
    harness::{Database, Role},
    try_out,
};

const CASES: u32 = 150;

/// Pieces of SQL that might get out of where they are put, with a function that leaves a trace when it runs.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = [
        "r.organization",
        "NULL",
        "1",
        "'",
        "''",
        "\"",
        "$$",
        "$body$",
        "$rowcast$",
        ";",
        ")",
        "(",
        "--",
        "/*",
        "*/",
        ",",
        "END;",
        "END",
        "BEGIN ATOMIC",
        "AS",
        "\\",
        "\n",
        " ",
        "public.trace()",
        "(SELECT public.trace())",
        "DROP TABLE public.things",
        "; SELECT public.trace()",
        ") ; SELECT public.trace(); --",
        "UNION ALL SELECT",
        "FROM public.things",
        "COMMIT",
        "DO $x$ BEGIN PERFORM public.trace(); END $x$",
        "%",
        "%s",
        "%I",
        "%1$s",
        "\u{0}",
        "ü",
        "$1",
        "WHERE",
        "OR",
        "=",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 1..7).prop_map(|pieces| pieces.join(" "))
}

async fn database() -> (Database, Client) {
    let db = Database::new().await;
    let writer = db.connect_as(Role::Writer).await;
    writer
        .batch_execute(
            "CREATE TABLE public.things (id bigint PRIMARY KEY, organization text);
             CREATE TABLE public.traces (at timestamptz DEFAULT now());
             CREATE FUNCTION public.trace() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'INSERT INTO public.traces DEFAULT VALUES RETURNING ''x''';
             GRANT INSERT, SELECT ON public.traces TO PUBLIC",
        )
        .await
        .unwrap();
    (db, writer)
}

/// That nothing ran, and that there is all that was there.
async fn check_untouched(client: &Client) -> Result<(), TestCaseError> {
    let traces: i64 = client.query_one("SELECT count(*) FROM public.traces", &[]).await.unwrap().get(0);
    prop_assert_eq!(traces, 0);
    prop_assert!(client.execute("SELECT FROM public.things", &[]).await.is_ok());
    Ok(())
}

/// An error says something of its own, and is not of a kind that tells of a mistake of ours.
fn check_words(result: &Result<u64, tokio_postgres::Error>) -> Result<(), TestCaseError> {
    if let Err(error) = result
        && let Some(error) = error.as_db_error()
    {
        prop_assert!(!error.message().is_empty());
        prop_assert!(!error.code().code().starts_with("XX"), "{}", error);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn expressions_are_not_carried_out_and_do_not_get_out() {
    let (_db, writer) = database().await;
    let places = prop::sample::select(vec![
        "organization_id",
        "data",
        "filter",
        "priority",
        "user_id",
        "chatbot_id",
        "session_id",
    ]);
    let function = prop::sample::select(vec!["attach", "preview"]);
    let handle = Handle::current();
    tokio::task::block_in_place(|| {
        try_out(CASES, &(function, places, hostile()), |(function, place, text)| {
            handle.block_on(async {
                writer.batch_execute("BEGIN").await.unwrap();
                let call = format!("SELECT rowcast.{function}('public.things', 'document_processing', {place} => $1)");
                let result = writer.execute(&call, &[&text]).await;
                check_words(&result)?;
                let ran = if result.is_ok() { check_untouched(&writer).await } else { Ok(()) };
                writer.batch_execute("ROLLBACK").await.unwrap();
                ran?;
                check_untouched(&writer).await
            })
        });
    });
    let attached: i64 = writer
        .query_one("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'public.things'::regclass", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(attached, 0, "what was rolled back");
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_of_grants_and_what_watches_them_are_not_carried_out() {
    let (db, writer) = database().await;
    let owner = db.connect().await;
    owner.batch_execute("CREATE TABLE public.people (id text PRIMARY KEY)").await.unwrap();
    let query = prop_oneof![
        1 => Just("SELECT id AS user_id, id AS organization_id, id AS permission FROM public.people".to_owned()),
        1 => hostile(),
        1 => hostile().prop_map(|text| format!("SELECT id AS user_id, id AS organization_id, {text} AS permission FROM public.people")),
    ];
    let leaf = prop_oneof![Just("r.id".to_owned()), hostile(), Just("public.people".to_owned())];
    let json = leaf.prop_map(serde_json::Value::from).prop_recursive(3, 12, 3, |inner| {
        let name = prop::sample::select(vec![
            "public.people",
            "user",
            "columns",
            "public.traces",
            "rowcast.outbox",
            "pg_catalog.pg_class",
            "x\"; DROP",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(serde_json::Value::from),
            prop::collection::vec((name, inner), 0..3)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
            Just(serde_json::Value::Null),
            Just(serde_json::json!(1e300)),
        ]
    });
    let handle = Handle::current();
    tokio::task::block_in_place(|| {
        try_out(CASES, &(query, json), |(query, watch)| {
            handle.block_on(async {
                owner.batch_execute("BEGIN").await.unwrap();
                let watch = watch.to_string();
                let result = owner.execute("SELECT rowcast.use_grants($1, $2::text::jsonb)", &[&query, &watch]).await;
                check_words(&result)?;
                owner.batch_execute("ROLLBACK").await.unwrap();
                check_untouched(&writer).await
            })
        });
    });
}
