//! A stream as gzip, with blocks that are compressed once for all its readers.
//!
//! A deflate block after a full flush begins at a byte and refers to nothing before it. So a frame that many may see is compressed once, and spliced into
//! the stream of each, whatever else each has been sent. What is for one reader alone is stored as it is: no reader has a compressor of its own,
//! only the checksum that the [format] asks for at the end.
//!
//! [format]: https://www.rfc-editor.org/rfc/rfc1952

use std::cell::RefCell;

use flate2::{Compress, Compression, Crc, FlushCompress};

/// Identification, deflate, no flags, no time, nothing said of the effort, of any system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The header of a block that is stored, not the last one; two lengths follow.
const STORED: u8 = 0;

/// An empty block, which is the last one.
const LAST: [u8; 5] = [1, 0, 0, 0xff, 0xff];

/// Frames are made once and sent often, but someone waits for them.
const LEVEL: Compression = Compression::new(6);

thread_local! {
    /// It is large, and as good as new after every block.
    static COMPRESSOR: RefCell<Compress> = RefCell::new(Compress::new(LEVEL, false));
}

/// A block that can stand anywhere in a stream.
#[must_use]
pub fn compress(plain: &[u8]) -> Vec<u8> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        compressor.reset();
        let mut block = Vec::with_capacity(plain.len() / 2 + 64);
        loop {
            let read = usize::try_from(compressor.total_in()).unwrap_or(usize::MAX);
            // It fails for streams that have ended, and this one never does.
            let _ = compressor.compress_vec(&plain[read..], &mut block, FlushCompress::Full);
            // It is through when it had more room than it took.
            if block.len() < block.capacity() {
                return block;
            }
            block.reserve(block.len());
        }
    })
}

/// Something for one reader alone, as it is. It can stand anywhere in a stream, too.
pub fn store(plain: &[u8], stream: &mut Vec<u8>) {
    for piece in plain.chunks(usize::from(u16::MAX)) {
        let length = u16::try_from(piece.len()).unwrap_or(u16::MAX);
        stream.push(STORED);
        stream.extend_from_slice(&length.to_le_bytes());
        stream.extend_from_slice(&(!length).to_le_bytes());
        stream.extend_from_slice(piece);
    }
}

/// One reader's stream.
#[derive(Debug, Default)]
pub struct Gzip {
    has_begun: bool,
    checksum: Crc,
}

impl Gzip {
    /// Writes what has been compressed: `block` is [`compress`]ed `plain`.
    pub fn write(&mut self, plain: &[u8], block: &[u8], stream: &mut Vec<u8>) {
        self.begin(stream);
        self.checksum.update(plain);
        stream.extend_from_slice(block);
    }

    /// Writes something that is for this reader alone.
    pub fn store(&mut self, plain: &[u8], stream: &mut Vec<u8>) {
        self.begin(stream);
        self.checksum.update(plain);
        store(plain, stream);
    }

    /// Writes the end: nothing comes after it.
    pub fn end(&mut self, stream: &mut Vec<u8>) {
        self.begin(stream);
        stream.extend_from_slice(&LAST);
        stream.extend_from_slice(&self.checksum.sum().to_le_bytes());
        stream.extend_from_slice(&self.checksum.amount().to_le_bytes());
    }

    fn begin(&mut self, stream: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.has_begun, true) {
            stream.extend_from_slice(&HEADER);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::{Decompress, FlushDecompress, read::GzDecoder};
    use proptest::prelude::*;

    use super::*;

    fn decoded(stream: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        GzDecoder::new(stream).read_to_end(&mut plain).unwrap();
        plain
    }

    #[derive(Clone, Debug)]
    enum Write {
        Shared(Vec<u8>),
        Own(Vec<u8>),
    }

    fn writes() -> impl Strategy<Value = Vec<Write>> {
        let bytes = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..400),
            "[a-e\n]{0,2000}".prop_map(String::into_bytes),
            (60_000..140_000_usize).prop_map(|length| vec![b'x'; length]),
        ];
        let write = prop_oneof![bytes.clone().prop_map(Write::Shared), bytes.prop_map(Write::Own)];
        prop::collection::vec(write, 0..12)
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_whatever_is_beside_it(writes in writes()) {
            let (mut gzip, mut stream, mut plain) = (Gzip::default(), Vec::new(), Vec::new());
            for write in &writes {
                match write {
                    Write::Shared(bytes) => gzip.write(bytes, &compress(bytes), &mut stream),
                    Write::Own(bytes) => gzip.store(bytes, &mut stream),
                }
                let (Write::Shared(bytes) | Write::Own(bytes)) = write;
                plain.extend_from_slice(bytes);
            }
            gzip.end(&mut stream);
            prop_assert!(decoded(&stream) == plain);
        }
    }

    #[test]
    fn everything_can_be_read_as_soon_as_it_was_written() {
        let (mut gzip, mut stream) = (Gzip::default(), Vec::new());
        let mut reader = Decompress::new(false);
        let mut read = Vec::with_capacity(10_000);
        for n in 0..20 {
            let frame = format!("event: a\ndata: {n}\n\n").into_bytes();
            let before = stream.len().max(HEADER.len());
            gzip.write(&frame, &compress(&frame), &mut stream);
            reader.decompress_vec(&stream[before..], &mut read, FlushDecompress::Sync).unwrap();
            assert!(read.ends_with(&frame), "frame {n}");
        }
    }

    #[test]
    fn one_that_says_nothing_is_a_stream_too() {
        let mut stream = Vec::new();
        Gzip::default().end(&mut stream);
        assert!(decoded(&stream).is_empty());
    }
}
