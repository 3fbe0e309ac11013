//! One client: replay → splice → live.
//!
//! A reader is a position in the log and a cursor: it finds the next piece of what its user may see. How that is said to the client is
//! another matter: as a stream, or as the answer to a poll.

mod history;
mod poll;
mod reader;
mod resume;
mod seen;
mod stream;
mod wanted;

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use self::{
    poll::{Answer, Ask, poll},
    resume::{Resume, resume},
    stream::{Session, unavailable},
    wanted::Wanted,
};
use crate::{access::Access, log::Log, metrics::Metrics, postgres::Database, tailer};

/// What every session needs of the server.
pub struct Server {
    /// Who may see what.
    pub access: Arc<Access>,
    /// Recent events.
    pub log: Arc<Log>,
    /// For history that has left the log.
    pub database: Database,
    /// The server's figures.
    pub metrics: Arc<Metrics>,
    /// Whether the log is up to date.
    pub tailer: watch::Receiver<tailer::Status>,
    /// How often an otherwise silent stream says something.
    pub heartbeat: Duration,
    /// When a stream ends by itself, to be resumed; each somewhat earlier, at a moment of its own.
    pub max_stream: Option<Duration>,
    /// What history has cost.
    pub replays: Replays,
    /// Ends all streams.
    pub shutdown: CancellationToken,
}

/// How often clients had to be served from the outbox, because what they lack has left the log.
#[derive(Debug, Default)]
pub struct Replays {
    /// Clients that turned to the outbox.
    pub begun: AtomicU64,
    /// Pages of it that were read.
    pub pages: AtomicU64,
}
