//! rowcast measured, beside what it is compared with: each subcommand is a row of the table in `docs/performance.md`.
//!
//! Server, peer, database and clients share one machine, and it is rarely ours alone: so all that is compared runs in alternating rounds of one run, and
//! ratios of medians are what counts. What is measured stands in the file of its subcommand; `load/` are the clients, `peers/` whom they are clients of.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on has failed, and tells what it has seen"
)]

mod capture;
mod capture_parts;
mod compression;
mod fan_out;
mod figures;
mod latency;
mod load;
mod machine;
mod memory;
mod organizations;
mod paced;
mod peers;
mod postgres;
mod process;
mod replay;
mod storm;

use clap::{Parser, Subcommand};
use figures::Figures;

#[derive(Parser)]
#[command(about = "Measures rowcast, and prints a table. Nothing but loopback is touched.")]
struct Arguments {
    #[command(subcommand)]
    what: What,

    /// Rounds of everything; their medians are what is told.
    #[arg(long, global = true)]
    rounds: Option<usize>,

    /// What cargo gives to every benchmark.
    #[arg(long, global = true, hide = true)]
    bench: bool,
}

#[derive(Subcommand, Clone, Copy)]
enum What {
    /// Every row, one after another.
    All,
    /// The most important rows, shortly: less than a minute.
    Quick,
    /// Deliveries a second, and processor time for each, with 100, 1,000 and 9,000 clients.
    FanOut,
    /// How long deliveries take at 50 events a second to 1,000 clients.
    Paced,
    /// Memory for each idle stream, fresh and after everybody has come back ten times.
    Memory,
    /// From a commit to a client, with 1, 100 and 1,000 clients, idle and beside 1,000 commits a second.
    Latency,
    /// What an event for five costs beside 10,000 who are connected, and beside 100.
    Organizations,
    /// What capturing costs writers: 1, 16 and 32 of single rows, and one of many rows at once.
    Capture,
    /// What the trigger is made of.
    CaptureParts,
    /// What it would bring to compress frames, once for all clients or for each.
    Compression,
    /// A million rows to a client that comes back, beside COPY; a bulk load to one that listens.
    Replay,
    /// 5,000 clients that come back after a restart.
    Storm,
    /// Serves frames to whoever connects, in the cheapest way there is: what the others are compared with.
    #[command(hide = true)]
    LowerBound {
        /// All frames that wait in one write, instead of one write for each.
        #[arg(long)]
        batched: bool,
    },
}

fn main() {
    let Arguments { what, rounds, .. } = Arguments::parse();
    if let What::LowerBound { batched } = what {
        return peers::lower_bound::serve(batched);
    }
    let mut figures = Figures::default();
    let rounds = rounds.unwrap_or(3);
    match what {
        What::All => {
            fan_out::measure(&mut figures, &fan_out::WHOLE, rounds);
            paced::measure(&mut figures, rounds);
            memory::measure(&mut figures, &memory::WHOLE, 1);
            latency::measure(&mut figures, rounds);
            organizations::measure(&mut figures, rounds);
            replay::measure(&mut figures, rounds);
            storm::measure(&mut figures, rounds);
            capture::measure(&mut figures, rounds);
            capture_parts::measure(&mut figures, rounds);
            compression::measure(&mut figures, rounds);
        }
        What::Quick => {
            fan_out::measure(&mut figures, &fan_out::QUICK, 1);
            memory::measure(&mut figures, &memory::QUICK, 1);
        }
        What::FanOut => fan_out::measure(&mut figures, &fan_out::WHOLE, rounds),
        What::Paced => paced::measure(&mut figures, rounds),
        What::Memory => memory::measure(&mut figures, &memory::WHOLE, rounds),
        What::Latency => latency::measure(&mut figures, rounds),
        What::Compression => compression::measure(&mut figures, rounds),
        What::Organizations => organizations::measure(&mut figures, rounds),
        What::Replay => replay::measure(&mut figures, rounds),
        What::Storm => storm::measure(&mut figures, rounds),
        What::Capture => capture::measure(&mut figures, rounds),
        What::CaptureParts => capture_parts::measure(&mut figures, rounds),
        What::LowerBound { .. } => {}
    }
    figures.report();
}
