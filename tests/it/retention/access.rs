//! Who may maintain.

use super::Stage;
use crate::harness::Role;

#[tokio::test]
async fn only_owner_and_server_may_until_a_dba_says_otherwise() {
    let stage = Stage::new(100).await;
    for role in [Role::Writer, Role::App, Role::Reader] {
        let client = stage.db.connect_as(role).await;
        let error = client.batch_execute("SELECT rowcast.maintain()").await.unwrap_err();
        assert_eq!(error.as_db_error().unwrap().code().code(), "42501", "{role:?}: {error:?}");
    }
    stage.db.connect().await.batch_execute("SELECT rowcast.maintain()").await.unwrap();
    stage.execute("GRANT EXECUTE ON FUNCTION rowcast.maintain(text) TO rowcast_test_reader").await;
    let cron = stage.db.connect_as(Role::Reader).await;
    cron.batch_execute("SELECT rowcast.maintain()").await.unwrap();
}

#[tokio::test]
async fn the_server_can_do_nothing_of_it_by_other_ways() {
    let stage = Stage::new(100).await;
    for statement in [
        "SELECT rowcast.record_expired(5)",
        "SELECT rowcast.drop_expired('1 day')",
        "SELECT rowcast.rearrange_outbox('1 day')",
        "UPDATE rowcast.maintenance SET expired_through = 5",
        "TRUNCATE rowcast.outbox",
        "DELETE FROM rowcast.outbox",
    ] {
        let error = stage.server.batch_execute(statement).await.unwrap_err();
        assert_eq!(error.as_db_error().unwrap().code().code(), "42501", "{statement}: {error:?}");
    }
    for readable in ["maintenance", "outbox_partitions"] {
        let reader = stage.db.connect_as(Role::Reader).await;
        reader.batch_execute(&format!("SELECT * FROM rowcast.{readable}")).await.unwrap();
    }
}
