//! Connections over TCP, tuned for streams that are mostly silent and clients that vanish without a word.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tracing::debug;

use super::accept::Accept;

/// What the kernel holds for a client that does not read. Its own choice would grow to megabytes for each of them; a stream
/// that falls behind by this much is better served from the log.
const SEND_BUFFER: usize = 64 * 1024;

/// When a client is given up that has confirmed nothing of what was sent to it. Heartbeats come more often than that, so
/// it finds every client that has vanished.
const UNCONFIRMED: Duration = Duration::from_mins(1);

/// When to ask a client of whom nothing was heard, though nothing was sent either, whether it is still there.
const SILENCE: Duration = Duration::from_mins(1);

/// How often to ask again.
const ASK_AGAIN: Duration = Duration::from_secs(15);

impl Accept for TcpListener {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = TcpListener::accept(self).await?;
        // It fails for a client that has gone again already, which is found out soon enough.
        if let Err(error) = tune(&stream) {
            debug!(%peer, %error, "a connection could not be tuned");
        }
        Ok((stream, peer))
    }
}

fn tune(stream: &TcpStream) -> io::Result<()> {
    // Events are small, and each write is everything there is: waiting for more would only delay them.
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(SILENCE).with_interval(ASK_AGAIN))?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_tcp_user_timeout(Some(UNCONFIRMED))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn accepted_connections_are_tuned() {
        let mut listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = Accept::accept(&mut listener).await.unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
        assert!(stream.nodelay().unwrap());
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        // Linux doubles it, for its own bookkeeping.
        assert!((SEND_BUFFER..=2 * SEND_BUFFER).contains(&socket.send_buffer_size().unwrap()));
        #[cfg(any(target_os = "linux", target_os = "android"))]
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(UNCONFIRMED));
    }
}
