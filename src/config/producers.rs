//! Which producers of events beside the app's tables run, and how: one group of settings each.

use clap::Args;

use super::health::Health;

/// What rowcast measures, is told by others, and concludes. All of it is off unless it is asked for.
#[derive(Args, Clone)]
pub struct Producers {
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment on a flattened group would become its heading in --help")]
    pub health: Health,
}
