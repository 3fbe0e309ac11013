//! `rowcast migrate`.

use crate::app::{mend_sequence_at, migrate_at};

/// Bring the database up to date, and mend what a restore has left behind.
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
        if let Some(id) = mend_sequence_at(&self.database.database_url).await? {
            println!("the sequence of outbox ids was behind its table: moved to {id}");
        }
        println!("{}", if migrated.functions { "functions replaced" } else { "already up to date" });
        Ok(())
    }
}
