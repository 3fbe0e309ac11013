//! Connections over TCP, tuned for streams that are mostly silent and clients that vanish without a word.

use std::{
    future::{Ready, ready},
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    task::{self, Context, Poll},
    time::Duration,
};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpSocket, TcpStream},
    time::{Instant, Sleep, sleep},
};
use tracing::debug;

use super::{
    accept::{Accept, Protocol},
    vanished::{LOOK_AGAIN, Watch},
};

/// What the kernel holds for a client that does not read. Its own choice would grow to megabytes for each of them; a stream
/// that falls behind by this much is better served from the log.
const SEND_BUFFER: usize = 64 * 1024;

/// When to ask a client to whom nothing was sent, and of whom nothing was heard, whether it is still there. And how often to ask again, how many times.
const SILENCE: Duration = Duration::from_mins(1);
const ASK_AGAIN: Duration = Duration::from_secs(15);
const ASK_TIMES: u32 = 4;

/// Clients that may wait to be accepted: when a server restarts, all come back within seconds, and who finds no place tries again a second later. The kernel has its own limit.
const BACKLOG: u32 = 8 * 1024;

/// Listens at `address`.
///
/// # Errors
/// When it is taken, or not ours.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As a restarted server's own former connections would otherwise keep it from its address.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The next connection. Nothing is lost when this is cancelled.
pub(super) async fn accept(listener: &TcpListener) -> io::Result<(Connection, SocketAddr)> {
    let (stream, peer) = listener.accept().await?;
    // It fails for a client that has gone again already, which is found out soon enough.
    if let Err(error) = tune(&stream) {
        debug!(%peer, %error, "a connection could not be tuned");
    }
    Ok((Connection::new(stream), peer))
}

/// In clear nothing precedes HTTP/1.1, which every proxy speaks; browsers would speak HTTP/2 over TLS alone.
impl Accept for TcpListener {
    type Io = Connection;
    type Opening = Ready<io::Result<(Connection, Protocol)>>;

    async fn accept(&mut self) -> io::Result<(Self::Opening, SocketAddr)> {
        let (connection, peer) = accept(self).await?;
        Ok((ready(Ok((connection, Protocol::Http1))), peer))
    }
}

/// TCP's user time-out is left alone: it would also end the connection of a client that is there and takes its time (a frozen tab, a laptop that has trouble keeping up).
fn tune(stream: &TcpStream) -> io::Result<()> {
    // Events are small, and each write is everything there is: waiting for more would only delay them.
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_send_buffer_size(SEND_BUFFER)?;
    let keepalive = TcpKeepalive::new().with_time(SILENCE).with_interval(ASK_AGAIN).with_retries(ASK_TIMES);
    socket.set_tcp_keepalive(&keepalive)
}

/// A connection that fails when its client has vanished. Heartbeats are written more often than it looks, so no vanished client is overlooked.
pub struct Connection {
    stream: TcpStream,
    watch: Watch,
    next_look: Instant,
    /// While nothing can be written.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    fn new(stream: TcpStream) -> Self {
        Self { stream, watch: Watch::default(), next_look: Instant::now() + LOOK_AGAIN, stuck: None }
    }

    fn look(&mut self) -> io::Result<()> {
        let now = Instant::now();
        if now < self.next_look {
            return Ok(());
        }
        self.next_look = now + LOOK_AGAIN;
        self.watch.look(&self.stream, now)
    }

    /// Writes, and while that is not possible looks from time to time whether it will ever be.
    fn poll_with(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        self.look()?;
        if let Poll::Ready(written) = write(Pin::new(&mut self.stream), context) {
            self.stuck = None;
            return Poll::Ready(written);
        }
        loop {
            let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(LOOK_AGAIN)));
            task::ready!(stuck.as_mut().poll(context));
            self.stuck = None;
            self.look()?;
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_with(context, |stream, context| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_with(context, |stream, context| stream.poll_write_vectored(context, pieces))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn accepted_connections_are_tuned() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (connection, peer) = accept(&listener).await.unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
        assert!(connection.stream.nodelay().unwrap());
        let socket = SockRef::from(&connection.stream);
        assert!(socket.keepalive().unwrap());
        // Linux doubles it, for its own bookkeeping.
        assert!((SEND_BUFFER..=2 * SEND_BUFFER).contains(&socket.send_buffer_size().unwrap()));
        #[cfg(any(target_os = "linux", target_os = "android"))]
        assert_eq!(socket.tcp_user_timeout().unwrap(), None);
    }
}
