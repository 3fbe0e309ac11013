//! The group roles, which belong to the cluster and not to one database.

use super::words;
use crate::fresh_role;
use crate::harness::{Database, Role};

const ROLES: &str = include_str!("../../../sql/functions/01_roles.sql");

/// The statements that make them, under other names: the real ones are in use.
fn roles(suffix: &str) -> String {
    ROLES
        .replace("rowcast_server", &format!("server_{suffix}"))
        .replace("rowcast_writer", &format!("writer_{suffix}"))
        .replace("rowcast_reader", &format!("reader_{suffix}"))
}

async fn drop_roles(db: &Database, suffix: &str) {
    let superuser = db.connect_as(Role::Superuser).await;
    superuser.batch_execute(&format!("DROP ROLE server_{suffix}, writer_{suffix}, reader_{suffix}")).await.unwrap();
}

#[tokio::test]
async fn two_databases_may_be_migrated_at_once() {
    let (one, other) = (Database::new().await, Database::new().await);
    let suffix = format!("{:016x}", fastrand::u64(..));
    let (first, second) = (one.connect().await, other.connect().await);
    first.batch_execute("BEGIN").await.unwrap();
    first.batch_execute(&roles(&suffix)).await.unwrap();
    let waiting = tokio::spawn({
        let roles = roles(&suffix);
        async move {
            let done = second.batch_execute(&roles).await;
            (second, done)
        }
    });
    // The second one is at the first role and waits for the first transaction.
    let superuser = one.connect_as(Role::Superuser).await;
    let blocked =
        format!("SELECT FROM pg_stat_activity WHERE datname = '{}' AND wait_event_type = 'Lock'", other.name());
    crate::harness::eventually("the second migration to wait", async || {
        (!superuser.query(&blocked, &[]).await.unwrap().is_empty()).then_some(())
    })
    .await;
    first.batch_execute("COMMIT").await.unwrap();
    let (second, done) = waiting.await.unwrap();
    done.unwrap();
    // Again changes nothing.
    second.batch_execute(&roles(&suffix)).await.unwrap();
    drop_roles(&one, &suffix).await;
}

#[tokio::test]
async fn a_role_that_may_not_create_them_is_told_what_to_run() {
    let db = Database::new().await;
    let superuser = db.connect_as(Role::Superuser).await;
    let (plain, suffix) = (fresh_role("plain"), format!("{:016x}", fastrand::u64(..)));
    superuser.batch_execute(&format!("CREATE ROLE {plain}; SET ROLE {plain}")).await.unwrap();
    let error = superuser.batch_execute(&roles(&suffix)).await.unwrap_err();
    let told = words(&error);
    assert!(told.contains(&format!("server_{suffix} does not exist, and {plain} may not create it")), "{told}");
    let (_, commands) = told.split_once("then migrate again: ").unwrap();

    // And what it is told to run is right.
    superuser.batch_execute("RESET ROLE").await.unwrap();
    superuser.batch_execute(commands).await.unwrap();
    superuser.batch_execute(&format!("SET ROLE {plain}")).await.unwrap();
    superuser.batch_execute(&roles(&suffix)).await.unwrap();
    superuser.batch_execute(&format!("RESET ROLE; DROP ROLE {plain}")).await.unwrap();
    drop_roles(&db, &suffix).await;
}

#[tokio::test]
async fn whoever_migrates_may_attach() {
    let db = Database::new().await;
    let owner = db.connect().await;
    owner
        .batch_execute("CREATE TABLE public.docs (id int PRIMARY KEY); SELECT rowcast.attach('public.docs', 'user_activity'); INSERT INTO docs VALUES (1)")
        .await
        .unwrap();
    assert_eq!(owner.query("SELECT FROM rowcast.outbox", &[]).await.unwrap().len(), 1);
}
