//! `rowcast migrate`.

use crate::app::migrate_at;

/// Bring the database up to date.
#[derive(clap::Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    database: super::DatabaseUrl,
}

impl Migrate {
    #[expect(clippy::print_stdout, reason = "the answer of a command")]
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let migrated = migrate_at(&self.database.database_url).await?;
        for migration in &migrated.migrations {
            println!("applied {migration}");
        }
        println!("{}", if migrated.functions { "functions replaced" } else { "already up to date" });
        Ok(())
    }
}
