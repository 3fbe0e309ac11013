//! Clients that misbehave: those that do not read, those that do not speak, those that come and go. None costs more than its share or delays anybody.

use std::{collections::HashSet, fs, time::Duration};

use futures_util::future::join_all;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};
use tokio_postgres::Client;

use crate::{
    documents::{connect, insert, keys, prepare},
    harness::{self, Database, Server, eventually, sse},
};

/// Clients that do not read.
const SLEEPERS: usize = 60;

/// Documents of 20 KB that pass meanwhile: many times what the log holds, and what any socket does.
const DOCUMENTS: i64 = 1_000;

/// What the kernel may hold for one of them on our side: twice the send buffer that was asked for, which it doubles for itself.
const KERNEL_BYTES: u64 = 2 * 2 * 64 * 1024;

/// What the server may hold for one of them: the chunk that it is at, a page of history, and its place.
const SERVER_BYTES: u64 = 512 * 1024;

/// Where `/proc/net/tcp` has what: the address on this side, the state, what waits to be sent and to be read, and the number of the socket, which is 0
/// while no program has it.
const LOCAL: usize = 1;
const STATE: usize = 3;
const QUEUES: usize = 4;
const INODE: usize = 9;

/// Where `/proc/net/unix` has the number.
const UNIX_INODE: usize = 6;

/// Established, and left by the other side.
const OPEN_STATES: [&str; 2] = ["01", "08"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_stop_reading_cost_little_delay_nobody_and_lose_nothing() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let settings = [("ROWCAST_LOG_MIB", "1"), ("ROWCAST_HEARTBEAT", "1s")];
    let server = Server::start_with(&db, &settings).await;
    let mut reader = connect(&server, "dora", None).await;
    let before = memory(&server);
    let mut sleepers = Vec::new();
    for _ in 0..SLEEPERS {
        sleepers.push(sleeper(&server, "ann").await);
    }
    load(&app).await;
    for key in 1..=DOCUMENTS {
        assert_eq!(keys(&mut reader).await, [key.to_string()]);
    }
    insert(&app, DOCUMENTS + 1, "o1").await;
    assert_eq!(keys(&mut reader).await, [(DOCUMENTS + 1).to_string()], "live, beside those that sleep");

    let held = kernel_bytes(&server);
    assert!(held > 0, "nobody is held up: the test tests nothing");
    assert!(held < KERNEL_BYTES * SLEEPERS as u64, "the kernel holds {held} bytes");
    let grown = memory(&server).saturating_sub(before);
    assert!(grown < SERVER_BYTES * SLEEPERS as u64 + (8 << 20), "the server has grown by {grown} bytes");

    // One of them wakes up. The others would read the same.
    let mut awake = sleepers.swap_remove(0);
    for key in 1..=DOCUMENTS + 1 {
        assert_eq!(keys(&mut awake).await, [key.to_string()], "who slept");
    }
    drop(sleepers);
    server.stop().await;
}

/// A stream of which nothing but the answer's head is read, and which the kernel helps as little as it can.
pub(crate) async fn sleeper(server: &Server, user: &str) -> sse::Client {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 * 1024).unwrap();
    let url = server.url();
    let address = url.strip_prefix("http://").unwrap();
    let stream = socket.connect(address.parse().unwrap()).await.unwrap();
    let headers = format!("Authorization: Bearer {}\r\n", harness::token(user));
    let mut client =
        sse::Client::request_over(stream, address, "GET", "/api/v1/realtime/sse", &headers, "").await.unwrap();
    assert_eq!((client.status, &*client.next_event().await.unwrap().event), (200, "connection_status"));
    client
}

async fn load(app: &Client) {
    // In pieces, as apps write; and of random text, which nobody can compress.
    let insert = "INSERT INTO documents SELECT n, 'o1', string_agg(md5(random()::text), '') FROM generate_series($1::bigint, $2) n, generate_series(1, 625) GROUP BY n ORDER BY n";
    for first in (1..=DOCUMENTS).step_by(50) {
        app.execute(insert, &[&first, &(first + 49)]).await.unwrap();
    }
}

/// What the server's process holds in memory, in bytes.
fn memory(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// How many files the server's process has open, but for its connections to the database, which come and go as it has work.
fn open_files(server: &Server) -> usize {
    let unix = fs::read_to_string("/proc/net/unix").unwrap();
    let unix = unix.lines().filter_map(|line| line.split_ascii_whitespace().nth(UNIX_INODE).map(str::to_owned));
    let elsewhere = tcp_sockets().filter(|fields| !is_at(server, fields)).map(|fields| fields[INODE].clone());
    let not_of_clients: HashSet<String> = unix.chain(elsewhere).map(|inode| format!("socket:[{inode}]")).collect();
    let files = fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap();
    // One may be closed while the others are looked at.
    let targets = files.filter_map(|file| fs::read_link(file.unwrap().path()).ok());
    targets.filter(|target| target.to_str().is_none_or(|target| !not_of_clients.contains(target))).count()
}

/// How many clients the server has yet to accept.
fn unaccepted(server: &Server) -> usize {
    let unaccepted = |fields: &Vec<String>| fields[INODE] == "0" && OPEN_STATES.contains(&&*fields[STATE]);
    tcp_sockets().filter(|fields| is_at(server, fields) && unaccepted(fields)).count()
}

/// What the kernel has taken from the server, and the clients have not taken from it.
pub(crate) fn kernel_bytes(server: &Server) -> u64 {
    let queues = tcp_sockets().filter(|fields| is_at(server, fields)).map(|fields| fields[QUEUES].clone());
    queues.map(|queues| u64::from_str_radix(queues.split(':').next().unwrap(), 16).unwrap()).sum()
}

/// What the kernel tells of each socket.
fn tcp_sockets() -> impl Iterator<Item = Vec<String>> {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let sockets = table.lines().skip(1).map(|line| line.split_ascii_whitespace().map(str::to_owned).collect());
    sockets.collect::<Vec<_>>().into_iter()
}

/// Whether it is at the server's address.
fn is_at(server: &Server, fields: &[String]) -> bool {
    let port = server.url().rsplit(':').next().unwrap().parse::<u16>().unwrap();
    fields[LOCAL].ends_with(&format!(":{port:04X}"))
}

#[tokio::test]
async fn connections_that_come_and_go_leave_nothing_behind() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let server = Server::start(&db).await;
    let address = server.url().strip_prefix("http://").unwrap().to_owned();
    let mut ann = connect(&server, "ann", None).await;
    let before = open_files(&server);
    let token = harness::token("ann");
    for n in 0..2_000 {
        let stream = TcpStream::connect(&address).await.unwrap();
        match n % 4 {
            // At once, and without a goodbye.
            0 => SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap(),
            1 => drop(stream.try_write(b"GET / HTTP/1.1\r\nHos")),
            2 => {
                let request =
                    format!("GET /api/v1/realtime/sse HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n");
                stream.try_write(request.as_bytes()).unwrap();
            }
            _ => {}
        }
    }
    let left = async || (unaccepted(&server) == 0 && open_files(&server) <= before).then_some(());
    eventually("all of them to be forgotten", left).await;
    insert(&app, 1, "o1").await;
    assert_eq!(keys(&mut ann).await, ["1"]);
    server.stop().await;
}

#[tokio::test]
async fn thousands_that_say_nothing_cost_little_and_keep_nobody_out() {
    const IDLE: usize = 10_000;
    // The server raises its own limit.
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
    let db = Database::new().await;
    prepare(&db).await;
    let server = Server::start(&db).await;
    let address = server.url().strip_prefix("http://").unwrap().to_owned();
    let (memory_before, files_before) = (memory(&server), open_files(&server));
    let mut idle = Vec::new();
    // Together, so that the first are not sent away for saying nothing before the last have come.
    for _ in 0..IDLE / 200 {
        idle.extend(join_all((0..200).map(|_| TcpStream::connect(&address))).await.into_iter().map(Result::unwrap));
    }
    // The first are sent away for saying nothing while the last come in, on a machine that has much else to do.
    let open = eventually("most of them to be accepted", async || {
        let open = open_files(&server).saturating_sub(files_before);
        (open >= IDLE / 2).then_some(open)
    })
    .await;
    let each = memory(&server).saturating_sub(memory_before) / open as u64;
    assert!(each < 16 * 1024, "each costs {each} bytes");
    drop(connect(&server, "ann", None).await);
    drop(idle);
    let left = async || (unaccepted(&server) == 0 && open_files(&server) <= files_before).then_some(());
    eventually("all of them to be forgotten", left).await;
    server.stop().await;
}
