//! Streams as gzip: the same events, as soon as they are written, for those who take it and nobody else.

use std::io::Write;

use flate2::write::GzDecoder;
use reqwest::{Response, header};

use crate::{
    documents::{insert, prepare},
    harness::{self, Database, Server},
};

const COMPRESSION: (&str, &str) = ("ROWCAST_COMPRESSION", "true");

async fn ask(server: &Server, user: &str, accept: &str) -> Response {
    let request =
        reqwest::Client::builder().no_proxy().build().unwrap().get(format!("{}/api/v1/realtime/sse", server.url()));
    let answer =
        request.bearer_auth(harness::token(user)).header(header::ACCEPT_ENCODING, accept).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer
}

async fn open(server: &Server, user: &str, accept: &str) -> Response {
    let answer = ask(server, user, accept).await;
    assert!(answer.headers().get_all(header::VARY).iter().any(|vary| vary == "accept-encoding"), "{answer:?}");
    answer
}

/// A stream, as far as it has been read.
struct Zipped {
    answer: Response,
    decoder: GzDecoder<Vec<u8>>,
    received: usize,
}

impl Zipped {
    async fn open(server: &Server, user: &str) -> Self {
        let answer = open(server, user, "br, gzip").await;
        assert_eq!(answer.headers()[header::CONTENT_ENCODING], "gzip");
        Self { answer, decoder: GzDecoder::new(Vec::new()), received: 0 }
    }

    fn text(&self) -> &str {
        std::str::from_utf8(self.decoder.get_ref()).unwrap()
    }

    /// Reads until it says so: nothing more has to come for it.
    async fn until(&mut self, said: &str) {
        while !self.text().contains(said) {
            self.read().await.unwrap_or_else(|| panic!("{said} did not come"));
        }
    }

    async fn read(&mut self) -> Option<()> {
        let bytes = tokio::time::timeout(harness::PATIENCE, self.answer.chunk()).await.unwrap().unwrap()?;
        self.received += bytes.len();
        self.decoder.write_all(&bytes).unwrap();
        self.decoder.flush().unwrap();
        Some(())
    }
}

#[tokio::test]
async fn who_takes_gzip_is_told_the_same_at_once_and_to_the_end() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let server = Server::start_with(&db, &[COMPRESSION]).await;
    // Two with equal rights, who share what is compressed, and one who takes no gzip.
    let (mut ann, mut again) = (Zipped::open(&server, "ann").await, Zipped::open(&server, "ann").await);
    let mut plain = open(&server, "ann", "gzip;q=0").await;
    assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
    for stream in [&mut ann, &mut again] {
        stream.until("\"status\":\"connected\"").await;
    }
    for n in 1..=5 {
        insert(&app, n, "o1").await;
        for stream in [&mut ann, &mut again] {
            stream.until(&format!("\"key\":\"{n}\"")).await;
        }
    }
    let mut said = String::new();
    while !said.contains("\"key\":\"5\"") {
        said.push_str(std::str::from_utf8(&plain.chunk().await.unwrap().unwrap()).unwrap());
    }
    let data = |text: &str| text.lines().filter(|line| line.contains("\"key\"")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(data(ann.text()), data(&said));
    assert_eq!(data(again.text()), data(&said));
    server.stop().await;
    for stream in [&mut ann, &mut again] {
        while stream.read().await.is_some() {}
        assert!(stream.text().contains("\"reason\":\"unavailable\""), "{}", stream.text());
        // The checksum is right, or this fails.
        stream.decoder.try_finish().unwrap();
    }
}

#[tokio::test]
async fn what_comes_together_takes_a_fraction() {
    let db = Database::new().await;
    let app = prepare(&db).await;
    let server = Server::start_with(&db, &[COMPRESSION]).await;
    let mut ann = Zipped::open(&server, "ann").await;
    ann.until("\"status\":\"connected\"").await;
    let before = (ann.received, ann.text().len());
    let many = "INSERT INTO documents (id, organization_id, title) SELECT n, 'o1', 'report ' || n FROM generate_series(1, 500) n";
    app.batch_execute(many).await.unwrap();
    ann.until("\"key\":\"500\"").await;
    let (received, read) = (ann.received - before.0, ann.text().len() - before.1);
    assert!(received * 4 < read, "{received} bytes for {read}");
    server.stop().await;
}

#[tokio::test]
async fn without_the_setting_nobody_is_sent_gzip() {
    let db = Database::new().await;
    prepare(&db).await;
    let server = Server::start(&db).await;
    let answer = ask(&server, "ann", "gzip").await;
    assert!(!answer.headers().contains_key(header::CONTENT_ENCODING), "{answer:?}");
    drop(answer);
    server.stop().await;
}
