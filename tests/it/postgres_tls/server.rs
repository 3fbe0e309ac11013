//! The real server over TLS: nothing that it says to Postgres can be read, requests to cancel included, and certificates may be renewed while it runs.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use rowcast::postgres::Database;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::{HOST, SSL_REQUEST, Stage};
use crate::harness::{Authority, Place, Role, Server, eventually, sse, token};

/// A way to Postgres that counts who asks for TLS, and who says anything without.
struct Wiretap {
    address: SocketAddr,
    encrypted: AtomicUsize,
    readable: AtomicUsize,
}

impl Wiretap {
    async fn start(postgres: SocketAddr) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tap = Arc::new(Self { address, encrypted: AtomicUsize::default(), readable: AtomicUsize::default() });
        let counting = Arc::clone(&tap);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(relay(client, postgres, Arc::clone(&counting)));
            }
        });
        tap
    }
}

async fn relay(mut client: TcpStream, postgres: SocketAddr, tap: Arc<Wiretap>) {
    let mut first = [0; 8];
    if client.read_exact(&mut first).await.is_err() {
        return;
    }
    let count = if first == SSL_REQUEST { &tap.encrypted } else { &tap.readable };
    count.fetch_add(1, Relaxed);
    let Ok(mut server) = TcpStream::connect(postgres).await else { return };
    if server.write_all(&first).await.is_ok() {
        // However it ends, it has ended.
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}

/// The stage, with the tap in the server's way.
struct Tapped<'a> {
    stage: &'a Stage,
    tap: &'a Wiretap,
}

impl Place for Tapped<'_> {
    fn url_as(&self, role: Role) -> String {
        if role != Role::Server {
            return self.stage.postgres.url_as(role);
        }
        let (at, port) = (format!("hostaddr={}", self.stage.address), self.tap.address.port());
        let url = self.stage.trusting_url("sslmode=verify-full&channel_binding=require");
        url.replace(&at, &format!("hostaddr=127.0.0.1&port={port}"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_a_server_says_to_postgres_is_encrypted() {
    let stage = Stage::set(&["hostssl all all 127.0.0.0/8 scram-sha-256"]).await;
    let tap = Wiretap::start((stage.address, 5432).into()).await;
    let place = Tapped { stage: &stage, tap: &tap };
    let app = stage.postgres.connect_as(Role::Superuser).await;
    app.execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'member')", &[]).await.unwrap();

    let server = Server::start(&place).await;
    eventually("the server to hear", async || server.log().contains("listening for notifications").then_some(())).await;
    let mut client = sse::Client::connect(&server.url(), &token("ann"), None).await;
    client.next_event().await.unwrap();
    app.execute("SELECT rowcast.emit('document_processing', 'o1', '{}')", &[]).await.unwrap();
    while client.next_event().await.expect("the stream ended").event != "document_processing" {}

    let sessions = "SELECT application_name, s.ssl, s.version FROM pg_stat_activity JOIN pg_stat_ssl s USING (pid) WHERE usename = $1";
    let sessions = app.query(sessions, &[&Role::Server.name()]).await.unwrap();
    assert!(sessions.len() >= 2, "one listens and one reads");
    for session in sessions {
        assert!(session.get::<_, bool>("ssl"), "{}", session.get::<_, &str>("application_name"));
        assert_eq!(session.get::<_, &str>("version"), "TLSv1.3");
    }

    let before = tap.encrypted.load(Relaxed);
    let database = Database::new(&place.url_as(Role::Server), 1).unwrap();
    let connection = database.connection().await.unwrap();
    let asked = connection.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get::<_, i32>(0);
    assert!(timeout(Duration::from_millis(100), connection.query("SELECT pg_sleep(3600)", &[])).await.is_err());
    drop(connection);
    eventually("the question to be cancelled", async || {
        let asking = "SELECT FROM pg_stat_activity WHERE pid = $1";
        app.query(asking, &[&asked]).await.unwrap().is_empty().then_some(())
    })
    .await;
    // Two to look for a pooler, one for the question, one to cancel it.
    assert!(tap.encrypted.load(Relaxed) >= before + 4);

    server.stop().await;
    assert_eq!(tap.readable.load(Relaxed), 0);
}

/// Without a word of TLS in the URL: libpq's environment variables say it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_go_by_the_environment_and_the_doctor_sees_it() {
    let stage = Stage::set(&["host all all 127.0.0.0/8 trust"]).await;
    let tap = Wiretap::start((stage.address, 5432).into()).await;
    let (at, port) = (tap.address.ip(), tap.address.port());
    let url = format!("postgresql:///app?host={HOST}&hostaddr={at}&port={port}&user={}", Role::Owner.name());
    let run = async |command: &str, mode: &str, root: &Path| {
        let mut process = tokio::process::Command::new(env!("CARGO_BIN_EXE_rowcast"));
        process.arg(command).env("DATABASE_URL", &url).env_remove("ROWCAST_NOTIFY_DATABASE_URL");
        process.env("PGSSLMODE", mode).env("PGSSLROOTCERT", root).env("SSL_CERT_FILE", stage.path("ca.crt"));
        let output = process.output().await.unwrap();
        [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap()).concat()
    };
    let (root, system) = (stage.path("ca.crt"), Path::new("system"));
    for (command, root) in [("migrate", &*root), ("tables", &root), ("doctor", &root), ("doctor", system)] {
        let before = tap.encrypted.load(Relaxed);
        let said = run(command, "verify-full", root).await;
        assert!(tap.encrypted.load(Relaxed) > before, "{said}");
        if command == "doctor" {
            assert!(said.contains("the connection is encrypted (TLSv1.3), and the server is"), "{said}");
        }
    }
    assert_eq!(tap.readable.load(Relaxed), 0);
    let said = run("doctor", "require", &root).await;
    assert!(said.contains("(TLSv1.3); sslmode=verify-full would"), "{said}");
    let said = run("doctor", "disable", &root).await;
    assert!(said.contains("does not leave this machine") && tap.readable.load(Relaxed) > 0, "{said}");
    let said = run("tables", "verify_full", &root).await;
    assert!(said.contains("PGSSLMODE has to be disable, allow, "), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_renewed_while_a_server_runs() {
    let stage = Stage::set(&["hostssl all all 127.0.0.0/8 scram-sha-256"]).await;
    let url = stage.trusting_url("sslmode=verify-full");
    let database = Database::new(&url, 1).unwrap();
    database.connection().await.unwrap();

    let next = Authority::new("the next authority");
    stage.present(&next.issue("the server", &[HOST])).await;
    database.forget_connections();
    let refused = database.connection().await.err().expect("an authority that is not trusted").to_string();
    assert!(refused.contains("UnknownIssuer"), "{refused}");
    std::fs::write(stage.path("ca.crt"), next.certificate()).unwrap();
    database.connection().await.unwrap();

    // What cannot be read is no reason to trust anybody, nor to go without TLS.
    stage.allow(&["host all all 127.0.0.0/8 trust"]).await;
    let lenient = Database::new(&url.replace("verify-full", "prefer"), 1).unwrap();
    std::fs::remove_file(stage.path("ca.crt")).unwrap();
    database.forget_connections();
    let refused = database.connection().await.err().expect("nothing to check against").to_string();
    assert!(refused.contains("sslrootcert: ") && refused.contains("ca.crt cannot be read"), "{refused}");
    let refused = lenient.connection().await.err().expect("no TLS").to_string();
    assert!(refused.contains("ca.crt cannot be read"), "{refused}");
}
