//! Something that is asked over HTTP: a vector store, the API of a language model.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::{
    Client, Method, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};

use super::{
    Measured, Misconfigured,
    exchange::{client, exchange, place},
    figure::{Figure, Reading},
    milliseconds,
};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where.
    pub url: String,
    /// None: POST where there is a body, GET where there is none.
    pub method: Option<String>,
    /// JSON.
    pub body: Option<String>,
    /// Beside the usual ones.
    pub headers: HeaderMap,
}

/// Asks it.
pub struct Probe {
    client: Client,
    url: Url,
    method: Method,
    headers: HeaderMap,
    body: Option<Bytes>,
    figure: Figure,
    patience: Duration,
}

impl Probe {
    /// One that gives up after `patience`; `setting` is what a refusal calls it.
    ///
    /// # Errors
    /// When that is no request that could be sent.
    pub fn new(
        setting: &'static str,
        request: Request,
        figure: Figure,
        patience: Duration,
    ) -> Result<Self, Misconfigured> {
        let url: Url = request.url.parse().map_err(|_| Misconfigured::Url(setting))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(Misconfigured::Url(setting));
        }
        let method = request.method.as_deref().unwrap_or(if request.body.is_some() { "POST" } else { "GET" });
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| Misconfigured::Method(setting))?;
        let mut headers = request.headers;
        if request.body.is_some() {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        }
        let client = client(&url).map_err(Misconfigured::Client)?;
        Ok(Self { client, url, method, headers, body: request.body.map(Bytes::from), figure, patience })
    }

    /// What it measures.
    #[must_use]
    pub fn figure(&self) -> Figure {
        self.figure
    }

    /// Measures, from connecting to the end of the answer.
    pub async fn measure(&self) -> Measured {
        let mut request = self.client.request(self.method.clone(), self.url.clone()).headers(self.headers.clone());
        if let Some(body) = &self.body {
            request = request.body(body.clone());
        }
        let started = Instant::now();
        let answer = exchange(request, &place(&self.url), self.patience).await;
        let took = milliseconds(started.elapsed());
        let reading = match answer {
            Ok(_) => Reading::Value(took),
            Err(why) => Reading::Failed { after: took, why },
        };
        (self.figure, reading)
    }
}
