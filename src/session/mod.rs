//! One client: replay → splice → live.
//!
//! A [reader](self::reader) is a position in the log and a cursor: it finds the next piece of what its user may see. How that is said to the client is
//! another matter: as a [stream](self::stream).

mod history;
mod reader;
mod resume;
mod seen;
mod stream;
mod wanted;

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use self::{
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
    /// Ends all streams.
    pub shutdown: CancellationToken,
}
