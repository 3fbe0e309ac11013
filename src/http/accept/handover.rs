//! How a stream leaves hyper. Nothing is said over HTTP/1.1 on a connection that is at a stream but its chunks, for hours; and all that hyper keeps for the next request, and
//! for the one before, would be kept for as long. So hyper writes the head of the response, and leaves.
//!
//! It asks for the body when it has encoded the head: then the chunks are put in here. And it flushes the socket when all that it had encoded is written: then they may be taken.

use std::{
    io::{self, IoSlice},
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::streamed::Chunks;

/// The stream of one connection, on its way.
#[derive(Clone, Default)]
pub(super) struct Handover(Arc<Mutex<Stage>>);

#[derive(Default)]
enum Stage {
    /// Other requests may come first.
    #[default]
    None,
    /// The head may not have been written as a whole.
    Encoded(Chunks),
    /// Nothing is left to hyper.
    Written(Chunks),
}

impl Handover {
    /// The head has been encoded.
    pub(super) fn begin(&self, chunks: Chunks) {
        *self.stage() = Stage::Encoded(chunks);
    }

    /// What is to be written from now on, once the head has been.
    pub(super) fn take(&self) -> Option<Chunks> {
        let mut stage = self.stage();
        match mem::take(&mut *stage) {
            Stage::Written(chunks) => Some(chunks),
            other => {
                *stage = other;
                None
            }
        }
    }

    fn flushed(&self) {
        let mut stage = self.stage();
        *stage = match mem::take(&mut *stage) {
            Stage::Encoded(chunks) => Stage::Written(chunks),
            other => other,
        };
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's bytes, as hyper has them: it is noted when they are flushed.
pub(super) struct Lent<Io> {
    io: Io,
    handover: Handover,
}

impl<Io> Lent<Io> {
    pub(super) fn new(io: Io, handover: Handover) -> Self {
        Self { io, handover }
    }

    pub(super) fn give_back(self) -> Io {
        self.io
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Lent<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Lent<Io> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(context);
        if let Poll::Ready(Ok(())) = flushed {
            self.handover.flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
