//! A Postgres for one test alone, to be broken: stopped in either way, started again, crashed, given settings.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rowcast::private_postgres::{Options, PrivatePostgres};
use tokio_postgres::{Client, Config, config::Host};

use super::{
    GLANCE, Place, Role, binaries, cluster, connect, embedded,
    proxy::{Proxy, Upstream},
    signal,
};

/// The one database that it has for tests.
const DATABASE: &str = "app";

/// Nothing here outlives the test, so nothing needs to reach the disk: what a crash of Postgres alone leaves behind is in the system's cache.
const QUICK: [(&str, &str); 3] = [("fsync", "off"), ("full_page_writes", "off"), ("max_connections", "100")];

/// How a Postgres is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shutdown {
    /// Sessions are ended, and a checkpoint is written.
    Fast,
    /// Everything ends at once; the next start recovers from the log.
    Immediate,
}

/// Gone when dropped, with its data.
pub(crate) struct OwnPostgres {
    options: Options,
    running: Option<PrivatePostgres>,
    /// Its socket's directory, which stays the same.
    socket: PathBuf,
}

impl OwnPostgres {
    /// Starts one with these settings, and migrates its database.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        let options = Options {
            directory: std::env::temp_dir().join(format!("rowcast-own-{:016x}", fastrand::u64(..))),
            embedded: embedded(),
            binaries: binaries().await,
            throwaway: false,
            settings: QUICK.iter().chain(settings).map(owned).collect(),
        };
        let running = PrivatePostgres::start(options.clone()).await.unwrap();
        let config: Config = running.url(DATABASE).parse().unwrap();
        let [Host::Unix(socket)] = config.get_hosts() else { panic!("a private Postgres has one socket") };
        let postgres = Self { options, socket: socket.clone(), running: Some(running) };
        cluster::prepare(DATABASE, |role, database| postgres.url(role, database)).await;
        postgres
    }

    /// Ends it, and returns when it has gone.
    pub(crate) async fn stop(&mut self, shutdown: Shutdown) {
        let running = self.running.take().expect("Postgres has been stopped before");
        if shutdown == Shutdown::Immediate {
            signal(self.postmaster().expect("Postgres has gone by itself"), "QUIT");
        }
        // A server that was ended this way does not call it a success.
        let stopped = running.stop().await;
        assert!(shutdown == Shutdown::Immediate || stopped.is_ok(), "{stopped:?}");
    }

    /// Starts it again, and returns when it lets people in.
    pub(crate) async fn start_again(&mut self) {
        self.running = Some(PrivatePostgres::start(self.options.clone()).await.unwrap());
    }

    /// Changes a setting for the next start.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.options.settings.push((name.to_owned(), value.to_owned()));
    }

    /// The directory of its socket.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// A way to it over the network.
    pub(crate) async fn proxy(&self) -> Proxy {
        Proxy::start(Upstream::Unix(self.socket.join(".s.PGSQL.5432"))).await
    }

    /// Where its files are.
    pub(crate) fn directory(&self) -> &Path {
        &self.options.directory
    }

    /// The process that starts all others, if it runs.
    pub(crate) fn postmaster(&self) -> Option<u32> {
        let file = std::fs::read_to_string(self.directory().join("postgres/data/postmaster.pid")).ok()?;
        file.lines().next()?.trim().parse().ok()
    }

    /// Lets no file of it grow beyond this; `None`: as far as there is room. For all of its processes, those to come too.
    #[cfg(target_os = "linux")]
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        use std::{
            os::unix::{fs::MetadataExt, process::CommandExt},
            process::Command,
        };
        let postmaster = self.postmaster().expect("Postgres has gone by itself");
        let children = std::fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).unwrap();
        let limit = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
        for process in std::iter::once(postmaster.to_string()).chain(children.split_whitespace().map(str::to_owned)) {
            // One that has ended meanwhile needs no limit.
            let Ok(owner) = std::fs::metadata(format!("/proc/{process}")) else { continue };
            // Each may set its own limits, and not even root another's everywhere. The soft one alone can be raised again.
            let mut prlimit = Command::new("prlimit");
            prlimit.uid(owner.uid()).gid(owner.gid()).args(["--pid", &process, &format!("--fsize={limit}:")]);
            let output = prlimit.output().unwrap();
            assert!(output.status.success() || process != postmaster.to_string(), "{output:?}");
        }
    }

    fn url(&self, role: Role, database: &str) -> String {
        format!("postgresql:///{database}?host={}&user={}", self.socket.display(), role.name())
    }
}

impl Place for OwnPostgres {
    fn url_as(&self, role: Role) -> String {
        self.url(role, DATABASE)
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        if let Some(postmaster) = self.postmaster() {
            signal(postmaster, "QUIT");
        }
        self.running = None;
        let deadline = Instant::now() + Duration::from_secs(5);
        while self.postmaster().is_some() && Instant::now() < deadline {
            std::thread::sleep(GLANCE);
        }
        // What is left is in the system's directory for what may be left.
        let _ = std::fs::remove_dir_all(&self.options.directory);
    }
}

/// A place, with something between it and the servers that use it. Everybody else goes there directly.
pub(crate) struct Through<'a, P> {
    pub(crate) place: &'a P,
    pub(crate) address: SocketAddr,
}

impl<P: Place> Place for Through<'_, P> {
    fn url_as(&self, role: Role) -> String {
        let url = self.place.url_as(role);
        if role != Role::Server {
            return url;
        }
        let config: Config = url.parse().unwrap();
        let (database, user) = (config.get_dbname().unwrap(), config.get_user().unwrap());
        format!("postgresql:///{database}?host={}&port={}&user={user}", self.address.ip(), self.address.port())
    }
}

/// Somebody who does something in a session, and the process that does it for them.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) backend: u32,
}

impl Session {
    /// Connects.
    pub(crate) async fn open(place: &impl Place, role: Role) -> Self {
        let client = connect(&place.url_as(role)).await;
        let backend: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
        Self { client, backend: backend.cast_unsigned() }
    }
}
