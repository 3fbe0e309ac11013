//! Something that is watched: it says what the test wants, and keeps what it was asked.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::task::AbortOnDropHandle;

/// What it says to whoever asks.
#[derive(Clone, Debug)]
pub(super) enum Says {
    /// This, whatever it is.
    Raw(String),
    /// The same, after a while.
    Late(Duration, String),
    /// A body that does not end.
    Endless,
    /// Nothing, for as long as somebody waits.
    Nothing,
}

impl Says {
    /// A whole answer.
    pub(super) fn answer(status: &str, body: &str) -> Self {
        Self::Raw(whole(status, body))
    }

    /// The same, after a while.
    pub(super) fn late(delay: Duration, status: &str, body: &str) -> Self {
        Self::Late(delay, whole(status, body))
    }
}

fn whole(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    /// In lower case, with their values.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Asked {
    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|(found, value)| (found == name).then_some(&**value))
    }
}

/// A running one.
pub(super) struct Peer {
    pub(super) address: String,
    says: Arc<Mutex<Says>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    _serving: AbortOnDropHandle<()>,
}

impl Peer {
    /// Says this from the beginning.
    pub(super) async fn start(says: Says) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (says, asked) = (Arc::new(Mutex::new(says)), Arc::<Mutex<Vec<Asked>>>::default());
        let serving = {
            let (says, asked) = (Arc::clone(&says), Arc::clone(&asked));
            tokio::spawn(async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    tokio::spawn(answer(stream, Arc::clone(&says), Arc::clone(&asked)));
                }
            })
        };
        Self { address, says, asked, _serving: AbortOnDropHandle::new(serving) }
    }

    /// Where it is.
    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Says something else from now on.
    pub(super) fn say(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    /// What it was asked so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// Errors are those of a client that went away.
async fn answer(mut stream: TcpStream, says: Arc<Mutex<Says>>, asked: Arc<Mutex<Vec<Asked>>>) {
    let Some(request) = read(&mut stream).await else { return };
    asked.lock().unwrap().push(request);
    let says = says.lock().unwrap().clone();
    match says {
        Says::Raw(text) => drop(stream.write_all(text.as_bytes()).await),
        Says::Late(delay, text) => {
            tokio::time::sleep(delay).await;
            let _ = stream.write_all(text.as_bytes()).await;
        }
        Says::Endless => {
            let mut open = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while open.is_ok() {
                open = stream.write_all(&[b' '; 8192]).await;
            }
        }
        Says::Nothing => drop(stream.read_to_end(&mut Vec::new()).await),
    }
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if !matches!(stream.read_buf(&mut bytes).await, Ok(1..)) {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers: Vec<_> = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
    let mut asked = Asked { method, target, headers, body: bytes.split_off(end + 4) };
    let length = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
    while asked.body.len() < length {
        if !matches!(stream.read_buf(&mut asked.body).await, Ok(1..)) {
            return None;
        }
    }
    Some(asked)
}
