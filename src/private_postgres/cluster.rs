//! The files of one private Postgres: data, log, socket, and the lock that keeps a second rowcast out.
//!
//! What is below the cluster's directory belongs to Postgres' account. When we are root we must not make or open files for
//! writing there: that account could have put links in their place.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::account::Account;
use super::find::Installation;
use super::{Error, Options, SUPERUSER};

/// A socket's path has room for 103 bytes on macOS, 107 on Linux.
const LONGEST_SOCKET_PATH: usize = 103;

/// The name of the socket: part of the path that has to fit.
const SOCKET_NAME: &str = ".s.PGSQL.5432";

/// How long the Postgres of a rowcast that was killed may take to write its last checkpoint.
const SHUTDOWN: Duration = Duration::from_secs(30);

/// How often to look whether it has.
const LOCK_RETRY: Duration = Duration::from_millis(50);

/// How much of the log an error quotes.
const LOG_LINES: usize = 15;

/// The directory of one private Postgres, locked.
#[derive(Debug)]
pub(super) struct Cluster {
    directory: PathBuf,
    socket: PathBuf,
    /// Held by the supervisor too, so that it outlives us for as long as Postgres needs to shut down.
    lock: Option<File>,
}

impl Cluster {
    /// Makes the directory when it is missing, and locks it.
    pub(super) fn open(account: &Account, options: &Options) -> Result<Self, Error> {
        let (directory, lock) = if options.throwaway {
            let (parent, name) = (options.directory.parent(), options.directory.file_name());
            let parent = account.place(parent.unwrap_or(Path::new(".")))?;
            let directory = parent.join(name.unwrap_or_default());
            account.make_private(&directory)?;
            (directory, None)
        } else {
            let home = account.place(&options.directory)?;
            let lock = lock(&home.join("postgres.lock"))?;
            let directory = home.join("postgres");
            if !directory.exists() {
                account.make_private(&directory)?;
            }
            (directory, Some(lock))
        };
        let socket = socket_directory(&directory);
        Ok(Self { directory, socket, lock })
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    pub(super) fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    /// The lock, for a process to hold as its standard output.
    pub(super) fn lock(&self) -> std::io::Result<Stdio> {
        self.lock.as_ref().map_or_else(|| Ok(Stdio::null()), |lock| lock.try_clone().map(Stdio::from))
    }

    /// The end of the log, for an error.
    pub(super) fn log_tail(&self) -> String {
        let log = std::fs::read(self.log()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    /// The major version of the data, if there are any.
    pub(super) fn version(&self) -> Result<Option<u32>, Error> {
        match std::fs::read_to_string(self.data().join("PG_VERSION")) {
            Ok(version) => Ok(version.trim().parse().ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the data when there are none.
    pub(super) fn initialize(
        &self,
        account: &Account,
        installation: &Installation,
        throwaway: bool,
    ) -> Result<(), Error> {
        if let Some(data) = self.version()? {
            return if data == installation.version {
                Ok(())
            } else {
                let (directory, binaries) = (self.directory.clone(), installation.directory.clone());
                Err(Error::Version { directory, data, binaries, found: installation.version })
            };
        }
        // Elsewhere first: data that an interrupted initdb left half made must not pass for a database.
        let unfinished = self.directory.join("data.unfinished");
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished)?;
        }
        let mut initdb = account.command(installation.program("initdb"));
        initdb.arg("--pgdata").arg(&unfinished).arg(format!("--username={SUPERUSER}"));
        // The locale C is on every system and sorts the same on all of them; text is UTF-8 all the same.
        initdb.args(["--encoding=UTF8", "--locale=C", "--auth-local=trust", "--auth-host=reject"]);
        if throwaway {
            initdb.arg("--no-sync");
        }
        run(initdb)?;
        std::fs::rename(unfinished, self.data())?;
        Ok(())
    }

    /// Shuts down a Postgres that has lost its supervisor as well as its rowcast.
    pub(super) fn stop_orphan(&self, account: &Account, installation: &Installation) -> Result<(), Error> {
        let file = self.data().join("postmaster.pid");
        let Ok(content) = std::fs::read_to_string(&file) else { return Ok(()) };
        let mut lines = content.lines();
        let (process, socket) = (lines.next().unwrap_or_default().trim(), lines.nth(3).unwrap_or_default());
        // Nobody but we can start one here, for we hold the lock: whoever answers is ours to stop.
        if UnixStream::connect(Path::new(socket).join(SOCKET_NAME)).is_ok() {
            let mut stop = account.command(installation.program("pg_ctl"));
            stop.args(["stop", "--mode=fast", "--wait", "--pgdata"]).arg(self.data());
            return run(stop);
        }
        // Postgres finds out by itself that its process has gone, but takes any other one with the same number and user for it.
        let name = std::fs::read_to_string(format!("/proc/{process}/comm"));
        if name.is_ok_and(|name| name.trim() != "postgres") {
            std::fs::remove_file(file)?;
        }
        Ok(())
    }
}

/// Takes the lock, after waiting for a Postgres that is shutting down because its rowcast was killed.
fn lock(path: &Path) -> Result<File, Error> {
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
    let deadline = Instant::now() + SHUTDOWN;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(error)) => return Err(error.into()),
            Err(TryLockError::WouldBlock) => {}
        }
        let mut process = String::new();
        file.rewind()?;
        file.read_to_string(&mut process)?;
        if is_running(&process) || Instant::now() > deadline {
            return Err(Error::InUse { lock: path.to_owned(), process });
        }
        std::thread::sleep(LOCK_RETRY);
    }
    file.rewind()?;
    file.set_len(0)?;
    write!(file, "{}", std::process::id())?;
    Ok(file)
}

fn is_running(process: &str) -> bool {
    let mut kill = Command::new("sh");
    kill.args(["-c", r#"kill -0 "$1""#, "sh", process]).stderr(Stdio::null());
    kill.status().is_ok_and(|status| status.success())
}

/// Beside the data, where one expects it, unless the path is too long for a socket.
fn socket_directory(directory: &Path) -> PathBuf {
    let near = directory.join("socket");
    if near.join(SOCKET_NAME).as_os_str().len() <= LONGEST_SOCKET_PATH {
        return near;
    }
    // A name that cannot be guessed, so that nobody can be there first.
    Path::new("/tmp").join(format!("rowcast-{:016x}", fastrand::u64(..)))
}

fn run(mut command: Command) -> Result<(), Error> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(Error::Program {
        program: command.get_program().into(),
        output: String::from_utf8_lossy(&said).trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_moves_the_socket_elsewhere() {
        assert_eq!(
            socket_directory(Path::new("/srv/app/.rowcast/postgres")),
            Path::new("/srv/app/.rowcast/postgres/socket")
        );
        let long = Path::new("/srv").join("a".repeat(100));
        assert!(socket_directory(&long).join(SOCKET_NAME).as_os_str().len() <= LONGEST_SOCKET_PATH);
    }
}
