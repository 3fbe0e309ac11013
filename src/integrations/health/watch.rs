//! One component, watched: by one server at a time, for as long as it runs.
//!
//! While the database is away nobody can say who measures, and nobody can write. Then whoever had the duty goes on, and of the database itself every server takes notice; what they see waits.
//! When it is back, the one who gets the duty writes what it saw, and the others forget it.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

#[cfg(feature = "bedrock")]
use super::bedrock;
use super::{
    Measured, Watched, database, endpoint,
    figure::Figure,
    ledger::{Ledger, Rules},
    search,
    verdict::badness,
};
use crate::{
    integrations::duty::Duty,
    metrics::Metrics,
    payload::{HealthComponent, HealthStatus},
    postgres::{self, Database, health},
};

/// How long the database may take to say who measures, and to write down what was measured.
const PATIENCE: Duration = Duration::from_secs(10);

/// Measures a component.
pub enum Probe {
    /// The database.
    Database(Box<database::Probe>),
    /// Vector search, by a query.
    Search(Box<search::Probe>),
    /// Anything that speaks HTTP.
    Endpoint(Box<endpoint::Probe>),
    /// A model of AWS Bedrock.
    #[cfg(feature = "bedrock")]
    Bedrock(Box<bedrock::Probe>),
}

impl Probe {
    fn figures(&self) -> Vec<Figure> {
        match self {
            Self::Database(probe) => probe.figures(),
            Self::Search(probe) => vec![probe.figure()],
            Self::Endpoint(probe) => vec![probe.figure()],
            #[cfg(feature = "bedrock")]
            Self::Bedrock(probe) => vec![probe.figure()],
        }
    }

    async fn measure(&self) -> Vec<Measured> {
        match self {
            Self::Database(probe) => probe.measure().await,
            Self::Search(probe) => vec![probe.measure().await],
            Self::Endpoint(probe) => vec![probe.measure().await],
            #[cfg(feature = "bedrock")]
            Self::Bedrock(probe) => vec![probe.measure().await],
        }
    }
}

/// One component, watched.
pub struct Watch {
    component: HealthComponent,
    probe: Probe,
    rules: Rules,
    duty: Duty,
    database: Database,
    metrics: Arc<Metrics>,
    ledger: Ledger,
    /// Whether the duty was this server's when that could be asked last.
    is_ours: bool,
    /// Whether it was told that nothing can be written.
    failing: bool,
}

/// Whose it is to measure now.
enum Turn {
    Ours,
    Theirs,
    /// Nobody can say.
    Unknown,
}

impl Watch {
    /// A component that this server watches when it has the duty to. `server` is what it is called in `rowcast.servers`.
    #[must_use]
    pub fn new(watched: Watched, server: &str, database: Database, metrics: Arc<Metrics>) -> Self {
        let Watched { name, probe, rules } = watched;
        let duty = Duty::new(name, server, database.clone());
        let component = probe.figures().first().map_or(HealthComponent::General, |figure| figure.component);
        let ledger = Ledger::default();
        Self { component, probe, rules, duty, database, metrics, ledger, is_ours: false, failing: false }
    }

    /// Watches until `shutdown`.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut ticks = interval(self.rules.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let watching = async {
            loop {
                ticks.tick().await;
                self.look().await;
            }
        };
        // Nothing that was begun is left half done: what is written is written at once.
        let _: Option<()> = Box::pin(shutdown.run_until_cancelled(watching)).await;
    }

    /// Measures once, if it is for this server to do.
    async fn look(&mut self) {
        let turn = timeout(PATIENCE, self.take()).await.unwrap_or(Ok(Turn::Unknown)).unwrap_or_else(|error| {
            debug!(%error, duty = self.duty.name, "nobody can say who measures");
            Turn::Unknown
        });
        match turn {
            Turn::Theirs => return self.leave(),
            Turn::Unknown if !self.is_ours && self.component != HealthComponent::Database => return,
            Turn::Ours | Turn::Unknown => {}
        }
        let at = Timestamp::now();
        for (figure, reading) in self.probe.measure().await {
            let Some((status, is_new)) = self.ledger.observe(&figure, &reading, &self.rules, at) else { continue };
            if self.is_ours {
                self.metrics.health_is(name(self.component), figure.metric, badness(status));
            }
            if is_new {
                tell(&figure, status, &figure.message(&reading));
            }
        }
        if matches!(turn, Turn::Ours) && !self.ledger.waiting().is_empty() {
            let written = timeout(PATIENCE, self.write()).await.unwrap_or(Err(postgres::Error::Silent(PATIENCE)));
            self.learn(written);
        }
    }

    /// Takes the duty, and what the one knew who had it before.
    async fn take(&mut self) -> Result<Turn, postgres::Error> {
        let Some(connection) = self.duty.take().await? else { return Ok(Turn::Theirs) };
        if !self.is_ours {
            self.ledger.adopt(&health::read(&connection, self.component).await?, &self.probe.figures());
            self.is_ours = true;
        }
        Ok(Turn::Ours)
    }

    /// Writes what is to be written; whether it was for this server to write.
    async fn write(&self) -> Result<bool, postgres::Error> {
        let connection = self.database.connection().await?;
        health::record(&connection, self.duty.name, &self.duty.server, self.ledger.waiting()).await
    }

    fn learn(&mut self, written: Result<bool, postgres::Error>) {
        match written {
            Ok(true) => {
                self.ledger.written();
                self.failing = false;
            }
            Ok(false) => self.leave(),
            Err(error) if std::mem::replace(&mut self.failing, true) => {
                debug!(%error, duty = self.duty.name, "still cannot be written down");
            }
            Err(error) => warn!(%error, duty = self.duty.name, "what was measured cannot be written down; it waits"),
        }
    }

    /// Another server does it from now on.
    fn leave(&mut self) {
        self.ledger.forget();
        if std::mem::replace(&mut self.is_ours, false) {
            for figure in self.probe.figures() {
                self.metrics.health_is_unknown(name(self.component), figure.metric);
            }
        }
    }
}

fn tell(figure: &Figure, status: HealthStatus, message: &str) {
    let (component, metric) = (name(figure.component), figure.metric);
    match status {
        HealthStatus::Healthy => info!(component, metric, "healthy: {message}"),
        HealthStatus::Degraded => warn!(component, metric, "degraded: {message}"),
        HealthStatus::Down => warn!(component, metric, "down: {message}"),
    }
}

/// As it is called in the data.
fn name(component: HealthComponent) -> &'static str {
    match component {
        HealthComponent::Database => "database",
        HealthComponent::VectorSearch => "vector_search",
        HealthComponent::LlmApi => "llm_api",
        HealthComponent::DocumentProcessing => "document_processing",
        HealthComponent::General => "general",
    }
}
