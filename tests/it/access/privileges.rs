//! Nobody gains by access what they did not have.

use super::{QUERY, TEAMS, WATCH, announced, use_grants, user, words};
use crate::{
    fresh_role,
    harness::{Database, Role},
};

#[tokio::test]
async fn the_server_reads_grants_and_nothing_behind_them() {
    let db = Database::new().await;
    let client = db.connect().await;
    client.batch_execute(TEAMS).await.unwrap();
    client.batch_execute("INSERT INTO public.members VALUES (1, 'ada', 'chief')").await.unwrap();
    use_grants(&client, Some(QUERY), Some(WATCH)).await.unwrap();
    client.batch_execute("SET ROLE rowcast_server").await.unwrap();
    for table in ["grants", "event_types", "redactions", "access_changes"] {
        client.query(&format!("SELECT FROM rowcast.{table}"), &[]).await.unwrap();
    }
    for denied in [
        "SELECT FROM public.members",
        "SELECT FROM rowcast.memberships",
        "INSERT INTO rowcast.access_changes (reason) VALUES ('x')",
        "DELETE FROM rowcast.event_types",
        "SELECT rowcast.use_grants(NULL, NULL)",
        "SELECT rowcast.announce_access_change('{ada}', 'x')",
    ] {
        let error = client.batch_execute(denied).await.unwrap_err();
        assert!(words(&error).contains("permission denied"), "{denied}: {}", words(&error));
    }
}

#[tokio::test]
async fn who_writes_memberships_needs_no_right_on_what_is_announced() {
    let db = Database::new().await;
    let client = db.connect_as(Role::Superuser).await;
    let clerk = fresh_role("clerk");
    client
        .batch_execute(&format!(
            "CREATE ROLE {clerk}; GRANT USAGE ON SCHEMA rowcast TO {clerk}; GRANT INSERT ON rowcast.memberships TO {clerk};
             SET ROLE {clerk}; INSERT INTO rowcast.memberships VALUES ('ada', 'a', 'admin'); RESET ROLE"
        ))
        .await
        .unwrap();
    assert_eq!(announced(&client).await, [user("ada", "rowcast.memberships")]);
}

#[tokio::test]
async fn the_owner_of_a_watched_table_owns_its_functions_and_the_app_needs_nothing() {
    let db = Database::new().await;
    let client = db.connect_as(Role::Superuser).await;
    let (owner, app) = (fresh_role("owner"), fresh_role("app"));
    client.batch_execute(TEAMS).await.unwrap();
    client
        .batch_execute(&format!(
            "CREATE ROLE {owner}; CREATE ROLE {app}; ALTER TABLE public.members OWNER TO {owner}; GRANT INSERT ON public.members TO {app};
             GRANT SELECT ON public.members, public.roles TO {}",
            Role::Owner.name()
        ))
        .await
        .unwrap();
    let watch = r#"{"public.members": "r.login"}"#;
    let error = use_grants(&client, Some(QUERY), Some(watch)).await.unwrap_err();
    assert!(words(&error).contains(&format!("GRANT rowcast_writer TO {owner}")), "{}", words(&error));

    client.batch_execute(&format!("GRANT rowcast_writer TO {owner}")).await.unwrap();
    use_grants(&client, Some(QUERY), Some(watch)).await.unwrap();
    announced(&client).await;
    let functions = client
        .query(
            "SELECT proowner::regrole::text, proacl::text FROM pg_proc WHERE pronamespace = 'rowcast_watch'::regnamespace",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(functions.len(), 3);
    for function in functions {
        assert_eq!(function.get::<_, String>(0), owner);
        assert_eq!(function.get::<_, String>(1), format!("{{{owner}=X/{owner}}}"), "executable by nobody else");
    }
    client
        .batch_execute(&format!("SET ROLE {app}; INSERT INTO public.members VALUES (1, 'ada', 'chief'); RESET ROLE"))
        .await
        .unwrap();
    assert_eq!(announced(&client).await, [user("ada", "public.members")]);

    // A planted overload that takes any record would be preferred to ours.
    let plant = format!(
        "SET ROLE {owner}; CREATE FUNCTION rowcast_watch.table_1_user(record) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
    );
    let error = client.batch_execute(&plant).await.unwrap_err();
    assert!(words(&error).contains("permission denied for schema rowcast_watch"), "{}", words(&error));
}

#[tokio::test]
async fn a_function_planted_in_public_is_not_called() {
    let db = Database::new().await;
    let client = db.connect().await;
    client.batch_execute(TEAMS).await.unwrap();
    client
        .batch_execute(
            "ALTER TABLE public.members ALTER COLUMN login TYPE varchar;
             INSERT INTO public.members VALUES (1, 'ada', 'chief');
             CREATE FUNCTION public.upper(varchar) RETURNS text LANGUAGE sql AS $$ SELECT 'planted' $$",
        )
        .await
        .unwrap();
    let query = "SELECT upper(login) AS user_id, team AS organization_id, NULL AS permission FROM public.members";
    use_grants(&client, Some(query), Some(r#"{"public.members": "upper(r.login)"}"#)).await.unwrap();
    assert_eq!(super::grants(&client).await[0].0, "ADA");
    announced(&client).await;
    client.batch_execute("DELETE FROM public.members").await.unwrap();
    assert_eq!(announced(&client).await, [user("ADA", "public.members")]);
}

#[tokio::test]
async fn the_owner_of_rowcast_watches_only_tables_of_roles_that_it_is() {
    let db = Database::new().await;
    let client = db.connect_as(Role::Superuser).await;
    let (dba, owner) = (fresh_role("dba"), fresh_role("owner"));
    client.batch_execute(TEAMS).await.unwrap();
    client
        .batch_execute(&format!(
            "CREATE ROLE {dba}; CREATE ROLE {owner} IN ROLE rowcast_writer;
             ALTER TABLE public.members OWNER TO {owner}; GRANT SELECT ON public.members, public.roles TO {dba};
             DO $$ DECLARE f regprocedure; BEGIN
                 FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'rowcast'::regnamespace LOOP
                     EXECUTE format('ALTER FUNCTION %s OWNER TO {dba}', f);
                 END LOOP;
             END $$;
             ALTER SCHEMA rowcast OWNER TO {dba}; ALTER SCHEMA rowcast_watch OWNER TO {dba};
             ALTER VIEW rowcast.grants OWNER TO {dba}; ALTER VIEW rowcast.membership_grants OWNER TO {dba};
             ALTER TABLE rowcast.access_changes OWNER TO {dba}; GRANT SELECT ON rowcast.settings TO {dba};
             GRANT SELECT ON rowcast.memberships, rowcast.role_permissions TO {dba}"
        ))
        .await
        .unwrap();
    let watch = r#"{"public.members": "r.login"}"#;
    client.batch_execute(&format!("SET ROLE {dba}")).await.unwrap();
    let error = use_grants(&client, Some(QUERY), Some(watch)).await.unwrap_err();
    assert!(words(&error).contains("not a member of"), "{}", words(&error));
    assert!(words(&error).contains(&format!("GRANT {owner} TO {dba}")), "{}", words(&error));

    client.batch_execute(&format!("RESET ROLE; GRANT {owner} TO {dba}; SET ROLE {dba}")).await.unwrap();
    use_grants(&client, Some(QUERY), Some(watch)).await.unwrap();
    announced(&client).await;
    client.batch_execute("INSERT INTO public.members VALUES (1, 'ada', 'chief')").await.unwrap();
    assert_eq!(announced(&client).await, [user("ada", "public.members")]);
    let may_create: bool = client
        .query_one("SELECT has_schema_privilege($1::text::regrole::oid, 'rowcast_watch', 'CREATE')", &[&owner])
        .await
        .unwrap()
        .get(0);
    assert!(!may_create, "the right to create was for the moment only");
}
