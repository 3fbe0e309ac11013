//! Which producers of events beside the app's tables run, and how: one group of settings each.

use clap::Args;

use super::{Activity, Alerts, Health, Metrics, Sentry};

/// What rowcast measures, is told by others, and concludes. All of it is off unless it is asked for.
#[derive(Args, Clone)]
pub struct Producers {
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment on a flattened group would become its heading in --help")]
    pub activity: Activity,

    #[command(flatten)]
    #[allow(missing_docs, reason = "as above")]
    pub alerts: Alerts,

    #[command(flatten)]
    #[allow(missing_docs, reason = "as above")]
    pub health: Health,

    #[command(flatten)]
    #[allow(missing_docs, reason = "as above")]
    pub metrics: Metrics,

    #[command(flatten)]
    #[allow(missing_docs, reason = "as above")]
    pub sentry: Sentry,
}
