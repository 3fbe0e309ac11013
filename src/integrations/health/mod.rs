//! System health: the database, vector search and the language model, measured again and again by one server at a time, judged, and written into `rowcast.health_checks` when something
//! changes, and now and then when nothing does.
//!
//! - [`watch`]: one component, for as long as the server runs: whose turn it is, what happens while the database is away.
//! - [`database`], [`search`], [`endpoint`], `bedrock`: how each is measured.
//! - [`figure`], [`verdict`], [`ledger`]: pure. How a figure is told, what measurements mean, what is to be written down.
//!
//! What is written and logged is in our own words: no URL, no query, no answer, no header, no error's text, since any of them may hold a secret.

#[cfg(feature = "bedrock")]
pub mod bedrock;
pub mod database;
pub mod endpoint;
mod exchange;
pub mod figure;
pub mod headers;
pub mod ledger;
pub mod search;
pub mod verdict;
pub mod watch;

use std::time::Duration;

use self::{
    figure::{Figure, Reading},
    headers::Unreadable,
    ledger::Rules,
    watch::Probe,
};
use crate::{payload::HealthComponent, postgres::Database};

/// A figure, and what measuring it came to.
pub type Measured = (Figure, Reading);

/// What is to be watched, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The database: how often, and its thresholds.
    pub database: Option<(Duration, database::Thresholds)>,
    /// Vector search: how often, and its threshold.
    pub vector_search: Option<(Target, Duration, Duration)>,
    /// The language model: how often, and its threshold.
    pub llm_api: Option<(Target, Duration, Duration)>,
    /// So many measurements in a row make a change.
    pub agreeing: u32,
    /// So many times its threshold something may take, before it counts as down.
    pub patience: u32,
    /// How often a state that lasts is written down again.
    pub restate: Duration,
}

/// What is asked.
#[derive(Clone, Debug)]
pub enum Target {
    /// A query, in this database.
    Query(String),
    /// Something that speaks HTTP; and what the setting is called that says so.
    Endpoint(&'static str, endpoint::Request),
    /// A model of AWS Bedrock.
    Bedrock(String),
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Misconfigured {
    /// Nothing that could be asked.
    #[error("{0} is no URL: expected http:// or https:// and a host")]
    Url(&'static str),
    /// No method.
    #[error("{0}: the method is none of HTTP, such as GET or POST")]
    Method(&'static str),
    /// No headers.
    #[error("{0}: {1}")]
    Headers(&'static str, #[source] Unreadable),
    /// Nothing that could ask.
    #[error("TLS cannot be set up for asking how others are")]
    Client(#[source] reqwest::Error),
    /// Built without it.
    #[error(
        "ROWCAST_HEALTH_LLM_BEDROCK is set, and this rowcast was built without AWS: build it with --features bedrock, or ask the model by ROWCAST_HEALTH_LLM_URL"
    )]
    NoBedrock,
}

/// A component that is to be watched.
pub struct Watched {
    /// The duty of watching it, and the task.
    pub name: &'static str,
    /// How it is measured.
    pub probe: Probe,
    /// When its state is another.
    pub rules: Rules,
}

/// All components that are to be watched.
///
/// # Errors
/// When one of them cannot be.
pub fn watched(settings: Settings, database: &Database) -> Result<Vec<Watched>, Misconfigured> {
    let Settings { agreeing, restate, patience, .. } = settings;
    let rules = |interval| Rules { agreeing, restate, interval };
    let mut watched = Vec::new();
    if let Some((interval, thresholds)) = settings.database {
        let probe = database::Probe::new(database.clone(), thresholds, thresholds.answer * patience);
        watched.push(Watched {
            name: "health_database",
            probe: Probe::Database(Box::new(probe)),
            rules: rules(interval),
        });
    }
    if let Some((target, interval, threshold)) = settings.vector_search {
        let figure = Figure {
            component: HealthComponent::VectorSearch,
            metric: "response_ms",
            unit: "ms",
            threshold: milliseconds(threshold),
            says: "A search took {}",
            fails: "Vector search failed",
            advice: "See whether the index is used and fits into memory, and what else the store is doing.",
        };
        let probe = target.probe(database, figure, threshold * patience)?;
        watched.push(Watched { name: "health_vector_search", probe, rules: rules(interval) });
    }
    if let Some((target, interval, threshold)) = settings.llm_api {
        let figure = Figure {
            component: HealthComponent::LlmApi,
            metric: "response_ms",
            unit: "ms",
            threshold: milliseconds(threshold),
            says: "The language model answered in {}",
            fails: "The language model does not answer",
            advice: "Look at the provider's status page, the quota and the credentials; fall back to another model meanwhile.",
        };
        let probe = target.probe(database, figure, threshold * patience)?;
        watched.push(Watched { name: "health_llm_api", probe, rules: rules(interval) });
    }
    Ok(watched)
}

impl Target {
    fn probe(self, database: &Database, figure: Figure, patience: Duration) -> Result<Probe, Misconfigured> {
        match self {
            Self::Query(query) => {
                Ok(Probe::Search(Box::new(search::Probe::new(database.clone(), query, figure, patience))))
            }
            Self::Endpoint(setting, request) => {
                Ok(Probe::Endpoint(Box::new(endpoint::Probe::new(setting, request, figure, patience)?)))
            }
            #[cfg(feature = "bedrock")]
            Self::Bedrock(model) => Ok(Probe::Bedrock(Box::new(bedrock::Probe::new(model, figure, patience)))),
            #[cfg(not(feature = "bedrock"))]
            Self::Bedrock(_) => Err(Misconfigured::NoBedrock),
        }
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
