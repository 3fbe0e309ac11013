//! An issuer of tokens that publishes its keys: a web server with one answer to everything, which the test changes as it goes on.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{TlsAcceptor, rustls};
use tokio_util::task::AbortOnDropHandle;

/// What it says to whoever asks.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    /// A whole answer: status line, headers and body.
    Answer(String),
    /// The same, after a while.
    Late(Duration, String),
    /// A body that does not end.
    Endless,
    /// Nothing, for as long as somebody waits.
    Nothing,
    /// Goodbye.
    Goodbye,
}

impl Says {
    /// These keys.
    pub(crate) fn keys(keys: &[Value]) -> Self {
        Self::json(&json!({ "keys": keys }).to_string())
    }

    /// Something with status 200.
    pub(crate) fn json(body: &str) -> Self {
        let length = body.len();
        Self::Answer(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ))
    }

    /// Another status, and headers.
    pub(crate) fn status(status: &str) -> Self {
        Self::Answer(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
    }

    /// The same answer, after a while.
    pub(crate) fn after(self, delay: Duration) -> Self {
        match self {
            Self::Answer(answer) => Self::Late(delay, answer),
            other => other,
        }
    }
}

/// A running one.
pub(crate) struct Issuer {
    url: String,
    says: Arc<Mutex<Says>>,
    asked: Arc<AtomicUsize>,
    /// The certificate (PEM) to trust, where it speaks TLS.
    pub(crate) certificate: Option<String>,
    _serving: AbortOnDropHandle<()>,
}

impl Issuer {
    /// Publishes these keys.
    pub(crate) async fn start(keys: &[Value]) -> Self {
        Self::serve(Says::keys(keys), None).await
    }

    /// The same over TLS, with a certificate that nobody knows.
    pub(crate) async fn start_with_tls(keys: &[Value]) -> Self {
        let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
        Self::serve(Says::keys(keys), Some((Arc::new(config).into(), certified.cert.pem()))).await
    }

    async fn serve(says: Says, tls: Option<(TlsAcceptor, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}/.well-known/jwks.json", listener.local_addr().unwrap());
        let (says, asked) = (Arc::new(Mutex::new(says)), Arc::new(AtomicUsize::new(0)));
        let (acceptor, certificate) = tls.unzip();
        let serving = {
            let (says, asked) = (Arc::clone(&says), Arc::clone(&asked));
            tokio::spawn(async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let (says, asked, acceptor) = (Arc::clone(&says), Arc::clone(&asked), acceptor.clone());
                    tokio::spawn(async move {
                        match acceptor {
                            None => answer(stream, &says, &asked).await,
                            Some(acceptor) => {
                                if let Ok(stream) = acceptor.accept(stream).await {
                                    answer(stream, &says, &asked).await;
                                }
                            }
                        }
                    });
                }
            })
        };
        Self { url, says, asked, certificate, _serving: AbortOnDropHandle::new(serving) }
    }

    /// Where its keys are.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Says something else from now on.
    pub(crate) fn say(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    /// Publishes other keys from now on.
    pub(crate) fn publish(&self, keys: &[Value]) {
        self.say(Says::keys(keys));
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Errors are those of a client that went away.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, says: &Mutex<Says>, asked: &AtomicUsize) {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if !matches!(stream.read_buf(&mut request).await, Ok(1..)) {
            return;
        }
    }
    asked.fetch_add(1, Ordering::SeqCst);
    let says = says.lock().unwrap().clone();
    match says {
        Says::Answer(answer) => drop(stream.write_all(answer.as_bytes()).await),
        Says::Late(delay, answer) => {
            tokio::time::sleep(delay).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
        Says::Endless => {
            let mut open =
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"keys\":[").await;
            while open.is_ok() {
                open = stream.write_all(&[b' '; 8192]).await;
            }
        }
        Says::Nothing => drop(stream.read_to_end(&mut request).await),
        Says::Goodbye => {}
    }
    let _ = stream.shutdown().await;
}
