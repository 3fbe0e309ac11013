//! The private Postgres: finds its data again, keeps a second one out, and ends with us however we end.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rowcast::private_postgres::{Error, Options, PrivatePostgres};
use tokio_postgres::{Client, NoTls};

use crate::harness::{binaries, embedded, eventually};

#[tokio::test]
async fn a_second_start_finds_the_data_again() {
    let directory = Directory::new();
    let postgres = PrivatePostgres::start(directory.options().await).await.unwrap();
    let client = connect(&postgres.url("postgres")).await;
    client.batch_execute("CREATE TABLE kept AS SELECT 42 AS answer").await.unwrap();
    postgres.stop().await.unwrap();

    let postgres = PrivatePostgres::start(directory.options().await).await.unwrap();
    assert_eq!(answer(&postgres.url("postgres")).await, 42);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn it_listens_on_a_socket_in_a_private_directory_only() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new();
    let postgres = PrivatePostgres::start(directory.options().await).await.unwrap();
    let client = connect(&postgres.url("postgres")).await;
    let addresses: String = client.query_one("SHOW listen_addresses", &[]).await.unwrap().get(0);
    assert_eq!(addresses, "");
    let encoding: String = client.query_one("SHOW server_encoding", &[]).await.unwrap().get(0);
    assert_eq!(encoding, "UTF8");
    for private in [postgres.directory().to_owned(), postgres.directory().join("socket")] {
        let mode = private.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", private.display());
    }
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_one_on_the_same_data_is_refused() {
    let directory = Directory::new();
    let postgres = PrivatePostgres::start(directory.options().await).await.unwrap();
    let refused = PrivatePostgres::start(directory.options().await).await;
    let Err(Error::InUse { process, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(process, std::process::id().to_string());
    postgres.stop().await.unwrap();
}

/// The demo, from its first line to kill -9.
#[tokio::test]
async fn a_killed_demo_takes_its_postgres_along_and_loses_nothing() {
    let directory = Directory::new();
    let (mut demo, lines) = start_demo(&directory).await;
    assert!(lines.iter().filter(|line| line.contains("/#token=")).count() == 3, "{lines:?}");
    let url = lines.iter().find_map(|line| line.split('\'').find(|word| word.starts_with("postgresql:"))).unwrap();
    let client = connect(url).await;
    client.batch_execute("CREATE TABLE kept AS SELECT 43 AS answer").await.unwrap();
    eventually("the simulated app to be at work", async || {
        let events: i64 = client.query_one("SELECT count(*) FROM rowcast.outbox", &[]).await.unwrap().get(0);
        (events > 0).then_some(())
    })
    .await;
    demo.kill().unwrap();
    demo.wait().unwrap();

    let postmaster = directory.0.join("postgres/data/postmaster.pid");
    eventually("Postgres to end", async || (!postmaster.exists()).then_some(())).await;
    let postgres = PrivatePostgres::start(directory.options().await).await.unwrap();
    assert_eq!(answer(&postgres.url("postgres")).await, 43);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_demo_whose_postgres_dies_ends_and_says_why() {
    let directory = Directory::new();
    let (mut demo, _) = start_demo(&directory).await;
    let postmaster = directory.0.join("postgres/data/postmaster.pid");
    let pid = std::fs::read_to_string(postmaster).unwrap().lines().next().unwrap().to_owned();
    assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    let status = eventually("the demo to end", async || demo.try_wait().unwrap()).await;
    assert!(!status.success());
    let mut told = String::new();
    demo.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(told.contains("Postgres ended"), "{told}");
}

/// It pulls the plug on its own Postgres, and what it saw is in the history afterwards.
#[tokio::test]
async fn a_demo_outlives_its_own_outages() {
    let directory = Directory::new();
    let (mut demo, lines) = start_demo_with(&directory, &["--outage-every", "15s"]).await;
    let url = lines.iter().find_map(|line| line.split('\'').find(|word| word.starts_with("postgresql:"))).unwrap();
    let told = "SELECT EXISTS (SELECT FROM rowcast.outbox AS up, rowcast.outbox AS down
        WHERE up.source = 'rowcast.health_checks' AND up.data->>'component' = 'database' AND up.data->>'status' = 'healthy'
          AND down.source = up.source AND down.data->>'metric' = up.data->>'metric' AND down.data->>'status' = 'down' AND up.id > down.id)";
    let connect = async || {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.ok()?;
        tokio::spawn(connection);
        Some(client)
    };
    eventually("the plug to be pulled", async || connect().await.is_none().then_some(())).await;
    eventually("Postgres to be back", async || connect().await.map(drop)).await;
    eventually("the outage and its end to be told", async || {
        connect().await?.query_one(told, &[]).await.ok()?.get::<_, bool>(0).then_some(())
    })
    .await;
    assert!(demo.try_wait().unwrap().is_none(), "the demo goes on");
    demo.kill().unwrap();
    demo.wait().unwrap();
    let postmaster = directory.0.join("postgres/data/postmaster.pid");
    eventually("Postgres to end", async || (!postmaster.exists()).then_some(())).await;
}

async fn start_demo(directory: &Directory) -> (Child, Vec<String>) {
    start_demo_with(directory, &[]).await
}

/// The demo, when it has said all that it says at its start.
async fn start_demo_with(directory: &Directory, arguments: &[&str]) -> (Child, Vec<String>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rowcast"));
    command.args(["demo", "--listen-addr", "127.0.0.1:0", "--directory"]).arg(&directory.0).args(arguments);
    command.env_remove("DATABASE_URL").env("ROWCAST_LOG", "error");
    if let Some(binaries) = binaries().await {
        command.env("ROWCAST_POSTGRES_BIN", binaries);
    }
    let mut demo = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = BufReader::new(demo.stdout.take().unwrap());
    let lines = output.lines().map(Result::unwrap).take_while(|line| !line.starts_with("Ctrl-C")).collect();
    (demo, lines)
}

#[tokio::test]
async fn a_directory_without_postgres_is_named() {
    let directory = Directory::new();
    let options = Options { binaries: Some(directory.0.clone()), ..directory.options().await };
    std::fs::create_dir(&directory.0).unwrap();
    let error = PrivatePostgres::start(options).await.unwrap_err().to_string();
    assert!(error.contains(directory.0.to_str().unwrap()) && error.contains("initdb is missing"), "{error}");
}

/// A directory of this test's own, deleted at the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("rowcast-private-{:016x}", fastrand::u64(..))))
    }

    async fn options(&self) -> Options {
        Options {
            directory: self.0.clone(),
            embedded: embedded(),
            binaries: binaries().await,
            throwaway: false,
            // Crash safety is tested by killing processes, not by pulling plugs.
            settings: vec![("fsync".to_owned(), "off".to_owned())],
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let deleted = std::fs::remove_dir_all(&self.0);
        assert!(deleted.is_ok() || !Path::new(&self.0).exists() || std::thread::panicking(), "{deleted:?}");
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn answer(url: &str) -> i32 {
    connect(url).await.query_one("SELECT answer FROM kept", &[]).await.unwrap().get(0)
}
