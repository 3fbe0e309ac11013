//! What every request and every answer goes through, whichever route is between: where the client is, which pages may read the answer, what browsers have to refuse.

use std::{convert::Infallible, pin::Pin, sync::Arc};

use hyper::{Request, body::Incoming, service::Service};
use warp::reply::Response;

use super::{
    accept::Peer,
    address::TrustedProxies,
    origin::{self, Origins},
    security::secure,
};

/// The paths that pages of other origins may be allowed to use.
const API: &str = "/api/";

/// What is the same for all requests.
#[derive(Debug, Default)]
pub struct Rules {
    /// Whose word on client addresses is taken.
    pub proxies: TrustedProxies,
    /// Which other origins' pages may use the API.
    pub origins: Origins,
    /// Whether we speak TLS ourselves.
    pub is_https: bool,
}

/// The routes behind their rules.
#[derive(Clone)]
pub struct Edge<S> {
    service: S,
    rules: Arc<Rules>,
}

impl<S> Edge<S> {
    /// Puts `service` behind these rules.
    pub fn new(service: S, rules: Rules) -> Self {
        Self { service, rules: Arc::new(rules) }
    }
}

impl<S> Service<Request<Incoming>> for Edge<S>
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let rules = Arc::clone(&self.rules);
        if let Some(&Peer(peer)) = request.extensions().get() {
            let client = rules.proxies.client(peer, request.headers());
            tracing::Span::current().record("client", tracing::field::display(client.0));
            request.extensions_mut().insert(client);
        }
        let is_api = request.uri().path().starts_with(API);
        let origin = rules.origins.allowed(request.headers()).filter(|_| is_api).cloned();
        let preflight = origin.is_some() && origin::is_preflight(request.method(), request.headers());
        let answering = (!preflight).then(|| self.service.call(request));
        Box::pin(async move {
            let mut answer = match answering {
                Some(answering) => answering.await?,
                None => origin::preflight(),
            };
            if is_api {
                rules.origins.label(answer.headers_mut(), origin.as_ref());
            }
            secure(answer.headers_mut(), rules.is_https);
            Ok(answer)
        })
    }
}
