//! A dump is restored into another database, and servers and clients come to that one.

use std::process::Command;

use tokio_postgres::Client;

use super::{Listener, Serving, add_members, connect, emit, epochs, ids, pair::run};
use crate::harness::{Database, Role, eventually, token};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_seen_more_than_the_dump_holds_fetches_anew() {
    let db = Database::new().await;
    let owner = db.connect().await;
    add_members(&owner).await;
    let server = Serving::start(&db.url_as(Role::Server)).await.unwrap();
    let mut ann = Listener::connect(&server, &token("ann"), None).await;
    let dumped = emit(&owner, "o1").await;
    ann.hear_event(dumped).await;
    let within = ann.cursor.clone();
    eventually("the settled floor to be stored", async || {
        let settled: i64 = owner.query_one("SELECT id FROM rowcast.settled", &[]).await.unwrap().get(0);
        (settled == dumped).then_some(())
    })
    .await;
    server.stop().await;
    drop(owner);
    let restored = dump_and_restore(&db).await;

    let owner = db.connect().await;
    let server = Serving::start(&db.url_as(Role::Server)).await.unwrap();
    let mut ann = Listener::connect(&server, &token("ann"), Some(&within)).await;
    ann.hear_event(emit(&owner, "o1").await).await;
    let beyond = ann.cursor.clone();
    server.stop().await;

    let admin = connect(&url(&db, Role::Superuser, &restored)).await;
    // A writer is here before any server is.
    let first = emit(&admin, "o1").await;
    assert_eq!(first, dumped + 1, "an id that was given out before");
    let server = Serving::start(&url(&db, Role::Server, &restored)).await.unwrap();
    assert_eq!(epochs(&admin).await, [(0, "0".into()), (1, dumped.to_string())]);
    let mut good = Listener::connect(&server, &token("ann"), Some(&within)).await;
    good.hear_event(first).await;
    let mut ahead = Listener::connect(&server, &token("ann"), Some(&beyond)).await;
    ahead.hear_status("reset cursor_ahead").await;
    let second = emit(&admin, "o1").await;
    good.hear_event(second).await;
    ahead.hear_event(second).await;
    assert_eq!((good.resets(), good.events()), (vec![], ids(&admin, "o1").await[1..].to_vec()));
    assert_eq!(ahead.events(), [second]);
    server.stop().await;
    drop(admin);
    superuser(&db).await.batch_execute(&format!("DROP DATABASE {restored} WITH (FORCE)")).await.unwrap();
}

fn url(db: &Database, role: Role, name: &str) -> String {
    db.url_as(role).replace(db.name(), name)
}

async fn superuser(db: &Database) -> Client {
    connect(&url(db, Role::Superuser, "postgres")).await
}

/// Another database with the same content; returns its name.
async fn dump_and_restore(db: &Database) -> String {
    let name = format!("{}_restored", db.name());
    let superuser = superuser(db).await;
    let version: String = superuser.query_one("SHOW server_version", &[]).await.unwrap().get(0);
    let major = version.split('.').next().unwrap();
    let pg_dump = Command::new("pg_dump").arg("--version").output();
    let fits = pg_dump.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(&format!(") {major}.")));
    if fits {
        let dump = std::env::temp_dir().join(format!("{name}.dump"));
        run(Command::new("pg_dump").arg("--format=custom").arg("--file").arg(&dump).arg(db.url_as(Role::Superuser)));
        superuser.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        let to = url(db, Role::Superuser, &name);
        run(Command::new("pg_restore").args(["--exit-on-error", "--dbname", &to]).arg(&dump));
        std::fs::remove_file(dump).unwrap();
    } else {
        // Not every Postgres comes with these programs, and one of another version is of no use. To servers a copy is as good.
        let copy = format!("CREATE DATABASE {name} TEMPLATE {}", db.name());
        eventually("the last sessions to have ended", async || superuser.batch_execute(&copy).await.ok()).await;
    }
    name
}
