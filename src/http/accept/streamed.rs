//! A response that is a stream: chunks of bytes, each of them one write, that come when there is something to say.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::Stream;
use http_body_util::Either;
use hyper::{
    Response,
    body::{Body, Frame},
    header::{CONNECTION, HeaderValue},
};

use super::handover::Handover;

/// What is written, one after another, until it ends.
pub(super) type Chunks = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

/// The chunks of a response, in place of its body: an extension of the response. How they are written is up to the connection.
#[derive(Clone)]
pub struct Streamed(Arc<Mutex<Option<Chunks>>>);

impl Streamed {
    /// The response is these.
    pub fn new(chunks: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::pin(chunks)))))
    }

    fn take(&self) -> Option<Chunks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Streamed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Streamed").finish_non_exhaustive()
    }
}

/// The body of a response that is a stream. Where there is a handover, whoever asks it for the first frame gets none: the chunks are handed over.
pub(super) struct Streaming {
    chunks: Option<Chunks>,
    handover: Option<Handover>,
}

/// Gives a response that is a stream its body. With a `handover` the connection ends with it, and says so.
pub(super) fn with_body<B>(mut response: Response<B>, handover: Option<Handover>) -> Response<Either<B, Streaming>> {
    let streamed: Option<Streamed> = response.extensions_mut().remove();
    let Some(chunks) = streamed.and_then(|streamed| streamed.take()) else { return response.map(Either::Left) };
    if handover.is_some() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response.map(|_| Either::Right(Streaming { chunks: Some(chunks), handover }))
}

impl Body for Streaming {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(handover) = self.handover.take() {
            self.chunks.take().into_iter().for_each(|chunks| handover.begin(chunks));
        }
        // Once they are handed over nobody is told anything here.
        let Some(chunks) = &mut self.chunks else { return Poll::Pending };
        chunks.as_mut().poll_next(context).map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk))))
    }
}
