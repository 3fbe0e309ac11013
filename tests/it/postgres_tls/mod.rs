//! TLS to Postgres: a server with certificates of a test's own authority, and who gets through to it.
//!
//! It listens at a loopback address of its own, so that its port may be the usual one; only Linux has those.

mod identity;
mod interceptor;
mod modes;
mod server;

use std::{
    net::Ipv4Addr,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
};

use rowcast::postgres::Database;
use tokio_postgres::Client;

use crate::harness::{Authority, Issued, OwnPostgres, Place, Role, eventually, write_private};

/// What the server's certificate is for.
const HOST: &str = "localhost";

/// How a client asks for TLS: eight bytes, of which the last four mean that.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// A Postgres that speaks TLS.
struct Stage {
    postgres: OwnPostgres,
    address: Ipv4Addr,
    superuser: Client,
    authority: Authority,
}

impl Stage {
    /// Its `pg_hba.conf` has these lines for the network.
    async fn set(hba: &[&str]) -> Self {
        let address = Ipv4Addr::new(127, fastrand::u8(1..), fastrand::u8(..), fastrand::u8(1..255));
        let postgres = OwnPostgres::start(&[("listen_addresses", &address.to_string())]).await;
        let superuser = postgres.connect_as(Role::Superuser).await;
        let authority = Authority::new("the authority of the tests");
        let stage = Self { postgres, address, superuser, authority };
        std::fs::write(stage.path("ca.crt"), stage.authority.certificate()).unwrap();
        stage.present(&stage.authority.issue("the server", &[HOST])).await;
        stage.write("client-ca.crt", stage.authority.certificate());
        stage.alter("ssl_ca_file", "client-ca.crt").await;
        stage.allow(hba).await;
        stage.alter("ssl", "on").await;
        stage
    }

    /// A file for clients.
    fn path(&self, name: &str) -> PathBuf {
        self.postgres.directory().join(name)
    }

    /// Has the server show this certificate from now on.
    async fn present(&self, issued: &Issued) {
        self.write("server.crt", &issued.certificate);
        self.write("server.key", &issued.key);
        self.reload().await;
    }

    async fn allow(&self, hba: &[&str]) {
        self.write("pg_hba.conf", &format!("local all all trust\n{}\n", hba.join("\n")));
        self.reload().await;
    }

    async fn alter(&self, setting: &str, value: &str) {
        self.superuser.batch_execute(&format!("ALTER SYSTEM SET {setting} = '{value}'")).await.unwrap();
        self.reload().await;
    }

    /// Returns when what was changed applies to new connections: the postmaster has loaded it before it starts another process.
    async fn reload(&self) {
        let loaded = "SELECT pg_conf_load_time()::text";
        let before: String = self.superuser.query_one(loaded, &[]).await.unwrap().get(0);
        self.superuser.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        eventually("the settings to be read again", async || {
            let client = self.postgres.connect_as(Role::Superuser).await;
            let now: String = client.query_one(loaded, &[]).await.unwrap().get(0);
            (now != before).then_some(())
        })
        .await;
    }

    /// Writes a file of the server's, as its account: nobody else may own its key.
    fn write(&self, name: &str, text: &str) {
        let data = self.postgres.directory().join("postgres/data");
        let path = data.join(name);
        write_private(&path, text);
        let owner = std::fs::metadata(&data).unwrap();
        chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
    }

    /// A URL of the server's role, with the host to be named and these parameters.
    fn url(&self, host: &str, parameters: &str) -> String {
        let (role, address) = (Role::Server.name(), self.address);
        format!("postgresql:///app?host={host}&hostaddr={address}&user={role}&password={role}&{parameters}")
    }

    /// One that trusts the authority.
    fn trusting_url(&self, parameters: &str) -> String {
        self.url(HOST, &format!("sslrootcert={}&{parameters}", self.path("ca.crt").display()))
    }
}

/// The version of TLS that a connection by this URL has, if it has; or why there is none.
async fn connect(url: &str) -> Result<Option<String>, String> {
    let database = Database::new(url, 1).map_err(|error| error.to_string())?;
    let connection = database.connection().await.map_err(|error| error.to_string())?;
    let asked = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    Ok(connection.query_one(asked, &[]).await.unwrap().get(0))
}

/// That there is no connection, and that the error says this.
async fn assert_refused(url: &str, expected: &[&str]) {
    let said = connect(url).await.expect_err("somebody let us in");
    for expected in expected {
        assert!(said.contains(expected), "{expected:?} is not in: {said}");
    }
}

/// Writes a certificate and its key to where a client finds them; the parameters that name them.
fn identity(directory: &Path, name: &str, issued: &Issued) -> String {
    let (certificate, key) = issued.write(directory, name);
    format!("sslcert={}&sslkey={}", certificate.display(), key.display())
}
