//! placeholder
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
#[derive(Default)]
pub struct Options;
pub async fn serve<S>(listener: TcpListener, service: S, _: Options, shutdown: CancellationToken)
where
    S: Clone + Send + 'static,
    TowerToHyperService<S>: hyper::service::Service<
            hyper::Request<hyper::body::Incoming>,
            Response = warp::reply::Response,
            Error = std::convert::Infallible,
        >,
    <TowerToHyperService<S> as hyper::service::Service<hyper::Request<hyper::body::Incoming>>>::Future: Send,
{
    loop {
        let (io, _) = tokio::select! { a = listener.accept() => a.unwrap(), () = shutdown.cancelled() => return };
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(io), service).await;
        });
    }
}
