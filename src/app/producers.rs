//! The producers that are switched on, as tasks of the server.

use tokio_util::sync::CancellationToken;

use super::tasks::Tasks;
use crate::{
    config::{self, Evaluation},
    integrations::{alerts, duty::Duty, metrics},
    postgres::Database,
};

/// What they need.
pub(super) struct Producers {
    pub(super) database: Database,
    /// This server, as it is called in `rowcast.servers`.
    pub(super) server: Box<str>,
    pub(super) settings: config::Producers,
}

impl Producers {
    /// Starts them.
    pub(super) fn spawn(self, tasks: &mut Tasks, shutdown: &CancellationToken) {
        let Self { database, server, settings: config::Producers { alerts, metrics, .. } } = self;
        let duty = |name| Duty::new(name, &server, database.clone());
        if let Some(interval) = metrics.metrics_interval {
            tasks.spawn("metrics", metrics::run(duty("metrics"), interval, metrics.metrics_window, shutdown.clone()));
        }
        if let Evaluation::Every(interval) = alerts.alerts {
            tasks.spawn("alerts", alerts::run(database.clone(), interval, shutdown.clone()));
        }
    }
}
