//! A panic in one stream is nobody else's: its client is told to come back, and all others go on.

use std::panic::AssertUnwindSafe;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tracing::error;

use super::goodbye::unavailable;
use crate::gzip;

/// Ends what panics as if the server went away, for its client alone: it comes back, and goes on from its cursor.
pub(super) fn isolated(chunks: impl Stream<Item = Bytes> + Send, is_zipped: bool) -> impl Stream<Item = Bytes> + Send {
    // Nothing looks at the session after a panic, and what sessions share is behind locks that survive one.
    AssertUnwindSafe(chunks).catch_unwind().map(move |chunk| {
        chunk.unwrap_or_else(|_| {
            error!("a stream ended by a panic");
            goodbye(is_zipped)
        })
    })
}

/// In gzip it comes without a checksum: what had been written by then, nobody knows any more.
fn goodbye(is_zipped: bool) -> Bytes {
    let plain = unavailable();
    if !is_zipped {
        return plain.into();
    }
    let mut block = Vec::new();
    gzip::store(plain.as_bytes(), &mut block);
    block.into()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::GzDecoder;
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn a_panic_ends_its_own_stream_with_a_goodbye() {
        let chunks = stream::unfold(0, async |n| {
            assert!(n < 2, "planted");
            Some((Bytes::from(n.to_string()), n + 1))
        });
        let chunks: Vec<Bytes> = isolated(chunks, false).collect().await;
        assert_eq!(chunks[..2], ["0", "1"]);
        assert_eq!(chunks.len(), 3, "nothing comes after the goodbye");
        let goodbye = std::str::from_utf8(&chunks[2]).unwrap();
        assert!(goodbye.starts_with("retry: ") && goodbye.contains(r#""reason":"unavailable""#), "{goodbye}");
    }

    #[tokio::test]
    async fn who_reads_gzip_can_read_the_goodbye() {
        let mut first = Vec::new();
        gzip::Gzip::default().store(b"first", &mut first);
        let chunks = stream::once(async { Bytes::from(first) }).chain(stream::once(async { panic!("planted") }));
        let chunks: Vec<Bytes> = isolated(chunks, true).collect().await;
        let mut decoder = GzDecoder::new(Vec::new());
        decoder.write_all(&chunks.concat()).unwrap();
        decoder.flush().unwrap();
        let said = std::str::from_utf8(decoder.get_ref()).unwrap();
        assert!(said.starts_with("firstretry: ") && said.contains(r#""reason":"unavailable""#), "{said}");
    }
}
