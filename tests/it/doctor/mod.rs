//! `rowcast doctor`: each finding is provoked on a real database, and its own fix makes it go away.

mod alerts;
mod capture;
mod house;
mod people;
mod reach;
mod server;

use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tokio_postgres::Client;

use crate::harness::{Database, Role};

/// What the doctor said.
struct Examination {
    code: Option<i32>,
    findings: Vec<Value>,
}

impl Examination {
    /// Reads what was printed with `--json`.
    fn read(output: &Output) -> Self {
        let findings = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        Self { code: output.status.code(), findings }
    }

    /// Findings of this code, as level and what.
    fn of(&self, code: &str) -> Vec<(&str, &str)> {
        let findings = self.findings.iter().filter(|finding| finding["code"] == code);
        findings.map(|finding| (finding["level"].as_str().unwrap(), finding["what"].as_str().unwrap())).collect()
    }

    /// The one finding of this code.
    fn one(&self, code: &str) -> (&str, &str) {
        let found = self.of(code);
        assert_eq!(found.len(), 1, "{code}: {found:?}");
        found[0]
    }

    fn level(&self, code: &str) -> &str {
        self.one(code).0
    }

    fn fixes(&self, code: &str) -> Vec<String> {
        let findings = self.findings.iter().filter(|finding| finding["code"] == code);
        findings.map(|finding| finding["fix"].as_str().expect("a finding without a fix").to_owned()).collect()
    }
}

/// Runs the program without anything of the environment's that could lead it elsewhere.
async fn run(url: &str, arguments: &[&str]) -> Output {
    run_with(url, arguments, &[]).await
}

/// The same, with further environment variables.
async fn run_with(url: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rowcast"));
    command.arg("doctor").args(arguments).env("DATABASE_URL", url).env_remove("ROWCAST_NOTIFY_DATABASE_URL");
    command.envs(environment.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

async fn examine_at(url: &str, arguments: &[&str]) -> Examination {
    Examination::read(&run(url, &[&["--json"], arguments].concat()).await)
}

async fn examine(db: &Database) -> Examination {
    examine_at(&db.url_as(Role::Superuser), &[]).await
}

/// A table of the writer's, attached.
async fn attached(db: &Database) -> Client {
    let writer = db.connect_as(Role::Writer).await;
    let table = "CREATE TABLE docs (id bigint PRIMARY KEY, organization_id text, title text);
                 SELECT rowcast.attach('docs', 'document_processing', organization_id => 'r.organization_id')";
    writer.batch_execute(table).await.unwrap();
    writer
}

/// Nothing is wrong; then somebody does this; then it is found as `level` and `what`; then the fix is run by `doctor`, and nothing is wrong again.
async fn is_found_and_mended(db: &Database, code: &str, provoke: &str, expected: (&str, &str), mender: &Client) {
    let superuser = db.connect_as(Role::Superuser).await;
    assert_eq!(examine(db).await.level(code), "ok", "before");
    superuser.batch_execute(provoke).await.unwrap();
    let examination = examine(db).await;
    let (level, what) = examination.one(code);
    assert_eq!(level, expected.0);
    assert!(what.contains(expected.1), "{what}");
    assert_eq!(examination.code, Some(if level == "problem" { 2 } else { 1 }));
    for fix in examination.fixes(code) {
        mender.batch_execute(&fix).await.unwrap_or_else(|error| panic!("{fix}: {error:?}"));
    }
    let after = examine(db).await;
    assert_eq!(after.level(code), "ok", "{:?}", after.one(code));
}
