//! `rowcast tables`.

use crate::postgres::attachments;

/// List the tables that are attached.
#[derive(clap::Args)]
pub(super) struct Tables {
    #[command(flatten)]
    database: super::DatabaseUrl,
}

impl Tables {
    #[expect(clippy::print_stdout, reason = "the answer of a command")]
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = self.database.connect().await?;
        let attached = attachments::list(&client).await?;
        if attached.is_empty() {
            println!("no table is attached; `rowcast attach --help` shows how");
        }
        let width = attached.iter().map(|table| table.source.len()).max().unwrap_or(0);
        for table in attached {
            let disabled = if table.enabled { "" } else { "  DISABLED: its trigger is switched off" };
            let grouped = table.group_by.map(|group| format!("  one event per {group}")).unwrap_or_default();
            println!("{:width$}  {:24}  {}{grouped}{disabled}", table.source, table.event_type, table.organization);
        }
        Ok(())
    }
}
