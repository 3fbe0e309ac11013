//! Compression: what it would save, and cost. A block that is flushed completely can be decoded without those before it, so one copy serves every client; a block that
//! leans on all before it is smaller, and needs a compressor for each client.
//!
//! Frames are conversations as a production service had them (sizes from a slice of Microsoft's `AzurePublicDataset`, CC BY 4.0; see `src/demo/trace/README.md`), with the
//! prose of this repository as their text, and small ones as in the other benchmarks.

use std::time::Instant;

use flate2::{Compress, Compression, FlushCompress};

use crate::{
    figures::{Figure, Figures, Goal},
    peers,
};

const FRAMES: usize = 2_000;
/// Frames of one write under load.
const WRITE: usize = 16;
const CHARACTERS_PER_TOKEN: usize = 4;
/// The fastest, and what most servers take.
const LEVELS: [u32; 2] = [1, 6];

/// How blocks are made.
#[derive(Clone, Copy)]
struct Way {
    name: &'static str,
    /// Frames in a block.
    frames: usize,
    flush: FlushCompress,
}

const WAYS: [Way; 3] = [
    Way { name: "each frame for all", frames: 1, flush: FlushCompress::Full },
    Way { name: "16 frames for all", frames: WRITE, flush: FlushCompress::Full },
    Way { name: "each frame for each client", frames: 1, flush: FlushCompress::Sync },
];

/// Measures bytes and processor time of every way and level.
pub(crate) fn measure(figures: &mut Figures, rounds: usize) {
    for (kind, frames) in [("320-byte frames", small()), ("conversations", conversations())] {
        for way in WAYS {
            for level in LEVELS {
                let measured: Vec<(f64, f64)> = (0..rounds).map(|_| round(&frames, way, level)).collect();
                let what = format!("compression, {kind}, {}, level {level}", way.name);
                let mut add = |unit, of: fn(&(f64, f64)) -> f64| {
                    let ours = measured.iter().map(of).collect();
                    figures.add(Figure { what: what.clone(), unit, ours, peer: None, goal: Goal::None });
                };
                add("% of the bytes", |measured| measured.0);
                add("µs CPU per frame", |measured| measured.1);
            }
        }
    }
}

/// Percent of the bytes, and microseconds for each frame.
#[expect(clippy::cast_precision_loss, reason = "some megabytes")]
fn round(frames: &[String], way: Way, level: u32) -> (f64, f64) {
    let mut compress = Compress::new(Compression::new(level), false);
    let mut block = Vec::with_capacity(256 * 1024);
    let (mut before, mut after) = (0, 0);
    let begun = Instant::now();
    for write in frames.chunks(way.frames) {
        let plain = write.concat();
        block.clear();
        compress.compress_vec(plain.as_bytes(), &mut block, way.flush).unwrap();
        before += plain.len();
        after += block.len();
    }
    let micros = begun.elapsed().as_secs_f64() * 1e6;
    (100.0 * after as f64 / before as f64, micros / frames.len() as f64)
}

fn small() -> Vec<String> {
    (1..=FRAMES as u64).map(|n| peers::frame(1_000_000 + n)).collect()
}

fn conversations() -> Vec<String> {
    let prose: Vec<char> = include_str!("../docs/architecture.md").chars().collect();
    let sizes = include_str!("../src/demo/trace/conversations.csv").lines().skip(1);
    let tokens = sizes.map(|line| line.rsplit(',').next().and_then(|tokens| tokens.parse::<usize>().ok()).unwrap());
    tokens
        .cycle()
        .take(FRAMES)
        .enumerate()
        .map(|(n, tokens)| {
            let length = (tokens * CHARACTERS_PER_TOKEN).min(prose.len() / 2);
            let start = fastrand::usize(..prose.len() - length);
            let content = serde_json::to_string(&prose[start..start + length].iter().collect::<String>()).unwrap();
            let (id, session) = (1_000_000 + n, fastrand::u64(..));
            format!(
                "id: {id}\nevent: conversation_activity\ndata: {{\"id\":\"{id}\",\"type\":\"conversation_activity\",\"timestamp\":\"2026-01-01T00:00:{:02}.{:06}Z\",\"organizationId\":\"o{}\",\"chatbotId\":\"{}\",\"sessionId\":\"{session:016x}\",\"priority\":\"medium\",\"operation\":\"INSERT\",\"source\":\"public.conversation_messages\",\"key\":\"{id}\",\"txid\":\"{}\",\"data\":{{\"messageId\": \"{id}\", \"messageType\": \"bot_response\", \"content\": {content}, \"status\": \"completed\", \"responseTime\": {}}}}}\n\n",
                n % 60,
                fastrand::u32(..1_000_000),
                fastrand::u8(..20),
                fastrand::u8(..50),
                5_000_000 + n,
                fastrand::u16(..)
            )
        })
        .collect()
}
