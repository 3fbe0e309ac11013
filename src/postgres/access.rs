//! Who may see what, as the database has it.

use std::collections::HashMap;

use super::{Connection, Error, decode};
use crate::policy::{Grants, Policy, Redaction};

/// Reads the grants of these users; each of them is in the answer, without any grant where there is none.
///
/// # Errors
/// When the database fails.
pub async fn read_grants(connection: &Connection, users: &[&str]) -> Result<HashMap<Box<str>, Grants>, Error> {
    let mut grants: HashMap<Box<str>, Grants> = users.iter().map(|&user| (user.into(), Grants::default())).collect();
    let statement = include_str!("../../sql/queries/read_grants.sql");
    for row in connection.query(statement, &[&users]).await? {
        if let Some(grants) = grants.get_mut(row.try_get::<_, &str>("user_id")?) {
            grants.add(row.try_get("organization_id")?, row.try_get("permission")?);
        }
    }
    Ok(grants)
}

/// Reads the event types and redactions.
///
/// # Errors
/// When the database fails.
pub async fn read_policy(connection: &Connection) -> Result<Policy, Error> {
    let types = include_str!("../../sql/queries/read_event_types.sql");
    let redactions = include_str!("../../sql/queries/read_redactions.sql");
    let types = connection.query(types, &[]).await?;
    let redactions = connection.query(redactions, &[]).await?;
    let types = types
        .iter()
        .map(|row| Ok((row.try_get("name")?, row.try_get("required_permission")?)))
        .collect::<Result<Vec<_>, tokio_postgres::Error>>()?;
    let redactions = redactions
        .iter()
        .map(|row| {
            let redaction = Redaction {
                path: row.try_get("path")?,
                unless_permission: row.try_get("unless_permission")?,
                replacement: decode::json_text(row, "replacement")?,
            };
            Ok((row.try_get("event_type")?, redaction))
        })
        .collect::<Result<Vec<_>, tokio_postgres::Error>>()?;
    Ok(Policy::new(types, redactions))
}
