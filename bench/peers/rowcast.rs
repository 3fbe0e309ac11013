//! rowcast, as it is deployed: the program itself, and rows that an app writes.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    ops::Range,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rowcast::access::token;
use tokio_postgres::{Client, Statement};

use super::{PAD, Peer, free_port};
use crate::{load::PATIENCE, postgres::Postgres, process::Process};

const SECRET: &str = "for benchmarks, and known to everybody";

/// What the server before has left.
const CLEAR: &str = "
    SELECT rowcast.detach(oid) FROM pg_class WHERE oid = to_regclass('public.items');
    DROP TABLE IF EXISTS public.items;
    TRUNCATE rowcast.memberships";

/// The app's table, and how it is attached.
const ATTACH: &str = "
    CREATE TABLE public.items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, k bigint NOT NULL, n bigint NOT NULL, organization_id text NOT NULL, w bigint NOT NULL, pad text NOT NULL);
    SELECT rowcast.attach('public.items', 'document_processing', organization_id => 'r.organization_id',
        data => $$jsonb_build_object('k', r.k, 'n', r.n, 'w', r.w, 'pad', r.pad)$$)";

const INSERT: &str = "INSERT INTO public.items (k, n, w, organization_id, pad) SELECT k, n, $3::bigint, organization_id, $5 FROM unnest($1::bigint[], $2::bigint[], $4::text[]) AS item (k, n, organization_id)";

/// A row of the app.
pub(crate) struct Item {
    /// Counts all that is published.
    pub(crate) k: u64,
    /// Counts what its writer publishes for its organization.
    pub(crate) n: u64,
    /// The number of its organization.
    pub(crate) organization: usize,
}

/// A connection of the app, which writes.
pub(crate) struct Writer {
    client: Client,
    insert: Statement,
    /// Its number.
    w: i64,
}

impl Writer {
    /// Writes these rows in one transaction, and returns when it has committed.
    pub(crate) async fn write(&self, items: &[Item]) {
        let number = |number: u64| i64::try_from(number).unwrap();
        let keys: Vec<i64> = items.iter().map(|item| number(item.k)).collect();
        let numbers: Vec<i64> = items.iter().map(|item| number(item.n)).collect();
        let organizations: Vec<String> = items.iter().map(|item| format!("o{}", item.organization)).collect();
        self.client.execute(&self.insert, &[&keys, &numbers, &self.w, &organizations, &PAD]).await.unwrap();
    }
}

/// A server, with an app that writes.
pub(crate) struct Rowcast<'a> {
    pub(crate) postgres: &'a Postgres,
    server: Child,
    address: SocketAddr,
    app: Writer,
}

impl<'a> Rowcast<'a> {
    /// Starts one with a user for each client, who are spread over `organizations`.
    pub(crate) fn start(postgres: &'a Postgres, clients: usize, organizations: usize) -> Self {
        Self::start_with(postgres, clients, organizations, &[])
    }

    /// The same, with further settings.
    pub(crate) fn start_with(
        postgres: &'a Postgres,
        clients: usize,
        organizations: usize,
        settings: &[(&str, &str)],
    ) -> Self {
        let app = postgres.connect();
        let (clients, organizations) = (i64::try_from(clients).unwrap(), i64::try_from(organizations).unwrap());
        postgres.runtime.block_on(async {
            app.batch_execute(CLEAR).await.unwrap();
            app.batch_execute(ATTACH).await.unwrap();
            let join = "INSERT INTO rowcast.memberships SELECT 'user' || n, 'o' || n % $2::bigint, 'member' FROM generate_series(0, $1::bigint - 1) n";
            app.execute(join, &[&clients, &organizations]).await.unwrap();
        });
        let (server, address) = serve(&postgres.url, settings);
        Self { postgres, server, address, app: writer(postgres, 0) }
    }

    /// A connection of its own to write with, of this number.
    pub(crate) fn writer(&self, w: u32) -> Writer {
        writer(self.postgres, w)
    }

    /// One of the figures that the server tells about itself.
    pub(crate) fn figure(&self, name: &str) -> f64 {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let figure = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        figure.unwrap_or_else(|| panic!("no figure {name}"))
    }

    /// Ends the server, as an operator does.
    pub(crate) fn stop(&mut self) {
        let process = nix::unistd::Pid::from_raw(i32::try_from(self.server.id()).unwrap());
        nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGTERM).unwrap();
        self.server.wait().unwrap();
    }

    /// Starts it anew, at another address.
    pub(crate) fn restart(&mut self) {
        (self.server, self.address) = serve(&self.postgres.url, &[]);
    }
}

fn writer(postgres: &Postgres, w: u32) -> Writer {
    let client = postgres.connect();
    let insert = postgres.runtime.block_on(client.prepare(INSERT)).unwrap();
    Writer { client, insert, w: w.into() }
}

fn serve(url: &str, settings: &[(&str, &str)]) -> (Child, SocketAddr) {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let server = Command::new(env!("CARGO_BIN_EXE_rowcast"))
        .arg("serve")
        .env("DATABASE_URL", url)
        .env("ROWCAST_JWT_SECRET", SECRET)
        .env("ROWCAST_LISTEN_ADDR", address.to_string())
        // All of them come from here, and come back as often as they are told to.
        .env("ROWCAST_MAX_CONNECTIONS", "50000")
        .env("ROWCAST_MAX_CONNECTIONS_PER_ADDRESS", "50000")
        .env("ROWCAST_CONNECTS_PER_MINUTE", "100000")
        .env("ROWCAST_LOG", "warn")
        .envs(settings.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !is_ready(address) {
        assert!(Instant::now() < deadline, "the server is not ready");
        thread::sleep(Duration::from_millis(20));
    }
    (server, address)
}

/// How a user asks who comes back, and has seen everything up to this id.
pub(crate) fn request_after(user: &str, cursor: i64) -> String {
    request(user, &format!("Last-Event-ID: {cursor}\r\n"))
}

fn request(user: &str, header: &str) -> String {
    let token = token::sign(SECRET, user, Duration::from_hours(1)).unwrap();
    format!("GET /api/v1/realtime/sse HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n{header}\r\n")
}

fn is_ready(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let mut answer = String::new();
    let asked = stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    asked.and_then(|()| stream.read_to_string(&mut answer)).is_ok() && answer.starts_with("HTTP/1.1 200")
}

impl Peer for Rowcast<'_> {
    fn name(&self) -> &'static str {
        "rowcast"
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn request(&self, client: usize) -> String {
        request(&format!("user{client}"), "")
    }

    fn publish(&mut self, numbers: Range<u64>) {
        let items: Vec<Item> = numbers.map(|number| Item { k: number, n: number, organization: 0 }).collect();
        self.postgres.runtime.block_on(self.app.write(&items));
    }

    fn process(&self) -> Process {
        Process(self.server.id())
    }
}

impl Drop for Rowcast<'_> {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
