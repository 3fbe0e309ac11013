//! Certificates, and clients that believe nothing else.

use std::{fs, io, path::Path, path::PathBuf, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{PATIENCE, Server};

/// A certificate for `127.0.0.1` and its key, in files that a server reads.
pub(crate) struct Identity {
    directory: PathBuf,
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Identity {
    /// A fresh one.
    pub(crate) fn new() -> Self {
        let directory = std::env::temp_dir().join(format!("rowcast-tls-{:016x}", fastrand::u64(..)));
        fs::create_dir(&directory).unwrap();
        let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
        let identity = Self { certificate: path("cert.pem"), key: path("key.pem"), directory };
        identity.renew();
        identity
    }

    /// Another certificate with another key, in the same files.
    pub(crate) fn renew(&self) {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        fs::write(&self.key, signing_key.serialize_pem()).unwrap();
        fs::write(&self.certificate, cert.pem()).unwrap();
    }

    /// What makes a server use it.
    pub(crate) fn settings(&self) -> [(&str, &str); 2] {
        [("ROWCAST_TLS_CERT", &self.certificate), ("ROWCAST_TLS_KEY", &self.key)]
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        // The system cleans up behind us, should it fail.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Connects to a server that has to show this certificate, and speak one of these protocols.
pub(crate) async fn connect(
    url: &str,
    certificate: impl AsRef<Path>,
    protocols: &[&[u8]],
) -> io::Result<TlsStream<TcpStream>> {
    let address = url.strip_prefix("https://").unwrap();
    handshake(TcpStream::connect(address).await?, certificate, protocols).await
}

/// The same over a connection that the test has opened in its own way.
pub(crate) async fn handshake(
    stream: TcpStream,
    certificate: impl AsRef<Path>,
    protocols: &[&[u8]],
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// An HTTP/2 connection.
pub(crate) struct Http2 {
    url: String,
    requests: SendRequest<Empty<Bytes>>,
    /// Ends with the connection.
    pub(crate) connection: JoinHandle<hyper::Result<()>>,
}

impl Http2 {
    /// Connects to a server that has to show this identity.
    pub(crate) async fn connect(server: &Server, identity: &Identity) -> Self {
        let stream = connect(&server.url(), &identity.certificate, &[b"h2", b"http/1.1"]).await.unwrap();
        Self::over(server, stream).await
    }

    /// Over a connection that the test has opened in its own way.
    pub(crate) async fn over(server: &Server, stream: TlsStream<TcpStream>) -> Self {
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        // As browsers do it: much for each stream, more for all of them.
        let (requests, connection) = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(6 << 20)
            .initial_connection_window_size(15 << 20)
            .handshake(TokioIo::new(stream))
            .await
            .unwrap();
        Self { url: server.url(), requests, connection: tokio::spawn(connection) }
    }

    /// Asks for something, with a token if there is one.
    pub(crate) async fn get(&mut self, target: &str, token: Option<&str>) -> Response<Incoming> {
        let mut request = Request::get(format!("{}{target}", self.url));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer = self.requests.send_request(request.body(Empty::new()).unwrap());
        timeout(PATIENCE, answer).await.expect("a request is not answered").unwrap()
    }

    /// Opens a stream, which must succeed, and waits until it is live.
    pub(crate) async fn stream(&mut self, token: &str) -> Stream {
        let answer = self.get("/api/v1/realtime/sse", Some(token)).await;
        assert_eq!(answer.status(), 200);
        let mut stream = Stream { body: answer.into_body(), seen: String::new() };
        stream.until(r#""status":"connected""#).await;
        stream
    }
}

/// One answer that goes on.
pub(crate) struct Stream {
    body: Incoming,
    /// What has come so far.
    pub(crate) seen: String,
}

impl Stream {
    /// Reads until this has come.
    pub(crate) async fn until(&mut self, expected: &str) {
        while !self.seen.contains(expected) {
            assert!(self.read().await, "the stream ended before {expected} came after\n{}", self.seen);
        }
    }

    /// Reads until the end.
    pub(crate) async fn finish(&mut self) {
        while self.read().await {}
    }

    async fn read(&mut self) -> bool {
        let frame =
            timeout(PATIENCE, self.body.frame()).await.unwrap_or_else(|_| panic!("nothing came after\n{}", self.seen));
        let Some(frame) = frame else { return false };
        self.seen.push_str(str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap());
        true
    }
}
