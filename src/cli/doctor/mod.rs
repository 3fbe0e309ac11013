//! `rowcast doctor`.

mod server;

use std::process::ExitCode;

use crate::postgres::doctor::{self, Finding, Level};

/// Look for what is wrong with a database, and with a running server; change nothing.
///
/// Ends with 0 when all is well, 1 when there are warnings, 2 when there are problems. docs/operations.md explains each finding.
#[derive(clap::Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    database: super::DatabaseUrl,

    /// What servers listen by, where DATABASE_URL goes through a pooler.
    #[arg(long, env = "ROWCAST_NOTIFY_DATABASE_URL", hide_env_values = true)]
    notify_database_url: Option<String>,

    /// A running server to look at too, such as http://127.0.0.1:8080, or https:// and the name that its certificate is for.
    #[arg(long, value_name = "URL")]
    server: Option<String>,

    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let mut findings = doctor::examine(&self.database.database_url, self.notify_database_url.as_deref()).await;
        if let Some(url) = &self.server {
            findings.extend(server::examine(url).await);
        }
        super::answer(&if self.json { serde_json::to_string_pretty(&findings)? } else { text(&findings) })?;
        Ok(exit_code(&findings))
    }
}

/// Everything that may be found: for documentation, and the test that keeps it complete.
#[must_use]
pub fn codes() -> Vec<&'static str> {
    doctor::codes().into_iter().chain(server::CHECKS.iter().map(|check| check.code)).collect()
}

fn exit_code(findings: &[Finding]) -> ExitCode {
    match worst(findings) {
        Level::Ok | Level::Unknown => ExitCode::SUCCESS,
        Level::Warning => ExitCode::from(1),
        Level::Problem => ExitCode::from(2),
    }
}

fn worst(findings: &[Finding]) -> Level {
    findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok)
}

/// The findings for people: a line each, and what to do below those that need it.
fn text(findings: &[Finding]) -> String {
    let mut lines = Vec::new();
    for Finding { code, level, what, why, fix } in findings {
        lines.push(format!("{:8}{code:23}{what}", level.name()));
        if *level > Level::Unknown {
            lines.push(format!("{:8}why: {why}", ""));
        }
        if *level > Level::Ok {
            lines.extend(fix.as_ref().map(|fix| format!("{:8}fix: {fix}", "")));
        }
    }
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let (problems, warnings) = (count(Level::Problem), count(Level::Warning));
    lines.push(match (problems, warnings) {
        (0, 0) => "all is well".to_owned(),
        _ => format!("problems: {problems}, warnings: {warnings}; docs/operations.md says more about each"),
    });
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::doctor::Check;

    const CHECK: Check = Check { code: "teeth", fine: "the teeth are fine", why: "one chews with them" };

    #[test]
    fn the_worst_finding_decides() {
        let levels = [Level::Ok, Level::Unknown, Level::Warning, Level::Problem];
        let findings: Vec<_> = levels.into_iter().map(|level| CHECK.finding(level, "seen", "pull")).collect();
        for (count, level) in (1..).zip(levels) {
            assert_eq!(worst(&findings[..count]), level);
        }
    }

    #[test]
    fn what_needs_doing_is_told_with_why_and_how() {
        let told = text(&[CHECK.fine(), CHECK.finding(Level::Problem, "a hole", "FILL;")]);
        let expected = "ok      teeth                  the teeth are fine\n\
                        problem teeth                  a hole\n        why: one chews with them\n        fix: FILL;\n\
                        problems: 1, warnings: 0; docs/operations.md says more about each";
        assert_eq!(told, expected);
        assert!(text(&[CHECK.fine()]).ends_with("all is well"));
    }
}
