//! `rowcast attach --preset`, and the list of presets.

use serde_json::{Map, Value};
use tokio_postgres::Client;

use crate::postgres::presets::{self, Argument, Preset};

/// How much of a default is shown in the list: a line. All of it is in rowcast.presets.
const SHOWN: usize = 100;

#[derive(clap::Args)]
pub(super) struct PresetArguments {
    /// Attach all tables of an app by a ready mapping: chatbot, sessions or audit. --presets lists what can be said of each.
    #[arg(
        long,
        value_name = "NAME",
        help_heading = "Presets",
        conflicts_with_all = [
            "table", "organization_id", "data", "exclude", "operations", "changed_columns", "filter", "priority", "user_id", "chatbot_id",
            "session_id", "private", "on_error", "group_by", "register", "requires",
        ]
    )]
    preset: Option<String>,

    /// The schema that the app's tables are in.
    #[arg(long, value_name = "SCHEMA", requires = "preset", conflicts_with = "table", help_heading = "Presets")]
    schema: Option<String>,

    /// What something is called in this app: documents.table=files, documents.status=r.state. Once for each.
    #[arg(long = "set", value_name = "PART.ARGUMENT=VALUE", requires = "preset", conflicts_with = "table", value_parser = assignment, help_heading = "Presets")]
    set: Vec<(String, String)>,

    /// Attach these parts of the preset alone.
    #[arg(
        long,
        value_name = "PART",
        value_delimiter = ',',
        requires = "preset",
        conflicts_with = "table",
        help_heading = "Presets"
    )]
    only: Option<Vec<String>>,

    /// List the presets, their parts, and what can be set in each.
    #[arg(long, conflicts_with_all = ["preset", "table", "dry_run"], help_heading = "Presets")]
    presets: bool,
}

/// `key=value`, where the value may hold more of those signs.
fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if key.contains('.') => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected PART.ARGUMENT=VALUE, such as documents.table=files".to_owned()),
    }
}

impl PresetArguments {
    /// What was asked for; none when it was a single table.
    pub(super) fn request(&self) -> anyhow::Result<Option<Request>> {
        if self.presets {
            return Ok(Some(Request::List));
        }
        let Some(name) = self.preset.clone() else { return Ok(None) };
        let mut arguments = Map::new();
        for (key, value) in &self.set {
            anyhow::ensure!(
                arguments.insert(key.clone(), Value::String(value.clone())).is_none(),
                "{key} is set twice: which of the two is meant?"
            );
        }
        let schema = self.schema.clone().unwrap_or_else(|| "public".to_owned());
        Ok(Some(Request::Attach(Preset { name, schema, arguments, parts: self.only.clone() })))
    }
}

/// What is to be done about presets.
pub(super) enum Request {
    List,
    Attach(Preset),
}

impl Request {
    #[expect(clippy::print_stdout, reason = "the answer of a command")]
    pub(super) async fn run(self, client: &Client, dry_run: bool) -> anyhow::Result<()> {
        match self {
            Self::List => super::answer(&listed(&presets::list(client).await?))?,
            Self::Attach(preset) if dry_run => println!("{}", preset.preview(client).await?),
            Self::Attach(preset) => {
                for (table, event_type) in preset.attach(client).await? {
                    println!("{table} is attached as {event_type}");
                }
            }
        }
        Ok(())
    }
}

/// Each preset, its parts, and a line or two for each argument.
fn listed(arguments: &[Argument]) -> String {
    let mut lines = Vec::new();
    let (mut preset, mut part) = ("", "");
    for argument in arguments {
        if argument.preset != preset {
            lines.push(format!("{}--preset {}", if preset.is_empty() { "" } else { "\n" }, argument.preset));
            (preset, part) = (&argument.preset, "");
        }
        if argument.part != part {
            part = &argument.part;
            lines.push(match argument.kind.as_str() {
                "event_type" => format!("\n  {part} → {}: {}", argument.defaults.join(", "), argument.description),
                _ => format!("\n  {part}, only looked up"),
            });
        }
        if argument.kind != "event_type" {
            let defaults: Vec<_> = argument.defaults.iter().map(|default| shortened(default)).collect();
            lines.push(format!("    {part}.{}={}", argument.name, defaults.join(" | ")));
            lines.push(format!("        {}", argument.description));
        }
    }
    lines.push(
        "\nNames in braces stand for other arguments. NULL: it may be absent. In psql: SELECT * FROM rowcast.presets;"
            .to_owned(),
    );
    lines.join("\n")
}

/// A default on one line.
fn shortened(default: &str) -> String {
    let line = default.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_hold_the_sign_that_ends_its_key() {
        let set = assignment("alerts.rows=r.kind = 'alert'").unwrap();
        assert_eq!(set, ("alerts.rows".to_owned(), "r.kind = 'alert'".to_owned()));
        assert_eq!(assignment("users.organization=").unwrap().1, "");
        assert!(assignment("documents.table").is_err());
        assert!(assignment("table=files").is_err());
    }

    #[test]
    fn a_long_default_is_cut_between_letters() {
        assert_eq!(shortened("(\n    SELECT  1\n)"), "( SELECT 1 )");
        let cut = shortened(&"é".repeat(SHOWN + 1));
        assert_eq!(cut, format!("{} …", "é".repeat(SHOWN)));
        assert_eq!(shortened(&"é".repeat(SHOWN)), "é".repeat(SHOWN));
    }
}
