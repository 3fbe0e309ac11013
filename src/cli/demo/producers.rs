//! The producers of the demo: all of them, and often enough for somebody who looks on. What was asked for stays as it was asked for.

use std::{net::SocketAddr, time::Duration};

use crate::{config::Producers, demo};

const OFTEN: Duration = Duration::from_secs(5);

/// Asking this model costs nothing.
const ASK_EVERY: Duration = Duration::from_secs(10);

/// Figures of the last minute move while one looks at them.
const WINDOW: Duration = Duration::from_mins(1);

/// Switches on what is off. `model` is where the chatbots' language model answers.
pub(super) fn all_on(mut settings: Producers, model: SocketAddr) -> Producers {
    let Producers { activity, health, metrics, .. } = &mut settings;
    activity.activity = true;
    health.health_interval.get_or_insert(OFTEN);
    if health.health_vector_query.is_none() && health.health_vector_url.is_none() {
        health.health_vector_query = Some(demo::SEARCH.to_owned());
    }
    if health.health_llm_url.is_none() && health.health_llm_bedrock.is_none() {
        health.health_llm_url = Some(format!("http://{model}/v1/messages"));
        health.health_llm_interval = ASK_EVERY;
    }
    if metrics.metrics_interval.is_none() {
        (metrics.metrics_interval, metrics.metrics_window) = (Some(OFTEN), WINDOW);
    }
    settings
}
