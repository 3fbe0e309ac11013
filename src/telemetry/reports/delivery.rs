//! The way of envelopes to Sentry: a short queue, and a task that sends one after the other by our own client. Whoever has something to tell never waits.

use std::{
    sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    time::{Duration, Instant},
};

use bytes::Bytes;
use hyper::{Request, Response, StatusCode, header};
use sentry::{Envelope, Transport, types::Dsn};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tracing::{debug, warn};

use crate::client;

/// How many envelopes wait. More than that are dropped: they are of the same trouble.
const QUEUE: usize = 32;

/// How long Sentry is left alone when it wants that, and does not say for how long; and when it cannot be reached.
const PAUSE: Duration = Duration::from_mins(1);
const RETRY: Duration = Duration::from_secs(10);

/// What the task is given.
enum Item {
    Envelope(Bytes),
    /// Tell when you come to this.
    Mark(SyncSender<()>),
}

/// The queue's end for whoever has something to tell.
pub(super) struct Delivery(Sender<Item>);

impl Delivery {
    /// Begins to send to where the DSN says, on the runtime that this is called in.
    pub(super) fn new(dsn: &Dsn) -> Self {
        let (sender, receiver) = channel(QUEUE);
        let auth = dsn.to_auth(Some(concat!("rowcast/", env!("CARGO_PKG_VERSION")))).to_string();
        tokio::spawn(deliver(receiver, dsn.envelope_api_url().to_string(), auth));
        Self(sender)
    }
}

impl Transport for Delivery {
    fn send_envelope(&self, envelope: Envelope) {
        let mut bytes = Vec::new();
        if envelope.to_writer(&mut bytes).is_ok() {
            // Full: dropped.
            let _ = self.0.try_send(Item::Envelope(bytes.into()));
        }
    }

    fn flush(&self, timeout: Duration) -> bool {
        if timeout.is_zero() {
            return false;
        }
        let deadline = Instant::now() + timeout;
        let (sender, receiver) = sync_channel(1);
        let mut mark = Item::Mark(sender);
        while let Err(full) = self.0.try_send(mark) {
            if Instant::now() > deadline {
                return false;
            }
            mark = full.into_inner();
            std::thread::sleep(Duration::from_millis(10));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        receiver.recv_timeout(left) != Err(RecvTimeoutError::Timeout)
    }
}

async fn deliver(mut queue: Receiver<Item>, url: String, auth: String) {
    let mut not_before = Instant::now();
    let mut failing = false;
    while let Some(item) = queue.recv().await {
        let envelope = match item {
            Item::Envelope(envelope) => envelope,
            Item::Mark(reached) => {
                // Whoever waited may have given up.
                let _ = reached.try_send(());
                continue;
            }
        };
        if Instant::now() < not_before {
            continue;
        }
        let request = Request::post(&url)
            .header(header::CONTENT_TYPE, "application/x-sentry-envelope")
            .header("X-Sentry-Auth", &auth)
            .body(envelope);
        let Ok(request) = request else { return };
        match client::send(request).await {
            Ok(answer) => {
                failing = false;
                debug!(status = answer.status().as_u16(), "told Sentry");
                not_before = Instant::now() + pause(&answer);
            }
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    warn!(%error, "Sentry cannot be told of errors; what comes meanwhile is only logged");
                }
                not_before = Instant::now() + RETRY;
            }
        }
    }
}

/// For how long Sentry wants to hear nothing.
fn pause<B>(answer: &Response<B>) -> Duration {
    if answer.status() != StatusCode::TOO_MANY_REQUESTS {
        return Duration::ZERO;
    }
    let seconds = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    seconds.map_or(PAUSE, Duration::from_secs).min(60 * PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn nobody_waits_for_a_sentry_that_says_nothing_and_the_end_not_for_long() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let dsn = format!("http://key@{}/1", silent.local_addr().unwrap()).parse().unwrap();
        let delivery = Delivery::new(&dsn);
        let begun = Instant::now();
        // Far more than there is room for.
        (0..1_000).for_each(|_| delivery.send_envelope(sentry::protocol::Event::new().into()));
        assert!(!delivery.flush(Duration::ZERO));
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        assert!(!delivery.flush(Duration::from_millis(200)), "there is something left");
        assert!(begun.elapsed() < client::PATIENCE, "{:?}", begun.elapsed());
    }

    #[test]
    fn sentry_is_left_alone_for_as_long_as_it_says() {
        let answer = |status: u16, after: &str| {
            Response::builder().status(status).header("Retry-After", after).body(()).unwrap()
        };
        assert_eq!(pause(&answer(200, "7")), Duration::ZERO);
        assert_eq!(pause(&answer(429, "7")), Duration::from_secs(7));
        assert_eq!(pause(&answer(429, "soon")), PAUSE);
        assert_eq!(pause(&answer(429, "999999999")), 60 * PAUSE);
    }
}
