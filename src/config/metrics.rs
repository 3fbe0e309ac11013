//! Whether the figures of chatbots are computed from the app's messages.

use std::time::Duration;

use clap::Args;

use super::duration;

/// Figures of chatbots.
#[derive(Args, Clone)]
pub struct Metrics {
    /// Compute the figures of chatbots (`chatbot_metrics`) and their costs this often, from the messages that rowcast.use_messages() has named;
    /// one server does it at a time. Absent: not at all.
    #[arg(long, env = "ROWCAST_METRICS_INTERVAL", value_parser = duration)]
    pub metrics_interval: Option<Duration>,

    /// Over how long the figures are computed, up to now; trends are against the same length before.
    #[arg(long, env = "ROWCAST_METRICS_WINDOW", default_value = "1h", value_parser = duration)]
    pub metrics_window: Duration,
}
