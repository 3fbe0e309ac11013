//! Postgres lives, and refuses: no room for connections, no room on the disk, no writing.

use tokio_postgres::NoTls;

use super::Stage;
use crate::harness::{OwnPostgres, Place, Role};

/// Others take every connection there is, and the server has to get its own back while they do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_are_no_connections_left() {
    let stage = Stage::set(1, &[("max_connections", "40")], &[]).await;
    let url = stage.postgres.url_as(Role::App);
    let mut crowd = Vec::new();
    let dba = stage.postgres.connect_as(Role::Superuser).await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rowcast_test_server'";
    while stage.servers[0].is_ready().await {
        while let Ok((client, connection)) = tokio_postgres::connect(&url, NoTls).await {
            tokio::spawn(connection);
            crowd.push(client);
        }
        dba.execute(end, &[]).await.unwrap();
    }
    drop(crowd);
    stage.ready(true).await;
    stage.finish(1).await;
}

/// The table of events cannot grow. The apps' writes fail, with what Postgres has to say about it; the server has nothing to do with it.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_disk_is_full() {
    let postgres = OwnPostgres::start(&[]).await;
    let dba = postgres.connect_as(Role::Superuser).await;
    // The limit is one on the size of any file, so it has to leave room for those of the write-ahead log, 16 MiB each.
    dba.batch_execute(
        "ALTER TABLE rowcast.outbox ALTER data SET STORAGE PLAIN;
         SELECT rowcast.emit('document_processing', 'o9', jsonb_build_object('filler', repeat('x', 7850))) FROM generate_series(1, 2400)",
    )
    .await
    .unwrap();
    let largest = "SELECT pg_relation_filepath(relid) FROM pg_partition_tree('rowcast.outbox') ORDER BY pg_relation_size(relid) DESC LIMIT 1";
    let path: String = dba.query_one(largest, &[]).await.unwrap().get(0);
    let file = postgres.directory().join("postgres/data").join(path);
    let stage = Stage::open(postgres, 1, &[]).await;

    stage.postgres.limit_files(Some(std::fs::metadata(&file).unwrap().len()));
    stage.load.fail(50).await;
    assert!(stage.servers[0].is_ready().await);
    let app = stage.postgres.connect_as(Role::App).await;
    let insert = "INSERT INTO items (organization, version) SELECT 'o1', 1 FROM generate_series(1, 1000)";
    let refused = app.execute(insert, &[]).await.unwrap_err();
    let said = refused.as_db_error().unwrap();
    assert!(said.message().starts_with("could not extend file"), "{said:?}");
    stage.postgres.limit_files(None);
    stage.finish(0).await;
}

/// As on a server that was demoted, or whose provider has found its disk too full: what there is to read is delivered, but nothing can be noted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_may_be_written() {
    let stage = Stage::set(1, &[], &[]).await;
    let dba = stage.postgres.connect_as(Role::Superuser).await;
    let set = async |value: &str| {
        dba.batch_execute(&format!("ALTER SYSTEM SET default_transaction_read_only = {value}")).await.unwrap();
        dba.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    };
    set("on").await;
    stage.ready(false).await;
    stage.load.fail(50).await;
    dba.batch_execute("SET default_transaction_read_only = off").await.unwrap();
    set("off").await;
    stage.ready(true).await;
    stage.finish(1).await;
}
