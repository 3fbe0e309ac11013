//! The way to the database, and whether it is one that rowcast can work with.

use std::process::Stdio;

use rowcast::private_postgres::{Options, PrivatePostgres};

use super::{examine, examine_at, run};
use crate::harness::{Database, OwnPostgres, Place, Pooler, Role, Through, binaries, embedded, eventually, free_port};

#[tokio::test]
async fn no_database_is_a_problem_and_its_password_a_secret() {
    for (password, expected) in [("hunter2", "no connection: "), ("hunter2@", "write @ as %40")] {
        let url = format!("postgres://rowcast:{password}@127.0.0.1:{}/nowhere", free_port());
        let output = run(&url, &[]).await;
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("problem connection") && said.contains("fix: ") && said.contains(expected), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn who_has_heard_enough_may_hang_up() {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_rowcast"));
    let url = format!("postgres://127.0.0.1:{}/nowhere", free_port());
    command.args(["doctor", "--database-url", &url]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut doctor = command.spawn().unwrap();
    drop(doctor.stdout.take());
    let output = doctor.wait_with_output().await.unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(2), String::new()));
}

#[tokio::test]
async fn a_database_that_nobody_has_migrated_or_another_rowcast_has() {
    let db = Database::new().await;
    let superuser = db.connect_as(Role::Superuser).await;
    assert_eq!(examine(&db).await.level("migrations"), "ok");
    let version = "UPDATE rowcast.settings SET value = $1 WHERE name = 'functions_version'";
    for (found, said) in [("0.0.1 0123", "mostly an older rowcast"), ("99.0.0 0123", "a newer rowcast")] {
        superuser.execute(version, &[&found]).await.unwrap();
        let examination = examine(&db).await;
        let (level, what) = examination.one("migrations");
        assert!(level == "warning" && what.contains(said), "{what}");
    }
    superuser.batch_execute("DROP SCHEMA rowcast CASCADE").await.unwrap();
    let examination = examine(&db).await;
    assert_eq!((examination.level("migrations"), examination.code), ("problem", Some(2)));
    assert_eq!(examination.of("trigger_missing"), [], "there is nothing to look at");
}

#[tokio::test]
async fn an_encoding_in_which_anything_is_text() {
    let db = Database::new().await;
    let superuser = db.connect_as(Role::Superuser).await;
    assert_eq!(examine(&db).await.level("encoding"), "ok");
    let name = format!("{}_ascii", db.name());
    let create = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'");
    superuser.batch_execute(&create).await.unwrap();
    let examination = examine_at(&db.url_as(Role::Superuser).replace(db.name(), &name), &[]).await;
    superuser.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
    assert_eq!((examination.level("encoding"), examination.code), ("problem", Some(2)));
}

#[tokio::test]
async fn a_listener_in_another_place_hears_nothing() {
    let db = Database::new().await;
    let url = db.url_as(Role::Superuser);
    let elsewhere = url.replace(db.name(), "postgres");
    let examination = examine_at(&url, &["--notify-database-url", &elsewhere]).await;
    let (level, what) = examination.one("listener");
    assert!(level == "problem" && what.contains("do not arrive"), "{what}");
    let examination = examine_at(&url, &["--notify-database-url", &url]).await;
    assert_eq!((examination.level("listener"), examination.level("pooler")), ("ok", "ok"));
}

#[tokio::test]
async fn a_pooler_in_between_is_told_and_left_as_it_was() {
    let postgres = OwnPostgres::start(&[]).await;
    let pooler = Pooler::start(postgres.socket()).await;
    let through = Through { place: &postgres, address: pooler.address() };
    let url = through.url_as(Role::Server);
    let examination = examine_at(&url, &[]).await;
    assert_eq!((examination.level("pooler"), examination.level("listener")), ("problem", "problem"));
    let examination = examine_at(&url, &["--notify-database-url", &postgres.url_as(Role::Server)]).await;
    assert_eq!((examination.level("pooler"), examination.level("listener")), ("ok", "ok"));

    // Several at a time, to meet all of the pooler's connections.
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(through.connect_as(Role::Server).await);
    }
    for client in &clients {
        client.batch_execute("BEGIN").await.unwrap();
    }
    for client in &clients {
        let left = "SELECT current_setting('statement_timeout') <> '0' OR EXISTS (SELECT FROM pg_listening_channels())";
        let left: bool = client.query_typed_one(left, &[]).await.unwrap().get(0);
        assert!(!left, "a session that was borrowed was given back changed");
        client.batch_execute("ROLLBACK").await.unwrap();
    }
}

#[tokio::test]
async fn a_server_without_room_for_connections() {
    let postgres = PrivatePostgres::start(Options {
        directory: std::env::temp_dir().join(format!("rowcast-full-{:016x}", fastrand::u64(..))),
        embedded: embedded(),
        binaries: binaries().await,
        throwaway: true,
        settings: vec![("max_connections".into(), "12".into()), ("superuser_reserved_connections".into(), "1".into())],
    })
    .await
    .unwrap();
    let url = postgres.url("postgres");
    rowcast::app::migrate_at(&url).await.unwrap();
    let mut clients = Vec::new();
    // The doctor's own is the one more that makes ten of eleven.
    for (connections, level) in [(0, "ok"), (9, "warning")] {
        while clients.len() < connections {
            let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
            tokio::spawn(connection);
            clients.push(client);
        }
        // Connections that were closed are counted until Postgres has noticed.
        eventually(level, async || (examine_at(&url, &[]).await.level("max_connections") == level).then_some(())).await;
    }
    drop(clients);
    postgres.stop().await.unwrap();
}
