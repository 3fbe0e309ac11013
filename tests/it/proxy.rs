//! The proxy that the fault tests break the network with does break it, in the way that it says.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::harness::{
    PATIENCE,
    proxy::{Direction, Proxy, Upstream},
};

/// How long silence has to last to be called that.
const SILENCE: Duration = Duration::from_millis(100);

/// A proxy, a connection through it, and the other end of that.
struct Line {
    proxy: Proxy,
    client: TcpStream,
    server: TcpStream,
    listener: TcpListener,
}

impl Line {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy::start(Upstream::Tcp(listener.local_addr().unwrap())).await;
        let client = TcpStream::connect(proxy.address()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        let mut line = Self { proxy, client, server, listener };
        line.works().await;
        line
    }

    async fn works(&mut self) {
        send(&mut self.client, &mut self.server).await;
        send(&mut self.server, &mut self.client).await;
    }
}

async fn send(from: &mut TcpStream, to: &mut TcpStream) {
    from.write_all(b"x").await.unwrap();
    assert_eq!(timeout(PATIENCE, to.read_u8()).await.unwrap().unwrap(), b'x');
}

async fn is_silent(stream: &mut TcpStream) -> bool {
    timeout(SILENCE, stream.read_u8()).await.is_err()
}

#[tokio::test]
async fn a_delay_is_kept_in_both_directions() {
    let mut line = Line::open().await;
    line.proxy.delay(SILENCE);
    let begin = Instant::now();
    line.works().await;
    assert!(begin.elapsed() >= SILENCE * 2);
}

#[tokio::test]
async fn a_cut_is_a_reset_and_leaves_room_for_new_connections() {
    let mut line = Line::open().await;
    line.proxy.cut();
    let error = timeout(PATIENCE, line.client.read_u8()).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert!(timeout(PATIENCE, line.server.read_u8()).await.unwrap().is_err());
    line.client = TcpStream::connect(line.proxy.address()).await.unwrap();
    line.server = line.listener.accept().await.unwrap().0;
    line.works().await;
}

#[tokio::test]
async fn a_black_hole_is_silent_for_those_who_are_there_and_those_who_come() {
    let mut line = Line::open().await;
    line.proxy.blackhole();
    line.client.write_all(b"lost").await.unwrap();
    let mut late = TcpStream::connect(line.proxy.address()).await.unwrap();
    late.write_all(b"lost too").await.unwrap();
    assert!(is_silent(&mut line.server).await && is_silent(&mut line.client).await && is_silent(&mut late).await);
    line.proxy.heal();
    assert!(is_silent(&mut line.server).await, "a connection that was lost came back with a hole in it");
    // What connected meanwhile was passed on as a connection, and never spoke.
    line.listener.accept().await.unwrap();
    line.client = TcpStream::connect(line.proxy.address()).await.unwrap();
    line.server = line.listener.accept().await.unwrap().0;
    line.works().await;
}

#[tokio::test]
async fn a_stall_in_one_direction_loses_nothing() {
    let mut line = Line::open().await;
    line.proxy.stall(Direction::Down);
    line.server.write_all(b"y").await.unwrap();
    send(&mut line.client, &mut line.server).await;
    assert!(is_silent(&mut line.client).await);
    line.proxy.heal();
    assert_eq!(timeout(PATIENCE, line.client.read_u8()).await.unwrap().unwrap(), b'y');
}

#[tokio::test]
async fn a_half_close_leaves_the_other_half_open() {
    let mut line = Line::open().await;
    line.proxy.half_close(Direction::Up);
    assert!(timeout(PATIENCE, line.server.read_u8()).await.unwrap().is_err());
    send(&mut line.server, &mut line.client).await;
}

#[tokio::test]
async fn who_is_refused_is_refused_until_it_heals() {
    let mut line = Line::open().await;
    line.proxy.refuse();
    let refused = async { while TcpStream::connect(line.proxy.address()).await.is_ok() {} };
    timeout(PATIENCE, refused).await.unwrap();
    line.works().await;
    line.proxy.heal();
    let served = async { while TcpStream::connect(line.proxy.address()).await.is_err() {} };
    timeout(PATIENCE, served).await.unwrap();
}

#[tokio::test]
async fn a_throttle_passes_everything_slowly() {
    let mut line = Line::open().await;
    line.proxy.throttle(10_000);
    let begin = Instant::now();
    line.client.write_all(&[0; 2_000]).await.unwrap();
    timeout(PATIENCE, line.server.read_exact(&mut [0; 2_000])).await.unwrap().unwrap();
    assert!(begin.elapsed() >= SILENCE);
}
