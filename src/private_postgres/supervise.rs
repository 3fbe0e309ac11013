//! The process between us and Postgres, which ends Postgres when we end, however that comes about.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};

use super::account::Account;
use super::cluster::Cluster;
use super::find::Installation;

/// Ends sessions and shuts down in order: Postgres' "fast" shutdown.
const FAST: &str = "INT";

/// Ends everything at once, without a checkpoint: for data that nobody will read again.
const IMMEDIATE: &str = "QUIT";

/// Settings of a server whose data need not survive.
const THROWAWAY: [(&str, &str); 3] = [("fsync", "off"), ("full_page_writes", "off"), ("max_wal_size", "4GB")];

/// A running `supervise.sh`. It shuts Postgres down as soon as this is dropped, since the pipe to it closes.
#[derive(Debug)]
pub(super) struct Supervisor {
    child: Child,
}

impl Supervisor {
    pub(super) fn spawn(
        account: &Account,
        installation: &Installation,
        cluster: &Cluster,
        settings: &[(String, String)],
        throwaway: bool,
    ) -> io::Result<Self> {
        let (signal, remove) = if throwaway { (IMMEDIATE, cluster.directory()) } else { (FAST, Path::new("")) };
        let mut command = account.command("sh");
        command.args(["-c", include_str!("supervise.sh"), "rowcast-postgres", signal]);
        command.args([&cluster.log(), cluster.socket(), remove]);
        command.arg(installation.program("postgres")).arg("-D").arg(cluster.data());
        set(&mut command, "listen_addresses", "");
        set(&mut command, "port", "5432");
        set(&mut command, "unix_socket_directories", &quoted(cluster.socket()));
        set(&mut command, "unix_socket_permissions", "0700");
        for (name, value) in THROWAWAY.iter().filter(|_| throwaway) {
            set(&mut command, name, value);
        }
        for (name, value) in settings {
            set(&mut command, name, value);
        }
        // A group of its own: Ctrl-C in the terminal is for us, and we shut Postgres down when we are ready.
        command.process_group(0);
        command.stdin(Stdio::piped()).stdout(cluster.lock()?).stderr(Stdio::null());
        Ok(Self { child: command.spawn()? })
    }

    /// The exit status, if Postgres has ended.
    pub(super) fn exited(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Shuts Postgres down and waits until it has gone.
    pub(super) fn stop(mut self) -> io::Result<ExitStatus> {
        // `wait` closes the pipe first.
        self.child.wait()
    }
}

fn set(command: &mut std::process::Command, name: &str, value: &str) {
    command.arg("-c").arg(format!("{name}={value}"));
}

/// A directory in a list of directories, in which commas and spaces separate.
fn quoted(directory: &Path) -> String {
    format!("\"{}\"", directory.to_string_lossy().replace('"', "\"\""))
}
