//! Putting the example app into a database.

use rowcast::demo;

use super::installed;
use crate::harness::Database;

#[tokio::test]
async fn installing_again_keeps_what_was_changed_meanwhile() {
    let (_db, mut client) = installed().await;
    client
        .batch_execute(
            "UPDATE chatbot.organizations SET name = 'Renamed' WHERE id = 'org_alder';
             DELETE FROM chatbot.products WHERE id = 'prod_dns';
             SELECT rowcast.detach('chatbot.documents')",
        )
        .await
        .unwrap();
    demo::install(&mut client).await.unwrap();
    let row = client
        .query_one(
            "SELECT (SELECT name FROM chatbot.organizations WHERE id = 'org_alder'),
                    (SELECT count(*) FROM chatbot.products),
                    (SELECT count(*) FROM pg_trigger WHERE tgrelid = 'chatbot.documents'::regclass AND NOT tgisinternal)",
            &[],
        )
        .await
        .unwrap();
    assert_eq!((row.get::<_, String>(0).as_str(), row.get::<_, i64>(1), row.get::<_, i64>(2)), ("Renamed", 5, 0));
}

#[tokio::test]
async fn two_that_install_at_once_take_turns() {
    let db = Database::new().await;
    let (mut one, mut other) = (db.connect().await, db.connect().await);
    let (first, second) = tokio::join!(demo::install(&mut one), demo::install(&mut other));
    first.unwrap();
    second.unwrap();
    let chatbots: i64 = one.query_one("SELECT count(*) FROM chatbot.chatbot_instances", &[]).await.unwrap().get(0);
    assert_eq!(chatbots, 5);
}

#[tokio::test]
async fn nothing_stays_of_an_installation_that_failed() {
    let db = Database::new().await;
    let mut client = db.connect().await;
    client.batch_execute("DELETE FROM rowcast.event_types WHERE name = 'user_activity'").await.unwrap();
    let failed = demo::install(&mut client).await;
    assert!(matches!(failed, Err(demo::Error::Database(_))), "{failed:?}");
    let row = client.query_one("SELECT to_regnamespace('chatbot') IS NULL", &[]).await.unwrap();
    assert!(row.get::<_, bool>(0));
}

#[tokio::test]
async fn who_may_see_what_is_read_from_the_apps_own_teams() {
    let (_db, client) = installed().await;
    let grants = async || -> Vec<String> {
        let rows = client
            .query(
                "SELECT concat_ws(' ', user_id, coalesce(organization_id, 'everywhere'), string_agg(permission, ',' ORDER BY permission))
                 FROM rowcast.grants WHERE user_id IN ('user_ada', 'user_ben', 'user_dev', 'user_sam')
                 GROUP BY user_id, organization_id ORDER BY 1",
                &[],
            )
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    assert_eq!(
        grants().await,
        [
            "user_ada org_alder admin,chatbot_manager,monitor",
            "user_ben org_alder",
            "user_dev org_brightwater chatbot_manager",
            "user_sam everywhere admin,chatbot_manager,monitor",
        ]
    );

    client.batch_execute("DELETE FROM rowcast.access_changes").await.unwrap();
    client
        .batch_execute(
            "UPDATE chatbot.users SET last_seen_at = now();
             UPDATE chatbot.users SET disabled_at = now() WHERE id = 'user_ada';
             UPDATE chatbot.team_members SET role = 'admin' WHERE user_id = 'user_ben';
             DELETE FROM chatbot.users WHERE id = 'user_dev'",
        )
        .await
        .unwrap();
    let changes = client
        .query("SELECT DISTINCT user_id || ' ' || reason FROM rowcast.access_changes ORDER BY 1", &[])
        .await
        .unwrap();
    let changes: Vec<String> = changes.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        changes,
        [
            "user_ada chatbot.users",
            "user_ben chatbot.team_members",
            "user_dev chatbot.team_members",
            "user_dev chatbot.users",
        ]
    );
    assert_eq!(
        grants().await,
        ["user_ben org_alder admin,chatbot_manager,monitor", "user_sam everywhere admin,chatbot_manager,monitor"]
    );
}

#[tokio::test]
async fn a_database_that_serves_somebody_else_is_left_alone() {
    let db = Database::new().await;
    let mut client = db.connect().await;
    client.batch_execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member')").await.unwrap();
    let refused = demo::install(&mut client).await;
    assert!(matches!(refused, Err(demo::Error::Occupied)), "{refused:?}");
    let grants =
        "SELECT (SELECT count(*) FROM rowcast.grants WHERE user_id = 'ann'), to_regnamespace('chatbot') IS NULL";
    let row = client.query_one(grants, &[]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, bool>(1)), (1, true));
}
