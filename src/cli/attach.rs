//! `rowcast attach` and `rowcast detach`.

use crate::postgres::attachments::{self, Attachment};

/// Turn the changes of a table, or of all tables of an app, into events. Expressions are SQL over `r`, the row.
#[derive(clap::Args)]
pub(super) struct Attach {
    #[command(flatten)]
    database: super::DatabaseUrl,

    /// The table, as schema.table.
    #[arg(required_unless_present_any = ["preset", "presets"])]
    table: Option<String>,

    /// One of rowcast.event_types.
    #[arg(required_unless_present_any = ["preset", "presets"])]
    event_type: Option<String>,

    /// Expression: the row's organization, such as r.org_id. Without it the events are platform-wide.
    #[arg(long, value_name = "SQL")]
    organization_id: Option<String>,

    /// Expression of type jsonb: the payload. Without it the whole row is sent.
    #[arg(long, value_name = "SQL")]
    data: Option<String>,

    /// Columns left out of the whole row.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    exclude: Vec<String>,

    /// Which operations count: INSERT, UPDATE, DELETE.
    #[arg(long, value_name = "OPERATION", value_delimiter = ',')]
    operations: Option<Vec<String>>,

    /// An UPDATE counts only when one of these columns changed.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    changed_columns: Option<Vec<String>>,

    /// Boolean expression: which rows count.
    #[arg(long, value_name = "SQL")]
    filter: Option<String>,

    /// Expression: low, medium, high or critical.
    #[arg(long, value_name = "SQL")]
    priority: Option<String>,

    /// Expression: the user concerned.
    #[arg(long, value_name = "SQL")]
    user_id: Option<String>,

    /// Expression: the chatbot concerned.
    #[arg(long, value_name = "SQL")]
    chatbot_id: Option<String>,

    /// Expression: the session concerned.
    #[arg(long, value_name = "SQL")]
    session_id: Option<String>,

    /// Only the user in --user-id (and admins of the organization) may see the events.
    #[arg(long, requires = "user_id")]
    private: bool,

    /// What happens when an expression fails for a row: the app's write fails, or the event is skipped.
    #[arg(long, value_parser = ["fail", "skip"])]
    on_error: Option<String>,

    /// Expression: one event for each of its values that a statement wrote, instead of one for each row, such as r.document_id.
    #[arg(long, value_name = "SQL")]
    group_by: Option<String>,

    /// Add the event type to rowcast.event_types, if it is not there: one of your own.
    #[arg(long)]
    register: bool,

    /// The permission that --register has the type require. Without it everybody in the organization may see its events.
    #[arg(long, value_name = "PERMISSION", requires = "register")]
    requires: Option<String>,

    /// Print the SQL instead of running it.
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    preset: super::preset::PresetArguments,
}

impl Attach {
    #[expect(clippy::print_stdout, reason = "the answer of a command")]
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let preset = self.preset.request()?;
        let mut client = self.database.connect().await?;
        let dry_run = self.dry_run;
        if let Some(preset) = preset {
            return preset.run(&client, dry_run).await;
        }
        // Whatever is not attached is not registered either.
        let client = client.transaction().await?;
        let (event_type, requires) = (self.event_type.unwrap_or_default(), self.requires.as_deref());
        let registered = self.register && attachments::register(&client, &event_type, requires).await?;
        let attachment = Attachment {
            source: self.table.unwrap_or_default(),
            event_type,
            organization_id: self.organization_id,
            data: self.data,
            exclude: self.exclude,
            operations: self.operations,
            changed_columns: self.changed_columns,
            filter: self.filter,
            priority: self.priority,
            user_id: self.user_id,
            chatbot_id: self.chatbot_id,
            session_id: self.session_id,
            private: self.private,
            on_error: self.on_error,
            group_by: self.group_by,
        };
        if dry_run {
            if registered {
                println!("{}", attachments::registration(&client, &attachment.event_type, requires).await?);
            }
            println!("{}", attachment.preview(&client).await?);
        } else {
            attachment.attach(&client).await?;
            client.commit().await?;
            let (table, event_type) = (&attachment.source, &attachment.event_type);
            if registered {
                println!(
                    "{event_type} is an event type from now on, for {}",
                    requires.map_or("everybody in an event's organization".into(), |permission| format!(
                        "holders of {permission}"
                    ))
                );
            }
            match &attachment.organization_id {
                Some(_) => println!("{table} is attached as {event_type}"),
                None => println!(
                    "{table} is attached as {event_type}, platform-wide: it belongs to no organization, and whoever may see the type sees every row"
                ),
            }
        }
        Ok(())
    }
}

/// Undo attach: removes its triggers and functions, nothing else.
#[derive(clap::Args)]
pub(super) struct Detach {
    #[command(flatten)]
    database: super::DatabaseUrl,

    /// The table, as schema.table.
    table: String,
}

impl Detach {
    #[expect(clippy::print_stdout, reason = "the answer of a command")]
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let client = self.database.connect().await?;
        attachments::detach(&client, &self.table).await?;
        println!("{} is detached", self.table);
        Ok(())
    }
}
