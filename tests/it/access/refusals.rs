//! What `use_grants` refuses, and that it changes nothing then.

use super::{QUERY, TEAMS, WATCH, announced, grants, use_grants, words};
use crate::{
    fresh_role,
    harness::{Database, Role},
};

#[tokio::test]
async fn a_query_that_is_not_one_is_refused() {
    let db = Database::new().await;
    let client = db.connect().await;
    client.batch_execute(TEAMS).await.unwrap();
    for (query, complaint) in [
        ("SELECT 1; DROP TABLE public.roles", "syntax error at or near \";\""),
        ("SELECT 1) AS x; DROP TABLE public.roles; --", "syntax error"),
        ("SELECT 1 /*", "unterminated"),
        ("DROP TABLE public.roles", "syntax error at or near \"TABLE\""),
        ("DELETE FROM public.roles RETURNING role AS user_id, role AS organization_id, permission", "syntax error"),
        (
            "WITH gone AS (DELETE FROM public.roles RETURNING *) SELECT role AS user_id, role AS organization_id, permission FROM gone",
            "data-modifying",
        ),
        ("SELECT login AS user_id, team AS organization_id, role AS permission FROM members", "schema"),
        ("SELECT login AS user_id FROM public.members", "gives user_id, not"),
        (
            "SELECT login AS user_id, team AS organization_id, role AS permission, note FROM public.members",
            "gives note, organization_id",
        ),
        ("SELECT $1 AS user_id, 1 AS organization_id, 'x' AS permission", "no parameter $1"),
    ] {
        let error = use_grants(&client, Some(query), Some("{}")).await.unwrap_err();
        assert!(words(&error).contains(complaint), "{query}: {}", words(&error));
    }
    assert_eq!(client.query("SELECT FROM public.roles", &[]).await.unwrap().len(), 1);
    assert_eq!(announced(&client).await, []);
}

#[tokio::test]
async fn a_watch_that_cannot_be_is_refused_and_the_former_one_stays() {
    let db = Database::new().await;
    let client = db.connect().await;
    client.batch_execute(TEAMS).await.unwrap();
    client
        .batch_execute("CREATE VIEW public.people AS TABLE public.users; CREATE TEMPORARY TABLE scratch (a text)")
        .await
        .unwrap();
    use_grants(&client, Some(QUERY), Some(WATCH)).await.unwrap();
    announced(&client).await;
    for (watch, complaint) in [
        ("[]", "must be a JSON object"),
        (r#"{"public.nowhere": null}"#, "public.nowhere, which does not exist"),
        (r#"{"members": null}"#, "with its schema"),
        (r#"{"public.people": null}"#, "public.people cannot be watched"),
        (r#"{"pg_temp.scratch": null}"#, "cannot be watched"),
        (r#"{"rowcast.memberships": null}"#, "watched already"),
        (r#"{"public.members": 3}"#, "takes an expression"),
        (r#"{"public.members": {"who": "r.login"}}"#, "An object takes"),
        (r#"{"public.members": {"user": "r.login", "columns": "role"}}"#, "An object takes"),
        (r#"{"public.members": {"user": "r.login", "columns": ["rank"]}}"#, "has no column rank"),
        (r#"{"public.roles": {"columns": ["role"]}}"#, "has no primary key"),
        (r#"{"public.members": "r.nobody"}"#, "the columns team, login, role, note"),
        (r#"{"public.members": "r.login, r.role"}"#, "syntax error"),
        (r#"{"public.members": "r.login; DROP TABLE public.roles"}"#, "syntax error"),
        (r#"{"public.members": "NULL AS text) FROM rowcast_new r; DROP TABLE public.roles; --"}"#, "syntax error"),
    ] {
        let error = use_grants(&client, Some(QUERY), Some(watch)).await.unwrap_err();
        assert!(words(&error).contains(complaint), "{watch}: {}", words(&error));
    }
    let error = use_grants(&client, None, Some(WATCH)).await.unwrap_err();
    assert!(words(&error).contains("nothing to watch"), "{}", words(&error));

    client.batch_execute("INSERT INTO public.members VALUES (1, 'ada', 'chief')").await.unwrap();
    assert_eq!(announced(&client).await.len(), 1, "the former watch is in place");
    assert_eq!(grants(&client).await.len(), 1, "so is the former query");
}

#[tokio::test]
async fn what_the_owner_of_the_view_may_not_read_is_said_at_once() {
    let db = Database::new().await;
    let client = db.connect_as(Role::Superuser).await;
    let owner = fresh_role("owner");
    client.batch_execute(TEAMS).await.unwrap();
    client
        .batch_execute(&format!(
            "CREATE ROLE {owner}; ALTER VIEW rowcast.grants OWNER TO {owner}; GRANT SELECT ON public.members TO {owner}"
        ))
        .await
        .unwrap();
    let error = use_grants(&client, Some(QUERY), Some(WATCH)).await.unwrap_err();
    assert!(words(&error).contains(&format!("GRANT SELECT ON public.roles TO {owner}")), "{}", words(&error));
}

#[tokio::test]
async fn nothing_of_anybody_elses_runs_as_the_dba() {
    let db = Database::new().await;
    let client = db.connect().await;
    client.batch_execute(TEAMS).await.unwrap();
    client
        .batch_execute(
            "CREATE FUNCTION public.trap() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RAISE EXCEPTION ''sprung''; END';
             CREATE VIEW public.guests AS SELECT * FROM public.members WHERE public.trap();
             ALTER TABLE public.members ENABLE ROW LEVEL SECURITY;
             CREATE POLICY p ON public.members USING (public.trap())",
        )
        .await
        .unwrap();
    let query = "SELECT login AS user_id, team AS organization_id, NULL AS permission FROM public.guests";
    let watch = r#"{"public.members": "CASE WHEN public.trap() THEN r.login END"}"#;
    use_grants(&client, Some(query), Some(watch)).await.unwrap();
    let sprung = client.query("SELECT FROM rowcast.grants", &[]).await.unwrap_err();
    assert!(words(&sprung).contains("sprung"), "the trap works");
}

#[tokio::test]
async fn rows_hidden_by_a_policy_are_an_error_not_an_empty_view() {
    let db = Database::new().await;
    let client = db.connect_as(Role::Superuser).await;
    let owner = fresh_role("owner");
    client.batch_execute(TEAMS).await.unwrap();
    client
        .batch_execute(&format!(
            "CREATE ROLE {owner}; ALTER VIEW rowcast.grants OWNER TO {owner}; GRANT SELECT ON public.members, public.roles TO {owner};
             ALTER TABLE public.members ENABLE ROW LEVEL SECURITY"
        ))
        .await
        .unwrap();
    let error = use_grants(&client, Some(QUERY), Some(WATCH)).await.unwrap_err();
    assert!(words(&error).contains("row-level security"), "{}", words(&error));
    assert!(words(&error).contains("BYPASSRLS"), "{}", words(&error));
}
