//! The real program, serving a test's database in a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;

use tokio::sync::oneshot;
use tokio_postgres::NoTls;

use super::database::{SERVER_NAME, sessions};
use super::{PATIENCE, Place, Role, SECRET, eventually, signal, sse, tls};

static NUMBER: AtomicU32 = AtomicU32::new(1);

/// Below the ports that systems hand out by themselves: a client that tries again and again while the server restarts
/// would sooner or later be given the server's port for its own end, and be connected to itself.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// Limits that no test meets unless it asks for others.
pub(crate) const NO_LIMITS: [(&str, &str); 6] = [
    ("ROWCAST_MAX_CONNECTIONS", "100000"),
    ("ROWCAST_MAX_CONNECTIONS_PER_USER", "100000"),
    ("ROWCAST_MAX_CONNECTIONS_PER_ADDRESS", "100000"),
    ("ROWCAST_CONNECTS_PER_MINUTE", "1000000"),
    ("ROWCAST_COMMANDS_PER_MINUTE", "1000000"),
    ("ROWCAST_WRITES_PER_SECOND", "1000000"),
];

/// A running `rowcast serve`. Killed when dropped; its log is shown when the test fails.
pub(crate) struct Server {
    process: Child,
    name: String,
    /// Where to look for its sessions.
    superuser: String,
    environment: Vec<(String, String)>,
    port: u16,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Serves this database.
    pub(crate) async fn start(place: &impl Place) -> Self {
        Self::start_with(place, &[]).await
    }

    /// Serves this database, with further settings as environment variables.
    pub(crate) async fn start_with(place: &impl Place, settings: &[(&str, &str)]) -> Self {
        let server = Self::start_unready(place, settings).await;
        server.wait_until_ready().await;
        server
    }

    /// The same, where something that it cannot be ready without is missing.
    pub(crate) async fn start_unready(place: &impl Place, settings: &[(&str, &str)]) -> Self {
        let name = format!("{SERVER_NAME}{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let port = free_port();
        let mut environment: Vec<(String, String)> = vec![
            ("DATABASE_URL".into(), format!("{}&application_name={name}", place.url_as(Role::Server))),
            ("ROWCAST_LISTEN_ADDR".into(), format!("127.0.0.1:{port}")),
            ("ROWCAST_JWT_SECRET".into(), SECRET.into()),
            ("ROWCAST_LOG".into(), "rowcast=debug,warn".into()),
        ];
        // All clients of a test are few users at one address.
        environment.extend(NO_LIMITS.map(|(name, value)| (name.to_owned(), value.to_owned())));
        environment.extend(settings.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        let log = Arc::default();
        let (process, started) = spawn(&environment, &log);
        let mut server = Self { process, name, superuser: place.url_as(Role::Superuser), environment, port, log };
        server.wait_until_started(started).await;
        server
    }

    /// Starts the program again on the same port, after [`kill`](Self::kill) or [`terminate`](Self::terminate).
    pub(crate) async fn restart(&mut self) {
        let (process, started) = spawn(&self.environment, &self.log);
        self.process = process;
        self.wait_until_started(started).await;
        self.wait_until_ready().await;
    }

    async fn wait_until_started(&mut self, started: oneshot::Receiver<String>) {
        // It prints its address when it listens, and closes standard output when it ends.
        let line = tokio::time::timeout(PATIENCE, started).await.expect("the server does not come up");
        assert_eq!(line.as_deref(), Ok(format!("listening on {}", self.url()).as_str()), "the server did not start");
    }

    async fn wait_until_ready(&self) {
        eventually("the server to be ready", async || self.is_ready().await.then_some(())).await;
    }

    /// Where it serves, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.certificate().is_some() { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// Where its certificate is, if it has one.
    fn certificate(&self) -> Option<&str> {
        self.environment.iter().find_map(|(name, value)| (name == "ROWCAST_TLS_CERT").then_some(&**value))
    }

    /// What it calls itself in the database.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// Sends it a signal (`STOP`, `CONT`, …).
    pub(crate) fn signal(&self, name: &str) {
        signal(self.process.id(), name);
    }

    /// Whether it says that it is ready (`GET /readyz`).
    pub(crate) async fn is_ready(&self) -> bool {
        let (url, headers) = (self.url(), "Connection: close\r\n");
        let ready = match self.certificate() {
            None => sse::Client::request(&url, "GET", "/readyz", headers, "").await,
            Some(certificate) => {
                let stream = tls::connect(&url, certificate, &[]).await.unwrap();
                sse::Client::request_over(stream, "127.0.0.1", "GET", "/readyz", headers, "").await.unwrap()
            }
        };
        match ready.status {
            200 => true,
            503 => false,
            status => panic!("/readyz answers {status}"),
        }
    }

    /// How much memory it has resident, in bytes; `None` where the system does not say.
    pub(crate) fn resident_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024)
    }

    /// Ends it without warning (SIGKILL).
    pub(crate) async fn kill(&mut self) {
        self.process.kill().unwrap();
        self.gone().await;
    }

    /// Asks it to end (SIGTERM), and fails the test when it does not do so cleanly, or leaves a session behind.
    pub(crate) async fn terminate(&mut self) {
        self.signal("TERM");
        self.wait_for_end().await;
    }

    /// Fails the test when it does not end soon and cleanly.
    pub(crate) async fn wait_for_end(&mut self) {
        let status = self.gone().await;
        assert!(status.success(), "the server ended with {status}");
    }

    /// [`terminate`](Self::terminate)s it for good.
    pub(crate) async fn stop(mut self) {
        self.terminate().await;
    }

    /// Waits until process and sessions are gone.
    pub(crate) async fn gone(&mut self) -> ExitStatus {
        let process = &mut self.process;
        let status = eventually("the server's process to end", async || process.try_wait().unwrap()).await;
        eventually("the server's sessions to end", async || {
            // Where there is no Postgres, there are none.
            let Ok((client, connection)) = tokio_postgres::connect(&self.superuser, NoTls).await else {
                return Some(());
            };
            tokio::spawn(connection);
            (sessions(&client, &self.name).await == 0).then_some(())
        })
        .await;
        status
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail when it has ended already, as it should have.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprintln!("--- the log of {}\n{}\n---", self.name, self.log());
        }
    }
}

/// Starts the program; gives its first line of output.
fn spawn(environment: &[(String, String)], log: &Arc<Mutex<Vec<String>>>) -> (Child, oneshot::Receiver<String>) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_rowcast"))
        .arg("serve")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (sender, started) = oneshot::channel();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    thread::spawn(move || {
        let mut line = String::new();
        if output.read_line(&mut line).is_ok() {
            // The test may have given up.
            let _ = sender.send(line.trim_end().to_owned());
        }
        // A full pipe would stop the server.
        let _ = output.read_to_end(&mut Vec::new());
    });
    let errors = BufReader::new(process.stderr.take().unwrap());
    let log = Arc::clone(log);
    thread::spawn(move || {
        for line in errors.lines().map_while(Result::ok) {
            log.lock().unwrap().push(line);
        }
    });
    (process, started)
}

/// A port that nothing listens on. Each is given once, and each test process begins somewhere else.
pub(crate) fn free_port() -> u16 {
    static FIRST: LazyLock<u16> = LazyLock::new(|| fastrand::u16(..));
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let count = PORTS.end - PORTS.start;
    let mut ports = (0..count).map(|_| FIRST.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % count + PORTS.start);
    ports.find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok()).expect("no port is free")
}

/// Runs `rowcast serve` with these settings, and no way to check tokens unless they name one. It must fail before it looks for a database; what it says.
pub(crate) async fn refused(settings: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rowcast"));
    command
        .arg("serve")
        .env_remove("ROWCAST_JWT_SECRET")
        .env_remove("ROWCAST_JWKS_URL")
        .env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing")
        .envs(settings.iter().copied())
        .stdin(Stdio::null());
    let mut command = tokio::process::Command::from(command);
    let output =
        tokio::time::timeout(PATIENCE, command.kill_on_drop(true).output()).await.expect("it started").unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}
