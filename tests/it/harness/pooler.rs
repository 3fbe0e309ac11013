//! `PgBouncer` in transaction mode, in front of a test's Postgres.

use std::{
    fs,
    net::SocketAddr,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tokio::net::TcpStream;

use super::{Role, eventually, server::free_port};

/// Fewer than a server under test would like to have, so that they are shared.
const CONNECTIONS: u32 = 4;

/// Everything ends with it.
pub(crate) struct Pooler {
    process: Child,
    address: SocketAddr,
    directory: PathBuf,
}

impl Pooler {
    /// Starts one, for the Postgres whose socket is in this directory.
    pub(crate) async fn start(socket: &Path) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let directory = std::env::temp_dir().join(format!("rowcast-pooler-{:016x}", fastrand::u64(..)));
        fs::create_dir(&directory).unwrap();
        let roles = [Role::Superuser, Role::Owner, Role::Server, Role::Writer, Role::App, Role::Reader];
        let users = roles.map(|role| format!("\"{}\" \"\"", role.name())).join("\n");
        fs::write(directory.join("users"), users).unwrap();
        let settings = format!(
            "[databases]\n* = host={socket}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {users}\npool_mode = transaction\ndefault_pool_size = {CONNECTIONS}\n\
             server_idle_timeout = 1\n",
            socket = socket.display(),
            port = address.port(),
            users = directory.join("users").display(),
        );
        let file = directory.join("pgbouncer.ini");
        fs::write(&file, settings).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
        // It does not run as root either, and nobody else may enter the directory of the socket.
        let account = fs::metadata(socket).unwrap();
        let path = format!("{}:/usr/sbin:/usr/local/sbin", std::env::var("PATH").unwrap_or_default());
        let process = Command::new("pgbouncer")
            .arg("--quiet")
            .arg(&file)
            .env("PATH", path)
            .uid(account.uid())
            .gid(account.gid())
            .current_dir("/")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pgbouncer is missing: scripts/need.sh pgbouncer");
        eventually("the pooler to start", async || TcpStream::connect(address).await.ok()).await;
        Self { process, address, directory }
    }

    /// Where to connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // It may have failed to start.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}
