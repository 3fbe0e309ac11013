//! The language model that the chatbots ask: how long it takes to answer, now and then too long; and an endpoint that takes as long, for whoever watches it.

use std::{
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// From the request to a model to its first token.
const FIRST_TOKEN: Duration = Duration::from_millis(350);

/// For each token after the first: what a hosted model of medium size takes.
const PER_TOKEN: Duration = Duration::from_millis(12);

/// How long requests wait in line while more come than the model has room for.
const QUEUE: Duration = Duration::from_millis(5_500);

/// Between two times in which it is overloaded, and before the first.
pub(super) const QUIET: Duration = Duration::from_mins(1);

/// How long such a time lasts.
pub(super) const OVERLOAD: Duration = Duration::from_secs(30);

/// Somebody who only wants to know whether it is there gets a token.
const ANSWER: &str = r#"{"completion": "Yes", "usage": {"output_tokens": 1}}"#;

/// A model that all chatbots share.
#[derive(Clone, Debug, Default)]
pub struct Model {
    overloaded: Arc<AtomicBool>,
}

impl Model {
    /// How long an answer of so many tokens takes now.
    pub(super) fn answer_time(&self, tokens: u32) -> Duration {
        let queue = if self.overloaded.load(Ordering::Relaxed) { QUEUE } else { Duration::ZERO };
        queue + FIRST_TOKEN + PER_TOKEN * tokens
    }

    pub(super) fn set_overloaded(&self, overloaded: bool) {
        self.overloaded.store(overloaded, Ordering::Relaxed);
    }

    /// Answers over HTTP, as late as the chatbots are answered, until `end`. Returns where.
    ///
    /// # Errors
    /// When there is no free port on this machine.
    pub async fn serve(self, end: CancellationToken) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        tokio::spawn(end.run_until_cancelled_owned(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let model = self.clone();
                let answer = service_fn(move |_| {
                    let model = model.clone();
                    async move {
                        tokio::time::sleep(model.answer_time(1)).await;
                        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(ANSWER.as_bytes()))))
                    }
                });
                // Whoever breaks off has asked for nothing.
                tokio::spawn(
                    http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), answer),
                );
            }
        }));
        Ok(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_longer_for_more_tokens_and_when_many_ask() {
        let model = Model::default();
        assert_eq!([1, 101].map(|tokens| model.answer_time(tokens).as_millis()), [362, 1_562]);
        model.set_overloaded(true);
        assert_eq!(model.answer_time(1).as_millis(), 5_862);
        model.set_overloaded(false);
        assert_eq!(model.answer_time(1).as_millis(), 362);
    }
}
