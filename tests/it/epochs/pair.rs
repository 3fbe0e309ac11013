//! A primary and a streaming standby of it.

use std::{
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use rowcast::{
    app::migrate_at,
    private_postgres::{Options, PrivatePostgres},
};
use tokio_postgres::{Client, Config, config::Host};

use super::connect;
use crate::harness::{binaries, embedded, eventually};

/// Both, migrated and in step.
pub(super) struct Pair {
    directory: PathBuf,
    primary: Option<PrivatePostgres>,
    standby: PrivatePostgres,
    /// A connection string that leads to either.
    pub(super) url: String,
    pub(super) on_primary: Client,
    pub(super) on_standby: Client,
}

impl Pair {
    pub(super) async fn start() -> Self {
        let directory = std::env::temp_dir().join(format!("rowcast-pair-{:016x}", fastrand::u64(..)));
        let primary = start(&directory.join("primary")).await;
        migrate_at(&primary.url("postgres")).await.unwrap();
        // A copy of the data at rest, for not every distribution of Postgres brings pg_basebackup.
        let data = primary.directory().to_owned();
        primary.stop().await.unwrap();
        std::fs::create_dir(directory.join("standby")).unwrap();
        let copy = directory.join("standby/postgres");
        run(Command::new("cp").arg("-a").arg(&data).arg(&copy));
        let primary = start(&directory.join("primary")).await;
        follow(&copy.join("data"), &socket(&primary));
        let standby = start(&directory.join("standby")).await;
        let [near, far] = [&primary, &standby].map(|postgres| socket(postgres).display().to_string());
        let url = format!("host={near},{far} user=postgres dbname=postgres");
        let on_primary = connect(&primary.url("postgres")).await;
        let on_standby = connect(&standby.url("postgres")).await;
        Self { directory, primary: Some(primary), standby, url, on_primary, on_standby }
    }

    /// Waits until the standby has everything.
    pub(super) async fn in_step(&self) {
        let written: String =
            self.on_primary.query_one("SELECT pg_current_wal_flush_lsn()::text", &[]).await.unwrap().get(0);
        let replayed = "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn";
        eventually("the standby to have replayed everything", async || {
            self.on_standby.query_one(replayed, &[&written]).await.unwrap().get::<_, bool>(0).then_some(())
        })
        .await;
    }

    /// From here on nothing reaches the standby.
    pub(super) async fn cut_off(&self) {
        self.on_standby.batch_execute("ALTER SYSTEM SET primary_conninfo = ''").await.unwrap();
        self.on_standby.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        eventually("the standby to be cut off", async || {
            self.on_standby.query("SELECT FROM pg_stat_wal_receiver", &[]).await.unwrap().is_empty().then_some(())
        })
        .await;
    }

    /// Lets nobody connect any more, or everybody again; who is connected stays.
    pub(super) async fn allow_connections(&self, at: &Client, allowed: bool) {
        let allow = "UPDATE pg_database SET datallowconn = $1 WHERE datname = current_database()";
        at.execute(allow, &[&allowed]).await.unwrap();
    }

    pub(super) async fn stop_primary(&mut self) {
        self.primary.take().unwrap().stop().await.unwrap();
    }

    pub(super) fn primary_url(&self) -> String {
        self.primary.as_ref().unwrap().url("postgres")
    }

    pub(super) fn standby_url(&self) -> String {
        self.standby.url("postgres")
    }

    /// Makes the standby the primary; returns when it takes writes.
    pub(super) async fn promote(&self) {
        assert!(self.on_standby.query_one("SELECT pg_promote()", &[]).await.unwrap().get::<_, bool>(0));
    }

    pub(super) async fn stop(self) {
        drop((self.on_primary, self.on_standby));
        self.standby.stop().await.unwrap();
        std::fs::remove_dir_all(self.directory).unwrap();
    }
}

async fn start(directory: &Path) -> PrivatePostgres {
    let options = Options {
        directory: directory.to_owned(),
        embedded: embedded(),
        binaries: binaries().await,
        throwaway: false,
        settings: vec![("fsync".into(), "off".into())],
    };
    PrivatePostgres::start(options).await.unwrap()
}

fn socket(postgres: &PrivatePostgres) -> PathBuf {
    let config: Config = postgres.url("postgres").parse().unwrap();
    match &config.get_hosts()[0] {
        Host::Unix(directory) => directory.clone(),
        Host::Tcp(name) => panic!("{name} is no directory"),
    }
}

/// Makes these data a standby's. Files keep their owner, which may be another than ours.
fn follow(data: &Path, primary: &Path) {
    run(Command::new("cp").arg("-a").arg(data.join("PG_VERSION")).arg(data.join("standby.signal")));
    let mut settings = OpenOptions::new().append(true).open(data.join("postgresql.auto.conf")).unwrap();
    writeln!(settings, "primary_conninfo = 'host={} user=postgres'", primary.display()).unwrap();
}

pub(super) fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
