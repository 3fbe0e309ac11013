//! Watched tables announce whom a change concerns, and only when it matters.

use super::{QUERY, TEAMS, WATCH, announced, anybody, use_grants, user};
use crate::harness::Database;
use tokio_postgres::Client;

async fn watched() -> (Database, Client) {
    let db = Database::new().await;
    let client = db.connect().await;
    client.batch_execute(TEAMS).await.unwrap();
    use_grants(&client, Some(QUERY), Some(WATCH)).await.unwrap();
    announced(&client).await;
    (db, client)
}

#[tokio::test]
async fn each_operation_names_the_users_it_concerns() {
    let (_db, client) = watched().await;
    for (statement, concerned) in [
        (
            "INSERT INTO public.members VALUES (1, 'ada', 'chief'), (1, 'ben', 'guest'), (2, 'cleo', 'guest')",
            vec!["ada", "ben", "cleo"],
        ),
        ("UPDATE public.members SET role = 'guest'", vec!["ada"]),
        ("UPDATE public.members SET note = '{}' WHERE login = 'ben'", vec![]),
        ("UPDATE public.members SET note = note", vec![]),
        ("UPDATE public.members SET login = 'bert' WHERE login = 'ben'", vec!["ben", "bert"]),
        ("DELETE FROM public.members WHERE login = 'ada'", vec!["ada"]),
        ("DELETE FROM public.members WHERE login = 'ada'", vec![]),
        (
            "INSERT INTO public.members VALUES (2, 'cleo', 'chief') ON CONFLICT (team, login) DO UPDATE SET role = EXCLUDED.role",
            vec!["cleo"],
        ),
    ] {
        client.batch_execute(statement).await.unwrap();
        let expected: Vec<_> = concerned.into_iter().map(|id| user(id, "public.members")).collect();
        assert_eq!(announced(&client).await, expected, "{statement}");
    }
    client.batch_execute("TRUNCATE public.members").await.unwrap();
    assert_eq!(announced(&client).await, [anybody("public.members")]);
    client.batch_execute("INSERT INTO public.roles VALUES ('guest', 'peek')").await.unwrap();
    assert_eq!(announced(&client).await, [anybody("public.roles")]);
}

#[tokio::test]
async fn columns_that_do_not_matter_cost_nothing() {
    let (_db, client) = watched().await;
    client.batch_execute("INSERT INTO public.users (login) VALUES ('ada'), ('ben')").await.unwrap();
    assert_eq!(announced(&client).await.len(), 2);
    client.batch_execute("UPDATE public.users SET last_seen = now()").await.unwrap();
    assert_eq!(announced(&client).await, []);
    client.batch_execute("UPDATE public.users SET staff = true, last_seen = now() WHERE login = 'ada'").await.unwrap();
    assert_eq!(announced(&client).await, [user("ada", "public.users")]);
    client.batch_execute("UPDATE public.users SET login = 'bert' WHERE login = 'ben'").await.unwrap();
    assert_eq!(
        announced(&client).await,
        [user("ben", "public.users"), user("bert", "public.users")],
        "the user expression reads login"
    );
}

#[tokio::test]
async fn without_columns_those_count_that_the_query_reads_where_that_is_certain() {
    let (_db, client) = watched().await;
    let tables = "
        CREATE TABLE public.staff (id int PRIMARY KEY, login text, team text, gone boolean DEFAULT false, seen int DEFAULT 0, CHECK (seen >= 0));
        CREATE TABLE public.keyless (login text, team text, seen int DEFAULT 0);
        CREATE VIEW public.present AS SELECT * FROM public.staff WHERE NOT gone;
        CREATE FUNCTION public.is_gone(int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT seen < 0 FROM public.staff WHERE id = $1';
        INSERT INTO public.staff VALUES (1, 'ada', 'a');
        INSERT INTO public.keyless VALUES ('ada', 'a')";
    client.batch_execute(tables).await.unwrap();
    let rest = "team AS organization_id, NULL AS permission FROM public";
    for (table, query, is_certain) in [
        ("staff", format!("SELECT login AS user_id, {rest}.staff WHERE NOT gone"), true),
        (
            "staff",
            format!("SELECT login AS user_id, {rest}.staff s JOIN public.keyless k USING (login, team) WHERE NOT gone"),
            true,
        ),
        (
            "staff",
            "WITH s AS (SELECT login, team FROM public.staff) SELECT login AS user_id, team AS organization_id, NULL AS permission FROM s UNION ALL TABLE rowcast.membership_grants".to_owned(),
            true,
        ),
        // Who can tell what these read, or will?
        ("staff", format!("SELECT login AS user_id, {rest}.staff s WHERE to_jsonb(s.*) ->> 'seen' <> '9'"), false),
        ("staff", format!("SELECT login AS user_id, {rest}.staff s WHERE s IS NOT NULL"), false),
        ("staff", format!("SELECT login AS user_id, {rest}.staff WHERE xmin IS NOT NULL"), false),
        ("staff", format!("SELECT login AS user_id, {rest}.staff WHERE NOT public.is_gone(id)"), false),
        ("staff", format!("SELECT login AS user_id, {rest}.present"), false),
        ("keyless", format!("SELECT login AS user_id, {rest}.keyless"), false),
    ] {
        use_grants(&client, Some(&query), Some(&format!(r#"{{"public.{table}": "r.login"}}"#))).await.unwrap();
        announced(&client).await;
        client.batch_execute(&format!("UPDATE public.{table} SET seen = seen + 1")).await.unwrap();
        let told = [user("ada", &format!("public.{table}"))];
        assert_eq!(announced(&client).await, if is_certain { &[][..] } else { &told }, "{query}");
        client.batch_execute(&format!("UPDATE public.{table} SET team = team || 'x'")).await.unwrap();
        assert_eq!(announced(&client).await, told, "{query}");
    }
    let query = format!("SELECT login AS user_id, {rest}.staff WHERE NOT gone");
    client.batch_execute("ALTER TABLE public.staff ENABLE ROW LEVEL SECURITY").await.unwrap();
    use_grants(&client, Some(&query), Some(r#"{"public.staff": "r.login"}"#)).await.unwrap();
    announced(&client).await;
    client.batch_execute("UPDATE public.staff SET seen = seen + 1").await.unwrap();
    assert_eq!(announced(&client).await, [user("ada", "public.staff")], "policies may read any column");
}

#[tokio::test]
async fn two_rows_that_trade_places_are_two_changes() {
    let (_db, client) = watched().await;
    client.batch_execute("INSERT INTO public.users (login, staff) VALUES ('ada', true), ('ben', false)").await.unwrap();
    announced(&client).await;
    client.batch_execute("UPDATE public.users SET staff = NOT staff").await.unwrap();
    assert_eq!(announced(&client).await, [user("ada", "public.users"), user("ben", "public.users")]);

    // The same user twice: only the key tells the rows apart.
    client.batch_execute("CREATE TABLE public.seats (id int PRIMARY KEY, login text, role text); INSERT INTO public.seats VALUES (1, 'ada', 'chief'), (2, 'ada', 'guest')").await.unwrap();
    use_grants(&client, Some(QUERY), Some(r#"{"public.seats": {"user": "r.login", "columns": ["role"]}}"#))
        .await
        .unwrap();
    announced(&client).await;
    client.batch_execute("UPDATE public.seats SET role = CASE id WHEN 1 THEN 'guest' ELSE 'chief' END").await.unwrap();
    assert_eq!(announced(&client).await, [user("ada", "public.seats")]);
}

#[tokio::test]
async fn an_expression_that_fails_or_yields_nothing_is_anybody_and_no_write_fails() {
    let (_db, client) = watched().await;
    let watch = r#"{"public.members": "CASE WHEN r.team = 0 THEN NULL ELSE r.login || (1 / (r.team - 1)) END"}"#;
    use_grants(&client, Some(QUERY), Some(watch)).await.unwrap();
    announced(&client).await;
    client.batch_execute("INSERT INTO public.members VALUES (0, 'ada', 'chief')").await.unwrap();
    assert_eq!(announced(&client).await, [anybody("public.members")]);
    client.batch_execute("INSERT INTO public.members VALUES (1, 'ada', 'chief')").await.unwrap();
    assert_eq!(announced(&client).await, [anybody("public.members: division by zero")]);
    client.batch_execute("INSERT INTO public.members VALUES (2, 'ada', 'chief')").await.unwrap();
    assert_eq!(announced(&client).await, [user("ada1", "public.members")]);
}

#[tokio::test]
async fn partitions_and_children_are_watched_however_they_are_written() {
    let (_db, client) = watched().await;
    client
        .batch_execute(
            "CREATE TABLE public.seats (id int, login text) PARTITION BY RANGE (id);
             CREATE TABLE public.low (login text, id int);
             ALTER TABLE public.seats ATTACH PARTITION public.low FOR VALUES FROM (0) TO (10);
             CREATE TABLE public.high PARTITION OF public.seats FOR VALUES FROM (10) TO (20);
             CREATE TABLE public.base (login text);
             CREATE TABLE public.child (more text) INHERITS (public.base)",
        )
        .await
        .unwrap();
    use_grants(&client, Some(QUERY), Some(r#"{"public.seats": "r.login", "public.base": "r.login"}"#)).await.unwrap();
    announced(&client).await;
    for (statement, expected) in [
        ("INSERT INTO public.seats VALUES (1, 'ada')", vec![user("ada", "public.seats")]),
        ("INSERT INTO public.low VALUES ('ben', 2)", vec![user("ben", "public.seats")]),
        ("UPDATE public.seats SET id = 11 WHERE login = 'ben'", vec![user("ben", "public.seats")]),
        ("DELETE FROM public.high", vec![user("ben", "public.seats")]),
        ("INSERT INTO public.child VALUES ('cleo', 'x')", vec![user("cleo", "public.base")]),
        ("UPDATE public.base SET login = 'cloe'", vec![user("cleo", "public.base"), user("cloe", "public.base")]),
    ] {
        client.batch_execute(statement).await.unwrap();
        assert_eq!(announced(&client).await, expected, "{statement}");
    }
}

#[tokio::test]
async fn renaming_changes_nothing_and_dropping_what_is_needed_is_refused() {
    let (_db, client) = watched().await;
    client
        .batch_execute(
            "INSERT INTO public.users (login) VALUES ('ada');
             ALTER TABLE public.users RENAME COLUMN login TO \"Who is it\";
             ALTER TABLE public.users RENAME TO \"The users\";
             ALTER TABLE public.\"The users\" ADD COLUMN r int;
             CREATE SCHEMA elsewhere;
             ALTER TABLE public.\"The users\" SET SCHEMA elsewhere",
        )
        .await
        .unwrap();
    announced(&client).await;
    client.batch_execute("UPDATE elsewhere.\"The users\" SET r = 1").await.unwrap();
    assert_eq!(announced(&client).await, []);
    client.batch_execute("UPDATE elsewhere.\"The users\" SET staff = true").await.unwrap();
    assert_eq!(announced(&client).await, [user("ada", "public.users")]);
    for column in ["staff", "\"Who is it\""] {
        let refused = client.batch_execute(&format!("ALTER TABLE elsewhere.\"The users\" DROP COLUMN {column}")).await;
        let error = refused.unwrap_err();
        assert!(error.as_db_error().unwrap().detail().unwrap().contains("rowcast_watch"), "{error:?}");
    }
    client.batch_execute("ALTER TABLE elsewhere.\"The users\" DROP COLUMN last_seen").await.unwrap();
    client.batch_execute("UPDATE elsewhere.\"The users\" SET staff = false").await.unwrap();
    assert_eq!(announced(&client).await, [user("ada", "public.users")]);
}

#[tokio::test]
async fn a_hundred_thousand_rows_in_one_update_are_quick_after_many_small_ones() {
    let (_db, client) = watched().await;
    client
        .batch_execute("INSERT INTO public.users (login) SELECT 'user' || i FROM generate_series(1, 100000) i")
        .await
        .unwrap();
    for number in 1..=20 {
        client
            .batch_execute(&format!("UPDATE public.users SET staff = true WHERE login = 'user{number}'"))
            .await
            .unwrap();
    }
    assert_eq!(announced(&client).await.len(), 21);
    // A plan that compares every row with every row would take hours.
    client.batch_execute("SET statement_timeout = '60s'; UPDATE public.users SET staff = NOT staff").await.unwrap();
    assert_eq!(announced(&client).await, [anybody("public.users")]);
}
