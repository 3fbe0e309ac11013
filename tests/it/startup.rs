//! A server that cannot start says why and what to do about it, and never repeats a password.

use std::process::{Command, Stdio};

use crate::{
    fresh_role,
    harness::{Database, PATIENCE, Role, SECRET},
};

/// Runs the program, which must fail; what it says.
pub(crate) async fn refused(arguments: &[&str], url: Option<&str>) -> String {
    let mut command = tokio::process::Command::from(Command::new(env!("CARGO_BIN_EXE_rowcast")));
    command.args(arguments).env_remove("DATABASE_URL").envs(url.map(|url| ("DATABASE_URL", url)));
    command
        .env("ROWCAST_JWT_SECRET", SECRET)
        .env("ROWCAST_LISTEN_ADDR", "127.0.0.1:0")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("it started").unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn an_address_that_is_none() {
    let said = refused(&["serve", "--listen-addr", "localhost:8080"], Some("postgres://host/db")).await;
    assert!(
        said.contains("'localhost:8080' for '--listen-addr") && said.contains("127.0.0.1:8080 for this machine alone"),
        "{said}"
    );
}

#[tokio::test]
async fn a_password_that_takes_the_url_apart() {
    for command in ["serve", "migrate"] {
        let said = refused(&[command], Some("postgres://ann:hunter@2@127.0.0.1/db")).await;
        assert!(said.contains("write @ as %40") && !said.contains("hunter"), "{said}");
    }
}

#[tokio::test]
async fn a_role_that_may_not_serve() {
    let db = Database::new().await;
    let superuser = db.connect_as(Role::Superuser).await;
    let role = fresh_role("stranger");
    superuser.batch_execute(&format!("CREATE ROLE {role}")).await.unwrap();
    let url = format!("{}&options=-c%20role%3D{role}", db.url_as(Role::Superuser));
    let said = refused(&["serve"], Some(&url)).await;
    superuser.batch_execute(&format!("DROP ROLE {role}")).await.unwrap();
    assert!(
        said.contains("permission denied for schema rowcast") && said.contains("hint: run `rowcast migrate`"),
        "{said}"
    );
    assert!(said.contains("GRANT rowcast_server"), "{said}");
}

#[tokio::test]
async fn a_server_role_before_a_database_that_is_not_up_to_date() {
    let db = Database::new().await;
    let superuser = db.connect_as(Role::Superuser).await;
    let older = "UPDATE rowcast.settings SET value = '0.0.1 0123' WHERE name = 'functions_version'";
    superuser.batch_execute(older).await.unwrap();
    let said = refused(&["serve"], Some(&db.url_as(Role::Server))).await;
    assert!(
        said.contains("not bring it up to date: permission denied") && said.contains("`rowcast migrate`"),
        "{said}"
    );
    superuser.batch_execute("DROP SCHEMA rowcast CASCADE").await.unwrap();
    let said = refused(&["serve"], Some(&db.url_as(Role::Server))).await;
    assert!(said.contains("permission denied for database") && said.contains("`rowcast migrate`"), "{said}");
}

#[tokio::test]
async fn a_folder_that_nothing_can_be_kept_in() {
    let file = std::env::temp_dir().join(format!("rowcast-file-{:016x}", fastrand::u64(..)));
    std::fs::write(&file, "in the way").unwrap();
    let directory = file.join("folder");
    let said = refused(&["demo", "--directory", directory.to_str().unwrap()], None).await;
    std::fs::remove_file(&file).unwrap();
    let expected = format!("nothing can be kept in {}; --directory takes another place", directory.display());
    assert!(said.contains(&expected), "{said}");
}
