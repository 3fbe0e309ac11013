//! Installs Postgres from npm, which needs neither root nor a package manager of the system.

use std::io;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::Error;

/// Pinned, so that two machines run the same server, and because every release is a pre-release to npm, which `@18` skips.
const VERSION: &str = "18.4.0-beta.17";

/// What the package says of the links that npm's archives cannot hold.
#[derive(Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

/// Puts Postgres 18 into `directory`, unless it is there, and returns the directory of its programs.
///
/// # Errors
/// When npm is missing, cannot reach its registry, or has no Postgres for this kind of machine.
pub async fn install(directory: &Path) -> Result<PathBuf, Error> {
    let failed = Error::NotInstalled;
    let name = package()
        .ok_or_else(|| failed(format!("it has none for {} on {}", std::env::consts::OS, std::env::consts::ARCH)))?;
    std::fs::create_dir_all(directory)?;
    let directory = directory.canonicalize()?;
    let package = directory.join("node_modules").join(&name);
    let specification = format!("{name}@{VERSION}");
    // The stamp is the last thing written: an installation that was interrupted is done again.
    let stamp = directory.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == specification) {
        return Ok(package.join("native/bin"));
    }
    tracing::info!("installing {specification} from npm");
    let output = tokio::process::Command::new("npm")
        // Scripts of packages are not run: all that this one's does is in `link`.
        .args([
            "install",
            "--ignore-scripts",
            "--no-save",
            "--no-package-lock",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ])
        .arg("--prefix")
        .args([directory.as_os_str(), specification.as_ref()])
        .current_dir(&directory)
        .output()
        .await
        .map_err(|error| failed(format!("npm does not run ({error})")))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    link(&package)?;
    std::fs::write(stamp, specification)?;
    Ok(package.join("native/bin"))
}

fn package() -> Option<String> {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        "linux" => "linux",
        _ => return None,
    };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        "arm" => "arm",
        "x86" => "ia32",
        "powerpc64" => "ppc64",
        _ => return None,
    };
    Some(format!("@embedded-postgres/{system}-{machine}"))
}

/// Makes the links between the versions of its libraries.
fn link(package: &Path) -> Result<(), Error> {
    let list = match std::fs::read(package.join("native/pg-symlinks.json")) {
        Ok(list) => list,
        // Not every system's package has links.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let links: Vec<Link> = serde_json::from_slice(&list).map_err(io::Error::from)?;
    for Link { source, target } in links {
        let inside = |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_)));
        let (Some(name), true, true) = (source.file_name(), inside(&source), inside(&target)) else { continue };
        match symlink(name, package.join(target)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}
