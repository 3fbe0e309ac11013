//! `rowcast.use_messages`: what it takes and refuses, and whose rights count.

use super::{App, QUERY, words};
use crate::{
    fresh_role,
    harness::{Database, Role},
};

/// A query that gives only what it has to.
const LEAST: &str = "SELECT bot AS chatbot_id, tenant AS organization_id, dialogue AS session_id, speaker AS role, said_at AS created_at
    FROM public.utterances";

#[tokio::test]
async fn what_is_no_query_for_messages_is_refused_and_the_former_one_stays() {
    let app = App::new().await;
    let with = |column: &str| LEAST.replace("FROM", &format!(", {column} FROM"));
    for (query, complaint) in [
        ("SELECT 1; DROP TABLE public.utterances".to_owned(), "syntax error at or near \";\""),
        ("SELECT 1) AS x; DROP TABLE public.utterances; --".to_owned(), "syntax error"),
        ("DELETE FROM public.utterances RETURNING *".to_owned(), "syntax error"),
        (
            LEAST.replace("public.utterances", "utterances"),
            "Name every table, function and type of yours with its schema",
        ),
        (LEAST.replace("public.utterances", "public.nowhere"), "\"public.nowhere\" does not exist"),
        (
            "SELECT 'a' AS chatbot_id".to_owned(),
            "does not give organization_id, session_id, role, created_at Write one SELECT that gives chatbot_id",
        ),
        (with("llm AS engine"), "gives engine, which no message has"),
        (
            with("NULL AS satisfaction"),
            "satisfaction as text, not as smallint or integer or bigint or real or double precision or numeric A NULL without a type is text: leave the column out",
        ),
        (with("interval '1 s' AS response_time_ms"), "Of an interval: 1000 * extract(epoch FROM took)"),
        (with("1 AS failed"), "failed as integer, not as boolean"),
        (with("'{1}'::bigint[] AS input_tokens"), "input_tokens as bigint[], not as"),
        (with("1::money AS output_tokens"), "output_tokens as money"),
        (
            LEAST.replace("said_at", "said_at::timestamp"),
            "timestamp without time zone, not as timestamp with time zone Say whose clock it is",
        ),
        (LEAST.replace("said_at", "said_at::text"), "text, not as timestamp with time zone Say whose clock it is"),
    ] {
        let error = app.dba.execute("SELECT rowcast.use_messages($1)", &[&query]).await.unwrap_err();
        assert!(words(&error).contains(complaint), "{query}: {}", words(&error));
    }
    app.say("acme", "ann", "bot").await;
    assert_eq!(app.measure().await, "measured");
    let measured = app.texts("SELECT input_tokens || ' ' || response_time_ms FROM rowcast.chatbot_metrics").await;
    assert_eq!(measured, ["1000000 250.000"], "the former query still counts");
}

#[tokio::test]
async fn it_can_be_replaced_and_taken_back() {
    let app = App::without_query().await;
    assert_eq!(app.measure().await, "unset");
    app.say("acme", "ann", "bot").await;
    for query in [Some(QUERY), Some(LEAST), None, None] {
        app.dba.execute("SELECT rowcast.use_messages($1)", &[&query]).await.unwrap();
        assert_eq!(app.measure().await, if query.is_some() { "measured" } else { "unset" });
    }
    // What is left out is as good as null, and there is nothing else to time an answer by.
    let measured = "SELECT format('%s %s %s', input_tokens, response_time_ms, success_rate) FROM rowcast.chatbot_metrics ORDER BY id";
    assert_eq!(app.texts(measured).await, ["1000000 250.000 1.000000", "0  1.000000"]);

    app.dba.execute("SELECT rowcast.use_messages($1)", &[&QUERY]).await.unwrap();
    app.writer.batch_execute("DROP TABLE public.utterances CASCADE").await.unwrap();
    assert_eq!(app.measure().await, "unset");
}

#[tokio::test]
async fn ids_may_be_of_any_type() {
    let app = App::without_query().await;
    app.writer
        .batch_execute(&format!(
            "CREATE TYPE public.who AS ENUM ('user', 'bot'); CREATE DOMAIN public.score AS smallint CHECK (VALUE > 0);
             CREATE TABLE public.lines (bot uuid, firm bigint, talk char(3), who public.who, at timestamptz, model varchar, score public.score);
             INSERT INTO public.lines VALUES ('00000000-0000-0000-0000-000000000001', 7, 'a', 'bot', now(), 'm', 4);
             GRANT SELECT ON public.lines TO {}",
            Role::Owner.name()
        ))
        .await
        .unwrap();
    let query = "SELECT bot AS chatbot_id, firm AS organization_id, talk AS session_id, who AS role, at AS created_at, model, score AS satisfaction,
                        sum(1) OVER () AS input_tokens FROM public.lines -- the owner's words";
    app.dba.execute("SELECT rowcast.use_messages($1)", &[&query]).await.unwrap();
    assert_eq!(app.measure().await, "measured");
    let measured = app
        .texts("SELECT organization_id || chatbot_id || satisfaction || input_tokens FROM rowcast.chatbot_metrics")
        .await;
    assert_eq!(measured, ["700000000-0000-0000-0000-0000000000014.0001"]);
}

#[tokio::test]
async fn the_server_measures_what_it_may_not_read() {
    let app = App::new().await;
    app.say("acme", "ann", "bot").await;
    assert_eq!(app.measure().await, "measured");
    let ways_around = [
        "SELECT FROM public.utterances",
        "SELECT rowcast.use_messages(NULL)",
        "UPDATE rowcast.chatbot_metrics SET cost = 0",
        "DELETE FROM rowcast.chatbot_metrics",
        "INSERT INTO rowcast.model_prices VALUES ('m', 0, 0)",
    ];
    for (role, denied) in ways_around.map(|denied| (Role::Server, denied)).into_iter().chain([
        (Role::Writer, "SELECT rowcast.use_messages(NULL)"),
        (Role::Writer, "SELECT rowcast.measure()"),
        (Role::Reader, "SELECT rowcast.measure()"),
        (Role::Reader, "SELECT FROM rowcast.messages"),
        (Role::App, "SELECT FROM rowcast.daily_costs"),
        (Role::App, "SELECT rowcast.count_costs('2026-01-01')"),
    ]) {
        let error = app.db.connect_as(role).await.batch_execute(denied).await.unwrap_err();
        assert!(words(&error).contains("permission denied"), "{role:?} {denied}: {}", words(&error));
    }
    let reader = app.db.connect_as(Role::Reader).await;
    for table in ["chatbot_metrics", "daily_costs", "model_prices"] {
        reader.query(&format!("SELECT FROM rowcast.{table}"), &[]).await.unwrap();
    }
}

#[tokio::test]
async fn what_the_owner_may_not_read_or_not_see_is_refused() {
    let db = Database::new().await;
    let superuser = db.connect_as(Role::Superuser).await;
    let keeper = fresh_role("keeper");
    superuser
        .batch_execute(&format!(
            "{} CREATE ROLE {keeper}; ALTER TABLE public.utterances OWNER TO {keeper}; GRANT USAGE, CREATE ON SCHEMA public TO {keeper};",
            super::TABLE
        ))
        .await
        .unwrap();
    let owner = Role::Owner.name();
    let refused = async |complaint: &str| {
        let error = superuser.execute("SELECT rowcast.use_messages($1)", &[&QUERY]).await.unwrap_err();
        assert!(words(&error).contains(complaint), "{complaint}: {}", words(&error));
        let view = superuser.query_one("SELECT to_regclass('rowcast.messages') IS NULL", &[]).await.unwrap();
        assert!(view.get::<_, bool>(0));
    };
    refused(&format!(
        "{owner} may not read public.utterances, which the query does on its behalf GRANT SELECT ON public.utterances TO {owner}"
    ))
    .await;
    superuser
        .batch_execute(&format!(
            "GRANT SELECT ON public.utterances TO {owner}; ALTER TABLE public.utterances ENABLE ROW LEVEL SECURITY"
        ))
        .await
        .unwrap();
    refused(&format!("row-level security of public.utterances may hide rows from {owner}, and with them messages"))
        .await;
    superuser.batch_execute("ALTER TABLE public.utterances DISABLE ROW LEVEL SECURITY").await.unwrap();
    superuser.execute("SELECT rowcast.use_messages($1)", &[&QUERY]).await.unwrap();
    let view = "SELECT relowner::regrole::text FROM pg_class WHERE oid = 'rowcast.messages'::regclass";
    assert_eq!(superuser.query_one(view, &[]).await.unwrap().get::<_, &str>(0), owner);
    superuser
        .batch_execute(&format!("DROP TABLE public.utterances CASCADE; DROP OWNED BY {keeper}; DROP ROLE {keeper}"))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_beyond_all_measure_stops_nobody() {
    let app = App::without_query().await;
    let query = "SELECT tenant AS organization_id, dialogue AS session_id, speaker AS role, said_at AS created_at, prompt_tokens AS input_tokens, repeat(llm, 300) AS model,
            CASE bot WHEN 'long' THEN (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 400) n) ELSE bot END AS chatbot_id,
            CASE bot WHEN 'slow' THEN 1e400 WHEN 'quick' THEN 1e-400 ELSE took_ms::numeric END AS response_time_ms,
            CASE bot WHEN 'slow' THEN 1e100000 ELSE 3 END AS satisfaction
        FROM public.utterances";
    app.dba.execute("SELECT rowcast.use_messages($1)", &[&query]).await.unwrap();
    for bot in ["ann", "long", "quick", "slow"] {
        app.say("acme", bot, "bot").await;
    }
    assert_eq!(app.measure().await, "measured");
    let figures = "SELECT concat_ws(' ', chatbot_id, trim_scale(response_time_ms), trim_scale(satisfaction), length(unpriced_models[1])) FROM rowcast.chatbot_metrics ORDER BY id";
    assert_eq!(app.texts(figures).await, ["ann 250 3 200", "quick 0 3 200", "slow 200"]);
    assert_eq!(app.number("SELECT left_out FROM rowcast.measure()").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM rowcast.daily_costs").await, 3);
}
