//! Connections over TLS. A handshake belongs to its connection: one that never ends keeps nobody else waiting.

use std::{io, net::SocketAddr, pin::Pin, sync::Arc};

use tokio::net::TcpListener;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    accept::{Accept, Protocol},
    certificates::Certificates,
    tcp::{self, Connection},
};

/// What HTTP/2 is called in a handshake.
pub(super) const HTTP_2: &[u8] = b"h2";

/// What may wait, encrypted, for a client that does not read; the socket holds more than that. It grows to 64 KiB otherwise.
const SEND_BUFFER: usize = 16 * 1024;

/// A listener whose clients have to speak TLS.
pub struct Listener {
    tcp: TcpListener,
    certificates: Arc<Certificates>,
}

impl Listener {
    /// Serves those who come to `tcp` with the certificate of the moment.
    pub fn new(tcp: TcpListener, certificates: Arc<Certificates>) -> Self {
        Self { tcp, certificates }
    }
}

impl Accept for Listener {
    type Io = TlsStream<Connection>;
    type Opening = Pin<Box<dyn Future<Output = io::Result<(Self::Io, Protocol)>> + Send>>;

    async fn accept(&mut self) -> io::Result<(Self::Opening, SocketAddr)> {
        let (connection, peer) = tcp::accept(&self.tcp).await?;
        let acceptor = TlsAcceptor::from(self.certificates.current());
        let handshake = acceptor.accept_with(connection, |session| session.set_buffer_limit(Some(SEND_BUFFER)));
        let opening = async {
            let stream = handshake.await?;
            // Who asks for nothing in particular gets what everybody speaks.
            let protocol = match stream.get_ref().1.alpn_protocol() {
                Some(HTTP_2) => Protocol::Http2,
                _ => Protocol::Http1,
            };
            Ok((stream, protocol))
        };
        Ok((Box::pin(opening), peer))
    }
}
