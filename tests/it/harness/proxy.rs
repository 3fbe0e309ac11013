//! A network that breaks on demand: a TCP proxy in front of Postgres, or of a server under test.
//!
//! Everything it does lasts until [`heal`](Proxy::heal), and everything ends with it. What it holds of a connection at a time is one buffer for each
//! direction, so whoever sends to a side that does not read feels it.

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use super::{GLANCE, server::free_port};

/// What is read at once, and so what may be on its way in one direction.
const BUFFER: usize = 16 * 1024;

/// How often a second a throttled connection passes something on.
const SIPS: u32 = 20;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From who connected to who is behind the proxy.
    Up,
    /// And back.
    Down,
}

/// Who is behind the proxy.
#[derive(Clone, Debug)]
pub(crate) enum Upstream {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// Cuts everything off when dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    network: watch::Sender<Network>,
    accepting: JoinHandle<()>,
}

/// How the network is just now.
#[derive(Clone, Copy, Debug, Default)]
struct Network {
    latency: Duration,
    /// Bytes a second.
    rate: Option<u32>,
    refusing: bool,
    swallowing: bool,
    stalled: Directions<bool>,
    /// Connections know of how many of these they have been told, and so which are meant for them.
    cuts: u64,
    blackholes: u64,
    half_closes: Directions<u64>,
}

impl Network {
    /// Whether a connection that began in `begun` is lost.
    fn swallows(&self, begun: &Self) -> bool {
        self.swallowing || self.blackholes > begun.blackholes
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Directions<T> {
    up: T,
    down: T,
}

impl<T: Copy> Directions<T> {
    fn get(self, direction: Direction) -> T {
        match direction {
            Direction::Up => self.up,
            Direction::Down => self.down,
        }
    }

    fn get_mut(&mut self, direction: Direction) -> &mut T {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }
}

impl Proxy {
    /// Listens on a port of its own, and passes everything on.
    pub(crate) async fn start(upstream: Upstream) -> Self {
        // Not a port that the system hands out by itself: it is given up and taken again.
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let network = watch::Sender::new(Network::default());
        let listener = TcpListener::bind(address).await.unwrap();
        let accepting = tokio::spawn(accept(listener, address, upstream, network.subscribe()));
        Self { address, network, accepting }
    }

    /// Where to connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on every byte takes this long, in each direction; up to twice as long when there is much of them.
    pub(crate) fn delay(&self, latency: Duration) {
        self.network.send_modify(|network| network.latency = latency);
    }

    /// Lets no more than this pass, on each connection in each direction.
    pub(crate) fn throttle(&self, bytes_per_second: u32) {
        self.network.send_modify(|network| network.rate = Some(bytes_per_second));
    }

    /// Resets all connections that there are. New ones are served.
    pub(crate) fn cut(&self) {
        self.network.send_modify(|network| network.cuts += 1);
    }

    /// Refuses new connections. Those that there are go on.
    pub(crate) fn refuse(&self) {
        self.network.send_modify(|network| network.refusing = true);
    }

    /// Everything goes silent, nothing closes: what is sent is taken and thrown away, new connections are accepted and never answered. A connection that
    /// has been through this never speaks again, as when a firewall has forgotten it.
    pub(crate) fn blackhole(&self) {
        self.network.send_modify(|network| {
            network.swallowing = true;
            network.blackholes += 1;
        });
    }

    /// Stops reading in this direction. Nothing is lost: it goes on when healed.
    pub(crate) fn stall(&self, direction: Direction) {
        self.network.send_modify(|network| *network.stalled.get_mut(direction) = true);
    }

    /// Tells the receivers of this direction, on all connections that there are, that nothing more will come.
    pub(crate) fn half_close(&self, direction: Direction) {
        self.network.send_modify(|network| *network.half_closes.get_mut(direction) += 1);
    }

    /// From now on, and for what was stalled or refused, the network is as it should be.
    pub(crate) fn heal(&self) {
        self.network.send_modify(|network| {
            let Network { cuts, blackholes, half_closes, .. } = *network;
            *network = Network { cuts, blackholes, half_closes, ..Network::default() };
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // The connections are its children.
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, address: SocketAddr, upstream: Upstream, mut network: watch::Receiver<Network>) {
    let mut connections = JoinSet::new();
    let mut listener = Some(listener);
    loop {
        let refusing = network.borrow_and_update().refusing;
        if refusing {
            listener = None;
        } else if listener.is_none() {
            // Somebody else may have it for a moment.
            match TcpListener::bind(address).await {
                Ok(bound) => listener = Some(bound),
                Err(_) => sleep(GLANCE).await,
            }
            continue;
        }
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = network.changed() => if changed.is_err() {
                // The proxy has gone.
                return;
            },
            Some(_) = connections.join_next() => {}
            Ok((client, _)) = accepted => {
                connections.spawn(serve(client, upstream.clone(), network.clone()));
            }
        }
    }
}

/// One connection, to its end.
async fn serve(mut client: TcpStream, upstream: Upstream, network: watch::Receiver<Network>) -> io::Result<()> {
    client.set_nodelay(true)?;
    let begun = *network.borrow();
    let cut = match upstream {
        Upstream::Tcp(address) => {
            let mut server = TcpStream::connect(address).await?;
            server.set_nodelay(true)?;
            let cut = join(client.split(), server.split(), begun, network).await;
            reset_if(cut, &server)?
        }
        Upstream::Unix(path) => {
            let mut server = UnixStream::connect(path).await?;
            join(client.split(), server.split(), begun, network).await
        }
    };
    reset_if(cut, &client).map(|_| ())
}

/// A connection that was cut ends with a reset when it is dropped, not in order.
fn reset_if(cut: bool, stream: &TcpStream) -> io::Result<bool> {
    if cut {
        SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
    }
    Ok(cut)
}

/// Passes everything on, both ways. True if the connection did not end by itself, and in order.
async fn join(
    client: (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
    server: (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
    begun: Network,
    network: watch::Receiver<Network>,
) -> bool {
    let mut cut = network.clone();
    let up = pump(Direction::Up, client.0, server.1, begun, network.clone());
    let down = pump(Direction::Down, server.0, client.1, begun, network);
    tokio::select! {
        _ = cut.wait_for(|network| network.cuts > begun.cuts) => true,
        ended = async { tokio::try_join!(up, down) } => ended.is_err(),
    }
}

/// Passes on what comes from one side until that side closes, then says so to the other.
async fn pump(
    direction: Direction,
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    begun: Network,
    mut network: watch::Receiver<Network>,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let now = *network.borrow_and_update();
        if now.swallows(&begun) {
            swallow(from).await;
            // Nor is anybody told that it ended, for as long as nobody can be told anything.
            let _ = network.wait_for(|network| !network.swallowing).await;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if now.half_closes.get(direction) > begun.half_closes.get(direction) {
            to.shutdown().await?;
            swallow(from).await;
            return Ok(());
        }
        let sip = now.rate.map_or(BUFFER, |rate| ((rate / SIPS).max(1) as usize).min(BUFFER));
        let count = tokio::select! {
            biased;
            changed = network.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return Ok(()),
            },
            count = from.read(&mut buffer[..sip]), if !now.stalled.get(direction) => count?,
        };
        if count == 0 {
            return to.shutdown().await;
        }
        let pause = now.rate.map_or(Duration::ZERO, |_| Duration::from_secs(1) / SIPS);
        sleep(now.latency + pause).await;
        // What was on its way when the network broke stays on its way until it is whole again, or is lost.
        if network.wait_for(|network| network.swallows(&begun) || !network.stalled.get(direction)).await.is_err() {
            return Ok(());
        }
        if !network.borrow().swallows(&begun) {
            to.write_all(&buffer[..count]).await?;
        }
    }
}

/// Takes whatever comes, up to the end.
async fn swallow(mut from: impl AsyncRead + Unpin) {
    let mut buffer = vec![0; BUFFER];
    while matches!(from.read(&mut buffer).await, Ok(count) if count > 0) {}
}
