//! What is handed to the socket at once: all frames that wait, the last of them with the cursor.

use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;

use crate::{
    cursor::Cursor,
    gzip::{self, Gzip},
    sse,
};

/// About as much as is written at once: more wins nothing, and every slow client holds one such piece.
pub(super) const CHUNK_BYTES: usize = 64 * 1024;

/// What is written at once.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    /// The frames.
    pub(super) bytes: Bytes,
    /// Of how many events.
    pub(super) events: usize,
    /// When the row of the first of them was written; none if there are no events.
    pub(super) oldest: Option<Timestamp>,
    /// What a client has seen that has read it.
    pub(super) cursor: Arc<Cursor>,
    /// The frames for those who take gzip, made when the first of them comes.
    block: Arc<OnceLock<Bytes>>,
}

/// What a stream says.
pub(super) enum Said {
    /// Of itself.
    Own(Bytes),
    /// What others may be told, too.
    Shared(Chunk),
}

impl Chunk {
    /// These frames; `oldest` is that of the first. Without any it is what only moves the cursor.
    pub(super) fn of(frames: &[Bytes], oldest: Option<Timestamp>, cursor: Arc<Cursor>) -> Self {
        let Some((last, others)) = frames.split_last() else {
            return Self { bytes: heartbeat(&cursor), events: 0, oldest, cursor, block: Arc::default() };
        };
        let id = sse::id_line(&cursor);
        let mut bytes = BytesMut::with_capacity(id.len() + frames.iter().map(Bytes::len).sum::<usize>());
        for frame in others {
            bytes.extend_from_slice(frame);
        }
        // With the last one: then all that the cursor claims has been written.
        bytes.extend_from_slice(id.as_bytes());
        bytes.extend_from_slice(last);
        Self { bytes: bytes.freeze(), events: frames.len(), oldest, cursor, block: Arc::default() }
    }
}

impl Said {
    /// As it is.
    pub(super) fn plain(self) -> Bytes {
        match self {
            Self::Own(bytes) => bytes,
            Self::Shared(chunk) => chunk.bytes,
        }
    }

    /// For a reader who takes gzip; `is_last` if nothing comes after it.
    pub(super) fn zipped(&self, gzip: &mut Gzip, is_last: bool) -> Bytes {
        let mut stream = Vec::new();
        match self {
            Self::Own(bytes) => gzip.store(bytes, &mut stream),
            Self::Shared(chunk) => {
                let block = chunk.block.get_or_init(|| gzip::compress(&chunk.bytes).into());
                gzip.write(&chunk.bytes, block, &mut stream);
            }
        }
        if is_last {
            gzip.end(&mut stream);
        }
        stream.into()
    }
}

impl From<Bytes> for Said {
    fn from(bytes: Bytes) -> Self {
        Self::Own(bytes)
    }
}

/// What moves the cursor, and shows that the stream is alive.
pub(super) fn heartbeat(cursor: &Cursor) -> Bytes {
    (sse::id_line(cursor) + sse::HEARTBEAT).into()
}
