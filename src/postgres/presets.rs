//! Ready mappings from an app's tables to the built-in event types: `sql/presets`.

use serde_json::{Map, Value};
use tokio_postgres::{Client, types::ToSql};

use super::Error;

/// The arguments of `rowcast.attach_preset`; see `docs/integrations.md`.
#[derive(Debug, Default)]
pub struct Preset {
    /// One of `rowcast.presets`.
    pub name: String,
    /// Where the app's tables are.
    pub schema: String,
    /// `part.argument` → what it is in this app.
    pub arguments: Map<String, Value>,
    /// The parts that are wanted; none for all.
    pub parts: Option<Vec<String>>,
}

/// A row of `rowcast.presets`: something that can be told of an app.
#[derive(Debug)]
pub struct Argument {
    /// The preset.
    pub preset: String,
    /// The part of it.
    pub part: String,
    /// Its name in that part.
    pub name: String,
    /// `event_type`, which cannot be told, `table`, `expression`, `words`, `columns` or `list`.
    pub kind: String,
    /// What it is unless told; the first that fits the tables.
    pub defaults: Vec<String>,
    /// For people.
    pub description: String,
}

impl Preset {
    /// Attaches its tables, all or none: each with its event type.
    ///
    /// # Errors
    /// When the database refuses; its message says which argument to give.
    pub async fn attach(&self, client: &Client) -> Result<Vec<(String, String)>, Error> {
        let arguments = Value::Object(self.arguments.clone()).to_string();
        let parameters = self.parameters(&arguments);
        let rows = client.query(include_str!("../../sql/queries/attach_preset.sql"), &parameters).await?;
        rows.iter().map(|row| Ok((row.try_get("source")?, row.try_get("event_type")?))).collect()
    }

    /// The SQL that [`attach`](Self::attach) comes to: a script of calls of `rowcast.attach`.
    ///
    /// # Errors
    /// When the database refuses, as it would refuse to attach.
    pub async fn preview(&self, client: &Client) -> Result<String, Error> {
        let arguments = Value::Object(self.arguments.clone()).to_string();
        let parameters = self.parameters(&arguments);
        let row = client.query_one(include_str!("../../sql/queries/preview_preset.sql"), &parameters).await?;
        Ok(row.try_get(0)?)
    }

    fn parameters<'a>(&'a self, arguments: &'a String) -> [&'a (dyn ToSql + Sync); 4] {
        [&self.name, &self.schema, arguments, &self.parts]
    }
}

/// All arguments of all presets, those of a part together.
///
/// # Errors
/// When the database fails.
pub async fn list(client: &Client) -> Result<Vec<Argument>, Error> {
    let rows = client.query(include_str!("../../sql/queries/list_presets.sql"), &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(Argument {
                preset: row.try_get("preset")?,
                part: row.try_get("part")?,
                name: row.try_get("argument")?,
                kind: row.try_get("kind")?,
                defaults: row.try_get("defaults")?,
                description: row.try_get("description")?,
            })
        })
        .collect()
}
