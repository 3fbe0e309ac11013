//! The rest of a connection over HTTP/1.1 that is at a stream: the chunks, each in one write, until they end or the client goes. All that an idle stream keeps of its
//! connection is the socket.

use std::{
    io::{self, IoSlice, Write},
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::streamed::Chunks;

/// Up to here it costs less to copy a chunk beside its framing than to tell the kernel of three pieces.
const SMALL: usize = 2 * 1024;

/// The longest length in front of a chunk, in hexadecimal, and the end of its line.
const LENGTH: usize = size_of::<usize>() * 2 + LINE_END.len();
const LINE_END: &[u8] = b"\r\n";

/// How much of what the client says is thrown away before it is written to again.
const READ_AT_ONCE: usize = 1024;
const READS: usize = 8;

/// A stream and the socket it goes to. Completes when it has been written, or when the client has gone.
pub(super) struct Writer<Io> {
    io: Io,
    chunks: Chunks,
    /// The chunk that is being written; an empty one is the last, in HTTP as here.
    chunk: Option<Bytes>,
    /// How much of it, with its framing, has been.
    written: usize,
    ended: bool,
}

impl<Io: AsyncRead + AsyncWrite + Unpin> Writer<Io> {
    pub(super) fn new(io: Io, chunks: Chunks) -> Self {
        Self { io, chunks, chunk: None, written: 0, ended: false }
    }

    /// Whether the client has gone. It has nothing to say any more; what it says nevertheless would hide its going.
    fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut buffer = [MaybeUninit::uninit(); READ_AT_ONCE];
        for _ in 0..READS {
            let mut buffer = ReadBuf::uninit(&mut buffer);
            ready!(Pin::new(&mut self.io).poll_read(context, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
        // It goes on when it is its turn again.
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes what is left of the chunk.
    fn poll_written(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(chunk) = &self.chunk else { return Poll::Ready(Ok(())) };
        let mut length = [0; LENGTH];
        let mut room = &mut length[..];
        write!(room, "{:x}\r\n", chunk.len())?;
        let unused = room.len();
        let length = &length[..LENGTH - unused];
        loop {
            let mut passed = self.written;
            let pieces = [length, chunk, LINE_END].map(|piece| {
                let written = passed.min(piece.len());
                passed -= written;
                &piece[written..]
            });
            let left: usize = pieces.iter().map(|piece| piece.len()).sum();
            if left == 0 {
                break;
            }
            let io = Pin::new(&mut self.io);
            let written = if left <= SMALL {
                let mut whole = [0; SMALL];
                let mut room = &mut whole[..];
                pieces.iter().try_for_each(|piece| room.write_all(piece))?;
                ready!(io.poll_write(context, &whole[..left]))?
            } else {
                ready!(io.poll_write_vectored(context, &pieces.map(IoSlice::new)))?
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += written;
        }
        // What is encrypted may still be on this side of the socket.
        ready!(Pin::new(&mut self.io).poll_flush(context))?;
        (self.chunk, self.written) = (None, 0);
        Poll::Ready(Ok(()))
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> Future for Writer<Io> {
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let writer = self.get_mut();
        if writer.poll_gone(context)?.is_ready() {
            return Poll::Ready(Ok(()));
        }
        loop {
            ready!(writer.poll_written(context))?;
            if writer.ended {
                return Pin::new(&mut writer.io).poll_shutdown(context);
            }
            match ready!(writer.chunks.as_mut().poll_next(context)) {
                Some(chunk) if chunk.is_empty() => {}
                Some(chunk) => writer.chunk = Some(chunk),
                None => (writer.chunk, writer.ended) = (Some(Bytes::new()), true),
            }
        }
    }
}
