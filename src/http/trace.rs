//! What is told of each request: method, path, status, duration, and by the edge where the client is. Never the query or a header, which may carry a token.

use std::{pin::Pin, sync::Arc, time::Instant};

use hyper::{Request, Response, body::Incoming, service::Service};
use tracing::{Instrument, debug, field::Empty, info_span};

use crate::metrics::Metrics;

/// A service whose requests are counted, and have a span up to where the answer begins: a stream has one of its own.
#[derive(Clone)]
pub struct Traced<S> {
    service: S,
    metrics: Arc<Metrics>,
}

impl<S> Traced<S> {
    /// Tells of the requests to `service`.
    pub fn new(service: S, metrics: Arc<Metrics>) -> Self {
        Self { service, metrics }
    }
}

impl<S, B> Service<Request<Incoming>> for Traced<S>
where
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: 'static,
    B: 'static,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, S::Error>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let path = request.uri().path();
        let span =
            info_span!(parent: None, "request", method = %request.method(), path, client = Empty, status = Empty);
        let (metrics, begun) = (Arc::clone(&self.metrics), Instant::now());
        let answering = span.in_scope(|| self.service.call(request));
        let traced = async move {
            let answered = answering.await;
            if let Ok(response) = &answered {
                let status = response.status().as_u16();
                metrics.response(status);
                tracing::Span::current().record("status", status);
                debug!(status, elapsed = ?begun.elapsed(), "answered");
            }
            answered
        };
        Box::pin(traced.instrument(span))
    }
}
