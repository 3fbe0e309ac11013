//! One client: replay → splice → live.
//!
//! A reader (`reader.rs`) is a position in the log and a cursor: it finds the next piece of what its user may see. How that is said to the client is
//! another matter: as a stream (`stream.rs`), or as the answer to a poll (`poll.rs`).

mod chunk;
mod expiry;
mod goodbye;
mod history;
mod isolation;
mod occasions;
mod outlook;
mod pace;
mod place;
mod poll;
mod reader;
mod resume;
mod seen;
mod stream;
mod view;

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use self::{
    goodbye::unavailable,
    poll::{Answer, Ask, poll},
    resume::{Resume, resume},
    stream::Session,
    view::Views,
};
use crate::{access::Access, log::Log, metrics::Metrics, postgres::Database, tailer};

/// What every session needs of the server.
pub struct Server {
    /// Who may see what.
    pub access: Arc<Access>,
    /// Recent events: another log after a failover.
    pub logs: watch::Receiver<Arc<Log>>,
    /// How streams show them.
    pub views: Views,
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
    /// How often is written to one stream, for more than a second; see `pace.rs`.
    pub writes_per_second: u32,
    /// Ends all streams.
    pub shutdown: CancellationToken,
}

impl Server {
    /// The log of the database's current life.
    #[must_use]
    pub fn log(&self) -> Arc<Log> {
        Arc::clone(&self.logs.borrow())
    }
}
