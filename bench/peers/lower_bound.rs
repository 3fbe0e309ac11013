//! What it costs at least: an epoll loop that writes the same frames to everybody, and knows nothing else.

use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    ops::Range,
    process::{Child, Command, Stdio},
};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use super::{Peer, frame};
use crate::process::Process;

/// The loop, in a process of its own.
pub(crate) struct LowerBound {
    server: Child,
    address: SocketAddr,
    name: &'static str,
    publisher: TcpStream,
}

impl LowerBound {
    /// Starts one that writes every event by itself, or all that wait at once.
    pub(crate) fn start(batched: bool) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("lower-bound").args(batched.then_some("--batched")).stdout(Stdio::piped());
        let mut server = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address: SocketAddr = line.trim().parse().unwrap();
        let mut publisher = TcpStream::connect(address).unwrap();
        publisher.set_nodelay(true).unwrap();
        publisher.write_all(b"PUBLISH\n").unwrap();
        let name = if batched { "bare loop, batched" } else { "bare loop" };
        Self { server, address, name, publisher }
    }
}

impl Peer for LowerBound {
    fn name(&self) -> &'static str {
        self.name
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn request(&self, _: usize) -> String {
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()
    }

    fn publish(&mut self, numbers: Range<u64>) {
        // In one piece, or it would be read in several.
        self.publisher.write_all(format!("{} {}\n", numbers.start, numbers.end).as_bytes()).unwrap();
        // It has been written to everybody when there is an answer.
        self.publisher.read_exact(&mut [0]).unwrap();
    }

    fn process(&self) -> Process {
        Process(self.server.id())
    }
}

impl Drop for LowerBound {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Who listens: by its number in the epoll, from 1 on.
struct Listener {
    stream: TcpStream,
    /// What did not fit into its socket.
    waiting: Vec<u8>,
    begun: bool,
}

impl Listener {
    fn write(&mut self, frames: &[u8]) {
        if !self.waiting.is_empty() {
            self.waiting.extend_from_slice(frames);
            return;
        }
        match self.stream.write(frames) {
            Ok(written) => self.waiting.extend_from_slice(&frames[written..]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.waiting.extend_from_slice(frames),
            // It has gone, which the next read tells.
            Err(_) => {}
        }
    }

    fn go_on(&mut self) {
        if let Ok(written) = self.stream.write(&self.waiting) {
            self.waiting.drain(..written);
        }
    }
}

/// Serves until it is killed. Whoever says PUBLISH may say which frames are to be written; everybody else gets them.
pub(crate) fn serve(batched: bool) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", server.local_addr().unwrap());
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).unwrap();
    epoll.add(&server, EpollEvent::new(EpollFlags::EPOLLIN, 0)).unwrap();
    let mut listeners: Vec<Option<Listener>> = Vec::new();
    let mut publisher = None;
    let mut ready = vec![EpollEvent::empty(); 1024];
    loop {
        let count = epoll.wait(&mut ready, EpollTimeout::NONE).unwrap_or(0);
        for event in &ready[..count] {
            let Some(at) = usize::try_from(event.data()).unwrap().checked_sub(1) else {
                let (stream, _) = server.accept().unwrap();
                stream.set_nodelay(true).unwrap();
                stream.set_nonblocking(true).unwrap();
                listeners.push(None);
                let interest = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLET;
                epoll.add(&stream, EpollEvent::new(interest, listeners.len() as u64)).unwrap();
                *listeners.last_mut().unwrap() = Some(Listener { stream, waiting: Vec::new(), begun: false });
                continue;
            };
            if publisher == Some(at) {
                publish(&mut listeners, at, batched);
                continue;
            }
            let Some(listener) = &mut listeners[at] else { continue };
            listener.go_on();
            let mut buffer = [0; 4096];
            match listener.stream.read(&mut buffer) {
                Ok(0) => listeners[at] = None,
                Ok(length) if buffer[..length].starts_with(b"PUBLISH") => publisher = Some(at),
                Ok(_) if !listener.begun => {
                    listener.begun = true;
                    listener.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => listeners[at] = None,
            }
        }
    }
}

fn publish(listeners: &mut [Option<Listener>], publisher: usize, batched: bool) {
    let mut order = [0; 64];
    let Some(length) = listeners[publisher].as_mut().and_then(|publisher| publisher.stream.read(&mut order).ok())
    else {
        return;
    };
    let order = std::str::from_utf8(&order[..length]).unwrap();
    let Some((start, end)) = order.trim().split_once(' ') else { return };
    let numbers = start.parse::<u64>().unwrap()..end.parse::<u64>().unwrap();
    let frames: Vec<Vec<u8>> = numbers.map(|n| frame(n).into_bytes()).collect();
    let writes = if batched { vec![frames.concat()] } else { frames };
    for frames in &writes {
        for (at, listener) in listeners.iter_mut().enumerate() {
            if let Some(listener) = listener.as_mut().filter(|listener| at != publisher && listener.begun) {
                listener.write(frames);
            }
        }
    }
    if let Some(publisher) = &mut listeners[publisher] {
        publisher.write(b".");
    }
}
