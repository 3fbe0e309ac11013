//! What may be wrong with a database, why that matters and what to do: the checks of `rowcast doctor`.
//!
//! Nearly every check is one query in `sql/queries/doctor`, which judges by itself: it returns what it found as rows of level, what and fix, and
//! nothing when all is well. They run in transactions that can write nothing. What a role may not see is said, and is no error.

mod links;

use serde::Serialize;
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow, error::SqlState};

use super::{Error, Target, migrate, reason, target};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// All is well.
    Ok,
    /// Could not be looked at.
    Unknown,
    /// Will hurt, or hurts a little.
    Warning,
    /// Events are lost to somebody, or writes fail.
    Problem,
}

impl Level {
    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What `docs/operations.md` explains it under.
    pub code: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What was found.
    pub what: String,
    /// Why that matters.
    pub why: &'static str,
    /// SQL or a command to paste; none when there is nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// What is looked at, and why.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Its name, here and in `docs/operations.md`.
    pub code: &'static str,
    /// What is said when all is well.
    pub fine: &'static str,
    /// Why it matters.
    pub why: &'static str,
}

impl Check {
    /// All is well.
    #[must_use]
    pub fn fine(self) -> Finding {
        self.finding(Level::Ok, self.fine, "")
    }

    /// Something was found.
    #[must_use]
    pub fn finding(self, level: Level, what: impl Into<String>, fix: impl Into<String>) -> Finding {
        let fix = Some(fix.into()).filter(|fix| !fix.is_empty());
        Finding { code: self.code, level, what: what.into(), why: self.why, fix }
    }
}

/// A query of `sql/queries/doctor`, named as its file.
macro_rules! query {
    ($code:literal, $fine:literal, $why:literal) => {
        (
            Check { code: $code, fine: $fine, why: $why },
            include_str!(concat!("../../../sql/queries/doctor/", $code, ".sql")),
        )
    };
}

/// What can be asked of any Postgres.
const ANYWHERE: [(Check, &str); 2] = [
    query!("version", "Postgres is new enough", "rowcast uses what older ones do not have"),
    query!(
        "encoding",
        "texts can be sent as UTF-8",
        "a server refuses to start: it could not send what is in the tables"
    ),
];

/// What can be asked of a database that `rowcast migrate` has been at.
const CHECKS: [(Check, &str); 24] = [
    query!(
        "server_role",
        "servers have a role of their own",
        "whoever takes over a server has all that its role may do"
    ),
    query!(
        "grants_missing",
        "the group roles have what they need",
        "a server cannot start or writes fail, as soon as the right is needed"
    ),
    query!("writer_role", "owners of attached tables may write events", "writes of the app to that table fail"),
    query!(
        "trigger_disabled",
        "every trigger is enabled",
        "changes of the table make no events, and nobody will ever get them"
    ),
    query!(
        "trigger_missing",
        "every attached table and partition has its triggers",
        "changes of the table make no events, and nobody will ever get them"
    ),
    query!(
        "generated_functions",
        "generated functions are whole",
        "writes of the app to that table fail, or run with rights that they should not have"
    ),
    query!(
        "sequence_behind",
        "the sequence is ahead of its table",
        "writes of the app to attached tables fail until the sequence has caught up"
    ),
    query!(
        "default_rows",
        "no rows in the DEFAULT partition",
        "history there can only be deleted row by row, and new partitions have to wait for it to be moved"
    ),
    query!(
        "partitions_ahead",
        "there are partitions for what comes",
        "events are not lost, but land in the DEFAULT partition"
    ),
    query!("maintenance", "somebody keeps house", "the outbox grows for ever, and partitions run out"),
    query!(
        "long_transactions",
        "no transaction is open for long",
        "its own events come when it ends; ids that others rolled back meanwhile stay undecided, and vacuum cannot do its work"
    ),
    query!(
        "prepared_transactions",
        "no prepared transaction was forgotten",
        "its events never come, and vacuum cannot do its work"
    ),
    query!(
        "two_phase_commit",
        "writers wake sleeping servers",
        "a prepared transaction cannot notify, so nobody does and servers poll"
    ),
    query!("notify_queue", "the queue of notifications is empty", "when it is full, transactions that notify fail"),
    query!(
        "max_connections",
        "there is room for connections",
        "a server that restarts or loses its connections could not come back"
    ),
    query!(
        "events_for_nobody",
        "every event of the last day has somebody it is for",
        "the app's users miss changes that were made"
    ),
    query!("capture_errors", "every change became an event", "the app's users miss changes that were made"),
    query!("nobody_to_see", "there is somebody to see events", "streams are refused with 403, or stay silent"),
    query!(
        "redactions",
        "every redaction is of a type that exists",
        "the field that it should hide is sent to everybody"
    ),
    query!("alert_rules", "every alert rule has something to judge", "the alert never fires, whatever happens"),
    query!("secret_columns", "no column that is sent sounds like a secret", "whoever may see the event gets the value"),
    query!("attached_tables", "some table is attached", "without one there are only the events of rowcast.emit()"),
    query!(
        "producers",
        "our own producers' tables are attached",
        "what they find out is written down, but makes no events"
    ),
    query!(
        "event_trigger",
        "new partitions get their triggers by themselves",
        "writes to a new partition by its own name make no events until it is refreshed"
    ),
];

const MIGRATIONS: Check = Check {
    code: "migrations",
    fine: "the database is up to date",
    why: "a server brings it up to date when it starts, if its role may; otherwise it refuses to start",
};

/// Everything that is checked, in order: for tests and documentation.
#[must_use]
pub fn codes() -> Vec<&'static str> {
    let queries = ANYWHERE.iter().chain(&CHECKS).map(|(check, _)| check.code);
    links::CHECKS.iter().map(|check| check.code).chain([MIGRATIONS.code]).chain(queries).collect()
}

/// Looks at the database at `url`, which servers hear by way of `notify_url` (none: in the same way).
pub async fn examine(url: &str, notify_url: Option<&str>) -> Vec<Finding> {
    match (own_target(url), notify_url.map(own_target).transpose()) {
        (Ok(target), Ok(notify)) => examine_at(&target, notify.as_ref()).await,
        (Err(error), _) => vec![links::CONNECTION.finding(
            Level::Problem,
            error.to_string(),
            "set DATABASE_URL to postgres://user:password@host/database; docs/postgres-tls.md has what may follow after a ?",
        )],
        (_, Err(error)) => {
            let fix = "set ROWCAST_NOTIFY_DATABASE_URL to postgres://user:password@host/database, or leave it out";
            vec![links::CONNECTION.finding(Level::Problem, format!("ROWCAST_NOTIFY_DATABASE_URL: {error}"), fix)]
        }
    }
}

/// Under a name of its own, so that it is not taken for a server.
fn own_target(url: &str) -> Result<Target, target::Error> {
    Target::parse(url).map(|target| target.named("rowcast doctor"))
}

async fn examine_at(target: &Target, notify: Option<&Target>) -> Vec<Finding> {
    let mut client = match links::connect(target).await {
        Ok(client) => client,
        Err(finding) => return vec![finding],
    };
    let mut findings = vec![links::CONNECTION.fine()];
    findings.extend(links::examine(&client, target, notify).await);
    for (check, query) in ANYWHERE {
        findings.extend(run(&mut client, check, query).await);
    }
    let (migrated, finding) = migrations(&client).await;
    findings.push(finding);
    if migrated {
        for (check, query) in CHECKS {
            findings.extend(run(&mut client, check, query).await);
        }
    }
    findings
}

/// Whether there is anything of rowcast's to look at, and whether it is what we would make.
async fn migrations(client: &Client) -> (bool, Finding) {
    let finding = |level, what: &str, fix: &str| MIGRATIONS.finding(level, what, fix);
    match migrate::state(client).await {
        Ok(migrate::State::Current) => (true, MIGRATIONS.fine()),
        Ok(migrate::State::Newer) => {
            let what = "a newer rowcast has migrated this database";
            (true, finding(Level::Warning, what, "install the rowcast that the servers run, and ask that one"))
        }
        Ok(migrate::State::Older) => {
            let what = "the database was migrated by another, mostly an older rowcast";
            (true, finding(Level::Warning, what, "rowcast migrate  # as the role that owns the schema rowcast"))
        }
        Ok(migrate::State::Missing) => {
            let what = "there is no schema rowcast, or this role may not use it";
            let fix = "rowcast migrate  # as a role that may create a schema; or, as its owner: GRANT rowcast_server TO <this role>;";
            (false, finding(Level::Problem, what, fix))
        }
        Err(error) => (false, finding(Level::Problem, &error.to_string(), "rowcast migrate")),
    }
}

async fn run(client: &mut Client, check: Check, query: &str) -> Vec<Finding> {
    match ask(client, query).await {
        Ok(rows) if rows.is_empty() => vec![check.fine()],
        Ok(rows) => rows.iter().map(|row| judged(check, row)).collect(),
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            let what = format!("could not be looked at: {}", reason(&error));
            vec![check.finding(Level::Unknown, what, "ask again as the role that owns the schema rowcast")]
        }
        Err(error) => {
            vec![check.finding(Level::Unknown, format!("could not be looked at: {}", reason(&error)), "")]
        }
    }
}

async fn ask(client: &mut Client, query: &str) -> Result<Vec<SimpleQueryRow>, tokio_postgres::Error> {
    // Without prepared statements, which some poolers do not carry.
    let transaction = client.build_transaction().read_only(true).start().await?;
    transaction.batch_execute(include_str!("../../../sql/queries/limit_doctor.sql")).await?;
    let messages = transaction.simple_query(query).await?;
    transaction.rollback().await?;
    Ok(rows(messages))
}

fn rows(messages: Vec<SimpleQueryMessage>) -> Vec<SimpleQueryRow> {
    let row = |message| if let SimpleQueryMessage::Row(row) = message { Some(row) } else { None };
    messages.into_iter().filter_map(row).collect()
}

fn judged(check: Check, row: &SimpleQueryRow) -> Finding {
    let text = |column| row.get(column).unwrap_or_default();
    let level = match text("level") {
        "ok" => Level::Ok,
        "unknown" => Level::Unknown,
        "warning" => Level::Warning,
        _ => Level::Problem,
    };
    check.finding(level, text("what"), text("fix"))
}
