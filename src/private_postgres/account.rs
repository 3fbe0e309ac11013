//! The account that Postgres runs as: ours, or an unprivileged one when we are root.

use std::io;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Error;

/// Where root's databases go when their own directory is hidden from the account, as everything below /root is.
const FALLBACK: &str = "/var/lib/rowcast";

/// Accounts that root may hand Postgres to, the best first.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// Who runs Postgres.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) name: String,
    /// The user and group to become; `None` when we stay who we are.
    become_ids: Option<(u32, u32)>,
}

impl Account {
    /// Our own account, or the best unprivileged one when that is root.
    pub(super) fn choose() -> Result<Self, Error> {
        if id(&["-u"])? != Some(0) {
            return Ok(Self { name: "this user".into(), become_ids: None });
        }
        for name in UNPRIVILEGED {
            if let (Some(user), Some(group)) = (id(&["-u", name])?, id(&["-g", name])?) {
                return Ok(Self { name: name.into(), become_ids: Some((user, group)) });
            }
        }
        Err(Error::NoAccount)
    }

    /// A command that runs as this account, in a directory that exists for everybody.
    ///
    /// Becoming another user drops root's supplementary groups too: the standard library does that with `uid`.
    pub(super) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir("/").stdin(Stdio::null());
        if let Some((user, group)) = self.become_ids {
            command.uid(user).gid(group);
        }
        command
    }

    /// Makes a directory that only this account (and root) can enter, or fails when there is something else of that name.
    pub(super) fn make_private(&self, directory: &Path) -> io::Result<()> {
        std::fs::DirBuilder::new().mode(0o700).create(directory)?;
        match self.become_ids {
            Some((user, group)) => chown(directory, Some(user), Some(group)),
            None => Ok(()),
        }
    }

    /// Makes the directory, or a substitute that the account can reach where it cannot reach this one.
    pub(super) fn place(&self, wanted: &Path) -> io::Result<PathBuf> {
        std::fs::create_dir_all(wanted)?;
        let wanted = wanted.canonicalize()?;
        if self.reaches(&wanted)? {
            return Ok(wanted);
        }
        let substitute = Path::new(FALLBACK).join(format!("{:016x}", fingerprint(&wanted)));
        std::fs::create_dir_all(&substitute)?;
        tracing::warn!(
            "{} cannot be reached by the account {}, which runs Postgres: using {}",
            wanted.display(),
            self.name,
            substitute.display()
        );
        Ok(substitute)
    }

    fn reaches(&self, directory: &Path) -> io::Result<bool> {
        let mut test = self.command("sh");
        test.args(["-c", r#"cd "$1""#, "sh"]).arg(directory).stderr(Stdio::null());
        Ok(test.status()?.success())
    }
}

/// What `id` says, or `None` when it knows no such account. Unlike /etc/passwd it knows directory services too.
fn id(arguments: &[&str]) -> io::Result<Option<u32>> {
    let output = Command::new("id").args(arguments).stderr(Stdio::null()).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse().ok())
}

/// FNV-1a: the same in every release, which the standard library's hasher does not promise.
fn fingerprint(path: &Path) -> u64 {
    path.as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
