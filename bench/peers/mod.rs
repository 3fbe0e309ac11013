//! Those who are measured: whoever can be given events, and streams them to clients.

pub(crate) mod lower_bound;
pub(crate) mod nchan;
pub(crate) mod rowcast;

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    ops::Range,
    thread,
    time::{Duration, Instant},
};

use crate::{
    load::{EVENT_TYPE, Load, PATIENCE},
    process::Process,
};

/// What all of them can.
pub(crate) trait Peer {
    /// Its name in the table.
    fn name(&self) -> &'static str;

    /// Where clients connect.
    fn address(&self) -> SocketAddr;

    /// How client number so and so asks for its stream.
    fn request(&self, client: usize) -> String;

    /// Publishes events with these numbers, to everybody, and returns when they have been taken.
    fn publish(&mut self, numbers: Range<u64>);

    /// What runs it.
    fn process(&self) -> Process;

    /// Connects so many clients.
    fn connect(&self, clients: usize) -> Load {
        let requests: Vec<String> = (0..clients).map(|client| self.request(client)).collect();
        Load::open(self.address(), &requests)
    }
}

/// What peers publish that know nothing of rows: as long as rowcast's, and of the same fields.
fn envelope(n: u64) -> String {
    format!(
        r#"{{"id":"{n}","type":"document_processing","timestamp":"2026-01-01T00:00:00.000000Z","organizationId":"o0","priority":"medium","operation":"INSERT","source":"public.items","key":"{n}","txid":"1000","data":{{"k": {n}, "n": {n}, "w": 0, "pad": "{PAD}"}}}}"#
    )
}

/// The whole frame.
pub(crate) fn frame(n: u64) -> String {
    format!("id: {n}\nevent: {EVENT_TYPE}\ndata: {}\n\n", envelope(n))
}

/// What makes a frame 320 bytes long.
const PAD: &str = "abcdefghijkl";

/// A port that nobody listens at.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Returns when somebody accepts connections there.
fn wait_for(address: SocketAddr) {
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(address).is_err() {
        assert!(Instant::now() < deadline, "nobody listens at {address}");
        thread::sleep(Duration::from_millis(10));
    }
}
