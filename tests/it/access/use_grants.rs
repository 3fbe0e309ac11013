//! The adopter's own tables behind `rowcast.grants`.

use rowcast::postgres::{Target, migrate};

use super::{QUERY, TEAMS, WATCH, announced, anybody, grants, use_grants};
use crate::harness::Database;

#[tokio::test]
async fn the_view_becomes_the_query() {
    let db = Database::new().await;
    let client = db.connect().await;
    client.batch_execute(TEAMS).await.unwrap();
    client
        .batch_execute(
            "INSERT INTO public.members VALUES (1, 'ada', 'chief'), (2, 'ada', 'guest'), (2, 'ben', 'chief')",
        )
        .await
        .unwrap();
    use_grants(&client, Some(QUERY), Some(WATCH)).await.unwrap();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        grants(&client).await,
        [
            ("ada".to_owned(), text("1"), text("admin")),
            ("ada".to_owned(), text("2"), None),
            ("ben".to_owned(), text("2"), text("admin")),
        ]
    );
    assert_eq!(announced(&client).await, [anybody("rowcast.use_grants")]);
}

#[tokio::test]
async fn any_type_and_collation_will_do() {
    let db = Database::new().await;
    let client = db.connect().await;
    client
        .batch_execute(
            "CREATE TYPE public.level AS ENUM ('high');
             CREATE TABLE public.odd (who name, org uuid, level public.level, label text COLLATE \"C\");
             INSERT INTO public.odd VALUES ('ada', '00000000-0000-0000-0000-000000000001', 'high', 'x')",
        )
        .await
        .unwrap();
    for query in [
        "SELECT who AS user_id, org AS organization_id, level AS permission FROM public.odd",
        "SELECT level AS permission, label AS organization_id, label AS user_id FROM public.odd",
        "SELECT 'ada' AS user_id, NULL AS organization_id, NULL AS permission",
        "WITH one AS (SELECT 1 AS user_id) SELECT user_id, user_id AS organization_id, now() AS permission FROM one",
    ] {
        use_grants(&client, Some(query), Some(r#"{"public.odd": "r.who"}"#)).await.unwrap();
        assert_eq!(grants(&client).await.len(), 1, "{query}");
    }
}

#[tokio::test]
async fn a_new_call_replaces_the_former_and_null_goes_back_to_the_memberships() {
    let db = Database::new().await;
    let client = db.connect().await;
    client.batch_execute(TEAMS).await.unwrap();
    client.batch_execute("INSERT INTO rowcast.memberships VALUES ('sam', NULL, 'guest')").await.unwrap();
    use_grants(&client, Some(QUERY), Some(WATCH)).await.unwrap();
    use_grants(&client, Some(QUERY), Some(r#"{"public.members": null}"#)).await.unwrap();
    announced(&client).await;
    client
        .batch_execute("INSERT INTO public.members VALUES (1, 'ada', 'chief'); DELETE FROM public.roles")
        .await
        .unwrap();
    assert_eq!(
        announced(&client).await,
        [anybody("public.members")],
        "roles are no longer watched, members by nobody's name"
    );

    use_grants(&client, None, None).await.unwrap();
    announced(&client).await;
    client
        .batch_execute("DELETE FROM public.members; DROP TABLE public.members, public.users, public.roles")
        .await
        .unwrap();
    assert_eq!(announced(&client).await, []);
    assert_eq!(grants(&client).await, [("sam".to_owned(), None, None)]);
    let left: i64 = client
        .query_one("SELECT count(*) FROM pg_proc WHERE pronamespace = 'rowcast_watch'::regnamespace", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(left, 0);
}

#[tokio::test]
async fn the_memberships_can_stay_beside_the_query() {
    let db = Database::new().await;
    let client = db.connect().await;
    client.batch_execute(TEAMS).await.unwrap();
    client
        .batch_execute("INSERT INTO rowcast.memberships VALUES ('sam', NULL, 'admin'); INSERT INTO public.members VALUES (1, 'ada', 'guest')")
        .await
        .unwrap();
    let query = format!(
        "SELECT * FROM rowcast.membership_grants UNION ALL SELECT user_id, organization_id::text, permission FROM (\n{QUERY}\n) own"
    );
    use_grants(&client, Some(&query), Some(WATCH)).await.unwrap();
    assert_eq!(grants(&client).await.len(), 4);
}

#[tokio::test]
async fn tables_that_nobody_watches_are_found_through_views() {
    let db = Database::new().await;
    let client = db.connect().await;
    client.batch_execute(TEAMS).await.unwrap();
    client
        .batch_execute("CREATE VIEW public.chiefs AS SELECT m.* FROM public.members m JOIN public.users USING (login)")
        .await
        .unwrap();
    let query = "SELECT login AS user_id, team AS organization_id, role AS permission FROM public.chiefs";
    use_grants(&client, Some(query), Some(r#"{"public.members": "r.login"}"#)).await.unwrap();
    let unwatched: Vec<String> = client
        .query("SELECT rowcast.unwatched_grant_tables()::text", &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(unwatched, ["users"]);
}

#[tokio::test]
async fn a_view_that_was_dropped_with_its_tables_comes_back_for_nobody_until_it_is_set_anew() {
    let db = Database::new().await;
    let mut client = db.connect().await;
    client.batch_execute(TEAMS).await.unwrap();
    client.batch_execute("INSERT INTO rowcast.memberships VALUES ('sam', NULL, 'admin')").await.unwrap();
    use_grants(&client, Some(QUERY), Some(WATCH)).await.unwrap();
    client.batch_execute("DROP TABLE public.members, public.users CASCADE").await.unwrap();

    // As after an update of rowcast: the functions are applied anew.
    client.batch_execute("DELETE FROM rowcast.settings WHERE name = 'functions_version'").await.unwrap();
    migrate(&mut client, &Target::parse(&db.url()).unwrap()).await.unwrap();
    assert_eq!(grants(&client).await, []);

    client.batch_execute("DROP VIEW rowcast.grants").await.unwrap();
    use_grants(&client, None, None).await.unwrap();
    client.batch_execute("SET ROLE rowcast_server").await.unwrap();
    assert_eq!(grants(&client).await.len(), 3, "the server may read it again");
}
