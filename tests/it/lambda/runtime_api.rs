//! AWS Lambda in miniature: the Runtime API that the Lambda Web Adapter speaks to, and the Function URL that clients speak to.
//!
//! As in Lambda, an environment serves one request at a time, the answer is handed on as it is made, and what the environment does between two
//! requests is nobody's business. Written from the documentation of the Runtime API, version 2018-06-01, and of response streaming.

use std::{
    collections::HashMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, BodyStream, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Mutex as AsyncMutex, mpsc, oneshot},
};

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What separates the description of the answer from its body.
const DELIMITER: [u8; 8] = [0; 8];

/// A request on its way into an environment.
struct Invocation {
    event: Value,
    answer: oneshot::Sender<Response<Body>>,
}

/// One environment's Runtime API, with the Function URL in front of it.
pub(super) struct RuntimeApi {
    /// What the adapter is told: `host:port`.
    pub(super) address: SocketAddr,
    /// Where clients go.
    pub(super) function_url: String,
}

struct Shared {
    queue: AsyncMutex<mpsc::UnboundedReceiver<Invocation>>,
    invocations: mpsc::UnboundedSender<Invocation>,
    /// Those that the environment works on.
    answers: Mutex<HashMap<String, oneshot::Sender<Response<Body>>>>,
}

impl RuntimeApi {
    /// Listens on two ports of loopback, until the test's runtime ends.
    pub(super) async fn start() -> Self {
        let (invocations, queue) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared { queue: AsyncMutex::new(queue), invocations, answers: Mutex::default() });
        let runtime = Arc::clone(&shared);
        let address = serve(move |request| {
            let shared = Arc::clone(&runtime);
            async move { shared.for_the_adapter(request).await }
        })
        .await;
        let url = serve(move |request| {
            let shared = Arc::clone(&shared);
            async move { shared.for_clients(&request).await }
        })
        .await;
        Self { address, function_url: format!("http://{url}") }
    }
}

async fn serve<F>(handler: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static) -> SocketAddr
where
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let handler = handler.clone();
            let service = service_fn(move |request| {
                let answer = handler(request);
                async move { Ok::<_, Infallible>(answer.await) }
            });
            // A connection that breaks is an environment that was killed.
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

impl Shared {
    async fn for_clients(&self, request: &Request<Incoming>) -> Response<Body> {
        let headers: HashMap<_, _> =
            request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        let path = request.uri().path();
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path,
            "rawQueryString": request.uri().query().unwrap_or_default(), "headers": headers, "isBase64Encoded": false,
            "requestContext": {
                "accountId": "anonymous", "apiId": "rowcast", "domainName": "rowcast.lambda-url.eu-west-1.on.aws",
                "domainPrefix": "rowcast", "requestId": "request", "routeKey": "$default", "stage": "$default",
                "time": "23/Nov/2026:16:00:00 +0000", "timeEpoch": 1_795_449_600_000_u64,
                "http": {"method": request.method().as_str(), "path": path, "protocol": "HTTP/1.1",
                         "sourceIp": "127.0.0.1", "userAgent": "test"},
            },
        });
        let (answer, answered) = oneshot::channel();
        self.invocations.send(Invocation { event, answer }).unwrap();
        // Lambda answers for an environment that died before it did.
        answered.await.unwrap_or_else(|_| empty(StatusCode::BAD_GATEWAY))
    }

    async fn for_the_adapter(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let path: Vec<&str> = path.split('/').skip(2).collect();
        match (request.method(), path.as_slice()) {
            (&Method::POST, ["extension", "register"]) => {
                Response::builder().header("Lambda-Extension-Identifier", "adapter").body(full("{}".into())).unwrap()
            }
            // Extensions wait here for a shutdown that a killed environment never hears of.
            (&Method::GET, ["extension", "event", "next"]) => std::future::pending().await,
            (&Method::GET, ["runtime", "invocation", "next"]) => self.next().await,
            (&Method::POST, ["runtime", "invocation", id, "response"]) => self.hand_on(id, request).await,
            (method, path) => panic!("the adapter asked for {method} {path:?}"),
        }
    }

    async fn next(&self) -> Response<Body> {
        let invocation = self.queue.lock().await.recv().await.unwrap();
        let id = format!("{:032x}", fastrand::u128(..));
        self.answers.lock().unwrap().insert(id.clone(), invocation.answer);
        Response::builder()
            .header("Lambda-Runtime-Aws-Request-Id", id)
            .header("Lambda-Runtime-Deadline-Ms", "4102444800000")
            .header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:1:function:rowcast")
            .body(full(invocation.event.to_string()))
            .unwrap()
    }

    /// Hands the answer on as it comes: first its description, then the body, frame by frame.
    async fn hand_on(&self, id: &str, request: Request<Incoming>) -> Response<Body> {
        let mode = request.headers().get("lambda-runtime-function-response-mode");
        assert_eq!(mode.unwrap(), "streaming", "the adapter collects the answer");
        let answer = self.answers.lock().unwrap().remove(id).expect("an answer to a request that was never made");
        let mut frames = BodyStream::new(request.into_body());
        let mut head = BytesMut::new();
        let end = loop {
            if let Some(end) = head.windows(DELIMITER.len()).position(|window| window == DELIMITER) {
                break end;
            }
            head.extend_from_slice(&frames.next().await.unwrap().unwrap().into_data().unwrap());
        };
        let body = head.split_off(end + DELIMITER.len()).freeze();
        let description: Value = serde_json::from_slice(&head[..end]).unwrap();
        let mut response =
            Response::builder().status(u16::try_from(description["statusCode"].as_u64().unwrap()).unwrap());
        for (name, value) in description["headers"].as_object().unwrap() {
            response = response.header(name, value.as_str().unwrap());
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        let rest = stream::unfold(receiver, async |mut frames| Some((frames.recv().await?, frames)));
        let body = stream::iter((!body.is_empty()).then_some(body)).chain(rest);
        let body = StreamBody::new(body.map(|data| Ok::<_, Infallible>(Frame::data(data)))).boxed_unsync();
        // The client may have gone away, which in Lambda ends nothing: the environment is at work until its answer is complete.
        let _ = answer.send(response.body(body).unwrap());
        while let Some(Ok(frame)) = frames.next().await {
            if let Ok(data) = frame.into_data() {
                let _ = sender.send(data);
            }
        }
        empty(StatusCode::ACCEPTED)
    }
}

fn full(text: String) -> Body {
    Full::new(Bytes::from(text)).boxed_unsync()
}

fn empty(status: StatusCode) -> Response<Body> {
    Response::builder().status(status).body(full(String::new())).unwrap()
}
