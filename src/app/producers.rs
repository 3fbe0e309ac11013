//! The producers that are switched on, as tasks of the server.

use tokio_util::sync::CancellationToken;

use super::tasks::Tasks;
use crate::{config, integrations::duty::Duty, postgres::Database};

/// What they need.
pub(super) struct Producers {
    pub(super) database: Database,
    /// This server, as it is called in `rowcast.servers`.
    pub(super) server: Box<str>,
    pub(super) settings: config::Producers,
}

impl Producers {
    /// Starts them.
    pub(super) fn spawn(self, _tasks: &mut Tasks, _shutdown: &CancellationToken) {
        let Self { database, server, settings: config::Producers { sentry: _ } } = self;
        let _ = |name| Duty::new(name, &server, database.clone());
    }
}
