//! Settings → what is watched.

use std::{env, time::Duration};

use crate::{
    config,
    integrations::health::{Misconfigured, Settings, Target, database::Thresholds, endpoint::Request, headers},
};

/// How often vector search is asked where only that is watched.
const INTERVAL: Duration = Duration::from_secs(15);

/// What the settings ask for.
pub(super) fn settings(health: config::Health) -> Result<Settings, Misconfigured> {
    let database = health.health_interval.map(|interval| {
        let thresholds = Thresholds {
            answer: health.health_database_threshold,
            replication_lag: health.health_replication_lag,
            connections: health.health_connections_percent.into(),
            longest_transaction: health.health_longest_transaction,
        };
        (interval, thresholds)
    });
    let headers = |setting, text: &str| {
        headers::headers(text, |name| env::var(name).ok())
            .map_err(|unreadable| Misconfigured::Headers(setting, unreadable))
    };
    let vector_search = match (health.health_vector_query, health.health_vector_url) {
        (Some(query), _) => Some(Target::Query(query)),
        (None, Some(url)) => {
            let headers = headers("ROWCAST_HEALTH_VECTOR_HEADERS", &health.health_vector_headers)?;
            Some(Target::Endpoint("ROWCAST_HEALTH_VECTOR_URL", Request { url, method: None, body: None, headers }))
        }
        (None, None) => None,
    };
    let llm_api = match (health.health_llm_bedrock, health.health_llm_url) {
        (Some(model), _) => Some(Target::Bedrock(model)),
        (None, Some(url)) => {
            let headers = headers("ROWCAST_HEALTH_LLM_HEADERS", &health.health_llm_headers)?;
            let (method, body) = (health.health_llm_method, health.health_llm_body);
            Some(Target::Endpoint("ROWCAST_HEALTH_LLM_URL", Request { url, method, body, headers }))
        }
        (None, None) => None,
    };
    let interval = health.health_interval.unwrap_or(INTERVAL);
    Ok(Settings {
        database,
        vector_search: vector_search.map(|target| (target, interval, health.health_vector_threshold)),
        llm_api: llm_api.map(|target| (target, health.health_llm_interval, health.health_llm_threshold)),
        agreeing: health.health_agreeing,
        patience: health.health_patience,
        restate: health.health_restate,
    })
}
