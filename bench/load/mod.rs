//! The clients: one thread, one epoll, nothing allocated for an event. They read as browsers do, and check what they read.
//!
//! Every event carries three numbers: `k` counts all that is published, and says when that was; `n` counts what writer number `w` publishes for its audience, so
//! that each client knows which one comes next, and whether one was left out or came twice.

mod board;
mod client;

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use nix::sys::{
    epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout},
    resource::{Resource, getrlimit, setrlimit},
};

pub(crate) use board::Board;
use client::Client;
pub(crate) use client::{EVENT_TYPE, WRITERS};

/// How long everything may take that should take moments.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// As much as is read at once.
const READ_BYTES: usize = 256 * 1024;

/// How often it is looked who is the slowest.
const LOOK: Duration = Duration::from_millis(1);

/// Clients that are connected.
pub(crate) struct Load {
    pub(crate) board: Arc<Board>,
    thread: JoinHandle<Seen>,
}

/// What the clients have seen.
pub(crate) struct Seen {
    /// In microseconds, from when it was sent to be committed or published to when it was read; of those that were to be recorded.
    pub(crate) latencies: Histogram<u64>,
    /// Events that a client was never told, though it was told later ones.
    pub(crate) missed: u64,
    /// Events that a client was told twice, or after later ones.
    pub(crate) repeated: u64,
    /// Bytes of the streams, with everything around the events.
    pub(crate) bytes: u64,
    /// Events told, to all clients together.
    pub(crate) deliveries: u64,
}

impl Load {
    /// Connects one client for each of `requests`, and returns when all of their streams have begun.
    pub(crate) fn open(address: SocketAddr, requests: &[String]) -> Self {
        Self::open_after(address, requests.iter().map(|request| (&**request, 0)))
    }

    /// The same for clients that come back: each with the number of the last event that it had, of the first writer.
    pub(crate) fn open_after<'a>(address: SocketAddr, requests: impl Iterator<Item = (&'a str, u64)>) -> Self {
        let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).unwrap();
        let mut clients = Vec::new();
        for (request, last) in requests {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            stream.set_nonblocking(true).unwrap();
            epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, clients.len() as u64)).unwrap();
            clients.push(Client::new(stream, last));
        }
        let board = Arc::new(Board::new());
        let (shared, count) = (Arc::clone(&board), clients.len());
        let thread = thread::spawn(move || read(&epoll, &mut clients, &shared));
        let deadline = Instant::now() + PATIENCE;
        while board.begun.load(Ordering::Acquire) < count {
            assert!(Instant::now() < deadline, "{} of {count} streams began", board.begun.load(Ordering::Acquire));
            thread::sleep(Duration::from_millis(1));
        }
        Self { board, thread }
    }

    /// Returns when every client has had so many events.
    pub(crate) fn wait_for(&self, events: u64) {
        wait(&self.board.slowest, events);
    }

    /// Returns when all clients together have had so many events.
    pub(crate) fn wait_for_all(&self, deliveries: u64) {
        wait(&self.board.deliveries, deliveries);
    }

    /// Closes all of them.
    pub(crate) fn close(self) -> Seen {
        self.board.stop.store(true, Ordering::Release);
        let seen = self.thread.join().unwrap();
        assert_eq!((seen.missed, seen.repeated), (0, 0), "events that were missed, and repeated");
        seen
    }
}

fn wait(count: &AtomicU64, until: u64) {
    let deadline = Instant::now() + PATIENCE;
    while count.load(Ordering::Acquire) < until {
        assert!(Instant::now() < deadline, "{count:?} of {until} have come");
        thread::sleep(Duration::from_millis(1));
    }
}

fn read(epoll: &Epoll, clients: &mut [Client], board: &Board) -> Seen {
    let mut buffer = vec![0; READ_BYTES];
    let mut ready = vec![EpollEvent::empty(); 1024];
    let mut seen = Seen { latencies: Histogram::new(3).unwrap(), missed: 0, repeated: 0, bytes: 0, deliveries: 0 };
    let mut looked = Instant::now();
    while !board.stop.load(Ordering::Acquire) {
        // A signal is no reason to stop.
        let count = epoll.wait(&mut ready, EpollTimeout::from(10_u8)).unwrap_or(0);
        for event in &ready[..count] {
            let client = &mut clients[usize::try_from(event.data()).unwrap()];
            match client.stream.read(&mut buffer) {
                Ok(0) => panic!("a stream ended"),
                Ok(length) => {
                    seen.bytes += length as u64;
                    client.take(&buffer[..length], board, &mut seen);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => panic!("a stream broke off: {error}"),
            }
        }
        board.deliveries.store(seen.deliveries, Ordering::Release);
        if looked.elapsed() >= LOOK {
            looked = Instant::now();
            board.slowest.store(clients.iter().map(|client| client.had).min().unwrap_or(0), Ordering::Release);
        }
    }
    seen
}
