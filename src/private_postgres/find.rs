//! Finds the server programs of a Postgres that is on this machine already.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::account::Account;
use super::{Error, MINIMUM_VERSION};

/// Programs without which a directory is no installation: Debian's clients, for one, come with `pg_config` alone.
const PROGRAMS: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// Folders with one folder for each version, and where the programs are below that.
const VERSIONED: [(&str, &str, &str); 5] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// Server programs that were seen to run.
#[derive(Debug)]
pub(super) struct Installation {
    pub(super) directory: PathBuf,
    /// The major version.
    pub(super) version: u32,
}

impl Installation {
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

/// The newest installation, or the newest of the version that existing data ask for.
pub(super) fn newest(account: &Account, wanted: Option<u32>) -> Option<Installation> {
    candidates()
        .into_iter()
        .filter_map(|directory| at(account, &directory).ok())
        .filter(|found| wanted.is_none_or(|version| version == found.version))
        .max_by_key(|found| found.version)
}

/// The installation in this directory.
pub(super) fn at(account: &Account, directory: &Path) -> Result<Installation, Error> {
    let unusable =
        |reason: String| Error::Unusable { directory: directory.to_owned(), account: account.name.clone(), reason };
    let directory = directory.canonicalize().map_err(|error| unusable(error.to_string()))?;
    if let Some(missing) = PROGRAMS.iter().find(|program| !directory.join(program).is_file()) {
        return Err(unusable(format!("{missing} is missing")));
    }
    // As the account: it may not be allowed to run what we can see.
    let output = account
        .command(directory.join("postgres"))
        .arg("--version")
        .output()
        .map_err(|error| unusable(error.to_string()))?;
    let said = String::from_utf8_lossy(if output.status.success() { &output.stdout } else { &output.stderr });
    match major_version(&said) {
        Some(version) if version >= MINIMUM_VERSION => Ok(Installation { directory, version }),
        _ => Err(unusable(said.trim().to_owned())),
    }
}

fn candidates() -> BTreeSet<PathBuf> {
    let mut directories: Vec<PathBuf> = VERSIONED
        .iter()
        .flat_map(|(folder, prefix, below)| {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries
                .filter(move |entry| entry.file_name().to_string_lossy().starts_with(prefix))
                .map(move |entry| entry.path().join(below))
        })
        .collect();
    let asked = Command::new("pg_config").arg("--bindir").stderr(Stdio::null()).output();
    if let Ok(output) = asked {
        directories.push(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    directories.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    // Many are links to the same installation, and some are links to single programs.
    let programs = directories.iter().filter_map(|directory| directory.join("initdb").canonicalize().ok());
    programs.filter_map(|initdb| initdb.parent().map(Path::to_owned)).collect()
}

/// 15 of "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", 19 of "postgres (PostgreSQL) 19beta1".
fn major_version(said: &str) -> Option<u32> {
    let number = said.split_once("(PostgreSQL) ")?.1;
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major_version;

    #[test]
    fn reads_the_major_version() {
        assert_eq!(major_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major_version("postgres (PostgreSQL) 19beta1\n"), Some(19));
        assert_eq!(major_version("postgres: error while loading shared libraries"), None);
    }
}
