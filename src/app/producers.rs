//! The producers that are switched on, as tasks of the server.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{health, tasks::Tasks};
use crate::{
    config::{self, Evaluation},
    integrations::{
        alerts,
        duty::Duty,
        health::{Misconfigured, Watched, watch::Watch, watched},
        metrics,
    },
    metrics::Metrics,
    postgres::Database,
};

/// What is to run.
pub(super) struct Producers {
    watched: Vec<Watched>,
    measured: config::Metrics,
    evaluation: Evaluation,
}

impl Producers {
    /// As the settings ask for.
    pub(super) fn new(settings: config::Producers, database: &Database) -> Result<Self, Misconfigured> {
        Ok(Self {
            watched: watched(health::settings(settings.health)?, database)?,
            measured: settings.metrics,
            evaluation: settings.alerts.alerts,
        })
    }

    /// Starts them. `server` is what this one is called in `rowcast.servers`.
    pub(super) fn spawn(
        self,
        server: &str,
        database: &Database,
        metrics: &Arc<Metrics>,
        tasks: &mut Tasks,
        shutdown: &CancellationToken,
    ) {
        for watched in self.watched {
            let name = watched.name;
            let watch = Watch::new(watched, server, database.clone(), Arc::clone(metrics));
            tasks.spawn(name, watch.run(shutdown.clone()));
        }
        let config::Metrics { metrics_interval, metrics_window } = self.measured;
        if let Some(interval) = metrics_interval {
            let duty = Duty::new("metrics", server, database.clone());
            tasks.spawn("metrics", metrics::run(duty, interval, metrics_window, shutdown.clone()));
        }
        if let Evaluation::Every(interval) = self.evaluation {
            tasks.spawn("alerts", alerts::run(database.clone(), interval, shutdown.clone()));
        }
    }
}
