//! `rowcast explain`.

use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;

use crate::postgres::explain::{Question, Step};

/// Would this user get this event now, and if not, which rule says so?
///
/// Ends with 0 if so, 1 if not. docs/access.md explains each rule. Needs the rights of rowcast_server or rowcast_reader.
#[derive(clap::Args)]
pub(super) struct Explain {
    #[command(flatten)]
    database: super::DatabaseUrl,

    /// The user id: the token's `sub`.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    user: String,

    /// The event's id: the first number of a cursor, or rowcast.outbox.id.
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    event: i64,

    /// Event types that the client would ask for. Without these and an organization, the user's open streams count.
    #[arg(long, value_name = "TYPE", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    subscriptions: Option<Vec<String>>,

    /// The organization that the client would ask for.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    organization: Option<String>,
}

impl Explain {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.database.connect().await?;
        let (user_id, event_id) = (self.user, self.event);
        let question =
            Question { user_id, event_id, subscriptions: self.subscriptions, organization: self.organization };
        let steps = question.ask(&client).await?;
        super::answer(&table(&steps))?;
        let delivered = steps.last().and_then(|verdict| verdict.passes) == Some(true);
        Ok(if delivered { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// The rules for people: a line each.
fn table(steps: &[Step]) -> String {
    let width = steps.iter().map(|step| step.rule.len()).max().unwrap_or(0);
    let line = |Step { rule, passes, detail }: &Step| {
        let verdict = match passes {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "-",
        };
        format!("{rule:width$}  {verdict:3}  {detail}")
    };
    steps.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_a_line() {
        let step = |rule: &str, passes, detail: &str| Step { rule: rule.into(), passes, detail: detail.into() };
        let steps = [
            step("member", Some(true), "of o1"),
            step("redacted", None, "{content} is removed"),
            step("delivered", Some(false), "why"),
        ];
        let expected = "member     yes  of o1\nredacted   -    {content} is removed\ndelivered  NO   why";
        assert_eq!(table(&steps), expected);
    }
}
