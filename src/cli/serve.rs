//! `rowcast serve`.

use crate::{app::App, config::Config};

/// Serve streams (and bring the database up to date first).
#[derive(clap::Args)]
pub(super) struct Serve {
    #[command(flatten)]
    config: Config,
}

impl Serve {
    #[expect(
        clippy::print_stdout,
        reason = "the address goes to stdout, so that scripts can read it; the log goes to stderr"
    )]
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let shutdown = super::shutdown_signal()?;
        let app = App::start(self.config, shutdown).await?;
        println!("listening on {}", app.url());
        Ok(app.run().await?)
    }
}
