//! A Postgres of our own, for `rowcast demo` and for the tests: found or installed, started, and gone when we are.
//!
//! It listens on a Unix socket only, in a directory that nobody but its account can enter, so that trusting whoever
//! connects lets no other local user in. It never runs as root. A small shell process holds the other end of a pipe of
//! ours and shuts Postgres down when that closes, which the kernel sees to even when we are killed.

mod account;
mod cluster;
mod embedded;
mod find;
mod supervise;

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_postgres::NoTls;

use account::Account;
use cluster::Cluster;
use supervise::Supervisor;

pub use embedded::install as install_embedded;

/// The oldest major version that rowcast runs on.
const MINIMUM_VERSION: u32 = 14;

/// The superuser that `initdb` makes.
const SUPERUSER: &str = "postgres";

/// Crash recovery of a demo's database takes seconds; a start that takes longer than this is stuck.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// How long to wait between two attempts to connect to a server that is starting.
const CONNECT_RETRY: Duration = Duration::from_millis(20);

/// How often to look whether a server has ended by itself.
const END_POLL: Duration = Duration::from_millis(500);

/// How to start a [`PrivatePostgres`].
#[derive(Debug, Clone)]
pub struct Options {
    /// Where its data, log and socket go. Made when it is missing; a throwaway one must be missing.
    pub directory: PathBuf,
    /// Where npm's Postgres is, or is put when the machine has none that fits.
    pub embedded: PathBuf,
    /// The directory of `initdb` and `postgres`. `None`: the newest that is found.
    pub binaries: Option<PathBuf>,
    /// For tests: not crash-safe, and `directory` is deleted at the end.
    pub throwaway: bool,
    /// Further server settings, as `name = value`.
    pub settings: Vec<(String, String)>,
}

/// A running Postgres. Dropping it shuts the server down without waiting; [`stop`](Self::stop) waits.
#[derive(Debug)]
pub struct PrivatePostgres {
    cluster: Cluster,
    supervisor: Supervisor,
}

impl PrivatePostgres {
    /// Starts Postgres on the data in `options.directory`, after making them when there are none, and returns once it
    /// answers.
    ///
    /// # Errors
    /// When there is no usable Postgres, the directory is in use by another rowcast, or the server does not come up.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let account = Account::choose()?;
        let cluster = Cluster::open(&account, &options)?;
        let throwaway = options.throwaway.then(|| cluster.directory().to_owned());
        let started = Self::start_in(cluster, &account, options).await;
        if let (Err(_), Some(directory)) = (&started, throwaway) {
            // The supervisor deletes it, unless there has not been one yet. Why there is none matters more than what is left.
            let _ = std::fs::remove_dir_all(directory);
        }
        started
    }

    async fn start_in(cluster: Cluster, account: &Account, options: Options) -> Result<Self, Error> {
        let installation = match options.binaries {
            Some(directory) => find::at(account, &directory)?,
            None => match find::newest(account, cluster.version()?) {
                Some(found) => found,
                None => find::at(account, &embedded::install(&account.place(&options.embedded)?).await?)?,
            },
        };
        cluster.initialize(account, &installation, options.throwaway)?;
        cluster.stop_orphan(account, &installation)?;
        let supervisor = Supervisor::spawn(account, &installation, &cluster, &options.settings, options.throwaway)?;
        let mut postgres = Self { cluster, supervisor };
        postgres.wait_until_ready().await?;
        tracing::info!(
            version = installation.version,
            directory = %postgres.cluster.directory().display(),
            "private Postgres started"
        );
        Ok(postgres)
    }

    /// The connection URL of a database, as the superuser. After a start there are `postgres` and `template1`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.url_as(SUPERUSER, database)
    }

    /// The connection URL of a database as another role. Nobody needs a password here.
    #[must_use]
    pub fn url_as(&self, role: &str, database: &str) -> String {
        let socket = percent_encode(&self.cluster.socket().to_string_lossy());
        // Without an authority this is a valid URL to every parser, a host before the path that is a directory is not.
        format!("postgresql:///{database}?host={socket}&user={role}")
    }

    /// Where its data and log are: `Options::directory`, unless Postgres' account could not reach that.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.cluster.directory()
    }

    /// Completes when the server has ended by itself; [`stop`](Self::stop) says why.
    pub async fn ended(&mut self) {
        while matches!(self.supervisor.exited(), Ok(None)) {
            tokio::time::sleep(END_POLL).await;
        }
    }

    /// Disconnects everybody and shuts down, and returns when the server has gone.
    ///
    /// # Errors
    /// When the server did not shut down cleanly; its log says why.
    pub async fn stop(self) -> Result<(), Error> {
        let Self { cluster, supervisor } = self;
        let status = tokio::task::spawn_blocking(move || supervisor.stop()).await.map_err(std::io::Error::other)??;
        if status.success() { Ok(()) } else { Err(Error::Stopped { status, log: cluster.log_tail() }) }
    }

    async fn wait_until_ready(&mut self) -> Result<(), Error> {
        let deadline = tokio::time::Instant::now() + START_TIMEOUT;
        let url = self.url("postgres");
        loop {
            match tokio_postgres::connect(&url, NoTls).await {
                Ok(_) => return Ok(()),
                Err(source) if tokio::time::Instant::now() > deadline => {
                    return Err(Error::NotReady { source, log: self.cluster.log_tail() });
                }
                Err(_) => {}
            }
            if let Some(status) = self.supervisor.exited()? {
                return Err(Error::Stopped { status, log: self.cluster.log_tail() });
            }
            tokio::time::sleep(CONNECT_RETRY).await;
        }
    }
}

/// Why there is no private Postgres.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither found nor installed.
    #[error(
        "no Postgres {MINIMUM_VERSION} or newer was found, and none could be installed from npm: {0}; install one \
         (Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server; macOS: brew install postgresql), \
         or set ROWCAST_POSTGRES_BIN to the directory of its initdb, or use a database of your own with DATABASE_URL"
    )]
    NotInstalled(String),
    /// A directory that was named holds no usable Postgres.
    #[error("{} holds no Postgres {MINIMUM_VERSION} or newer that can be run as {account}: {reason}", directory.display())]
    Unusable {
        /// The directory of the binaries.
        directory: PathBuf,
        /// The account that would run them.
        account: String,
        /// What is wrong.
        reason: String,
    },
    /// The data belong to another major version.
    #[error("{} was made by Postgres {data}, and {} is version {found}: install Postgres {data}, or delete the directory to begin anew", directory.display(), binaries.display())]
    Version {
        /// The data directory.
        directory: PathBuf,
        /// The version that made it.
        data: u32,
        /// The binaries at hand.
        binaries: PathBuf,
        /// Their version.
        found: u32,
    },
    /// We are root, and there is nobody to become.
    #[error("Postgres refuses to run as root, and there is neither an account postgres nor nobody to run it as")]
    NoAccount,
    /// Another rowcast uses the same data.
    #[error("another rowcast (process {process}) has its Postgres here already and holds {}: stop it first, or start in another directory", lock.display())]
    InUse {
        /// The file that it has locked.
        lock: PathBuf,
        /// Who uses it.
        process: String,
    },
    /// A program of Postgres failed.
    #[error("{program} failed: {output}")]
    Program {
        /// Which.
        program: PathBuf,
        /// What it said.
        output: String,
    },
    /// The server ended when it should not have, or not well.
    #[error("Postgres ended with {status}; the end of its log:\n{log}")]
    Stopped {
        /// Its exit status.
        status: std::process::ExitStatus,
        /// Its last words.
        log: String,
    },
    /// The server runs but lets nobody in.
    #[error("Postgres does not accept connections; the end of its log:\n{log}")]
    NotReady {
        /// The last attempt's error.
        source: tokio_postgres::Error,
        /// Its last words.
        log: String,
    },
    /// A directory, a file or a process could not be had.
    #[error("the private Postgres could not be set up")]
    Io(#[from] std::io::Error),
}

/// Encodes what a URL's query may not hold.
fn percent_encode(text: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    text.bytes().map(|byte| if safe(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
