//! `rowcast demo`.
/// Run the example app with a private Postgres, and show its dashboard.
#[derive(clap::Args)]
pub(super) struct Demo {}
impl Demo {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        Ok(())
    }
}
