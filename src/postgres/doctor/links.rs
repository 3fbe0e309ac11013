//! What lies between a server and its database: connection, clock, pooler, and whether a notification arrives.

use std::{
    future::poll_fn,
    time::{Duration, Instant, SystemTime},
};

use tokio_postgres::{AsyncMessage, Client};

use super::{Check, Error, Finding, Level, rows};
use crate::postgres::{Target, pooler::is_pooled};

pub(super) const CONNECTION: Check =
    Check { code: "connection", fine: "the database can be reached", why: "without it there is nothing to stream" };
const ENCRYPTION: Check = Check {
    code: "encryption",
    fine: "nobody in between can listen",
    why: "whoever is between here and the database reads and may change all of it: passwords, events, and who may see what",
};
const POOLER: Check = Check {
    code: "pooler",
    fine: "connections keep their process",
    why: "a pooler in transaction mode forgets LISTEN and the lock that makes writers ring: events come by polling, up to a second late",
};
const LISTENER: Check = Check {
    code: "listener",
    fine: "a notification arrives",
    why: "sleeping servers are not woken: events come by polling, up to a second late",
};
const CLOCK: Check = Check {
    code: "clock",
    fine: "the clocks agree",
    why: "times of tokens are judged by the server's clock, times of events by the database's; lags in /metrics are wrong by the difference",
};

pub(super) const CHECKS: [Check; 5] = [CONNECTION, ENCRYPTION, POOLER, LISTENER, CLOCK];

/// How long a notification may take.
const HEARING: Duration = Duration::from_secs(3);

/// Clocks may differ by this much before it is worth a word, and before tokens are refused for it.
const SKEW: (f64, f64) = (2.0, 60.0);

/// Connects; a finding if that fails.
pub(super) async fn connect(target: &Target) -> Result<Client, Finding> {
    let (client, connection) = target.connect().await.map_err(|error| {
        let what = format!("no connection: {}", super::reason(&error));
        CONNECTION.finding(
            Level::Problem,
            what,
            "see that Postgres runs and that DATABASE_URL names it: psql \"$DATABASE_URL\" -c 'SELECT 1'",
        )
    })?;
    tokio::spawn(connection);
    Ok(client)
}

/// Looks at what `client`, a connection to `target`, is connected through.
pub(super) async fn examine(client: &Client, target: &Target, notify: Option<&Target>) -> Vec<Finding> {
    let failed = |check: Check, error: Error| check.finding(Level::Unknown, error.to_string(), "");
    let encryption = encryption(client, target).await.unwrap_or_else(|error| failed(ENCRYPTION, error));
    let pooled = match is_pooled(target).await {
        Ok(false) => POOLER.fine(),
        Ok(true) if notify.is_some() => {
            POOLER.finding(Level::Ok, "a pooler in transaction mode; servers listen by ROWCAST_NOTIFY_DATABASE_URL", "")
        }
        Ok(true) => {
            let fix = "export ROWCAST_NOTIFY_DATABASE_URL=postgres://…  # the database itself, past the pooler, for the servers";
            POOLER.finding(Level::Problem, "DATABASE_URL goes through a pooler in transaction mode", fix)
        }
        Err(error) => failed(POOLER, error.into()),
    };
    let heard = match hears(client, notify.unwrap_or(target)).await {
        Ok(Some(took)) => {
            LISTENER.finding(Level::Ok, format!("a notification arrives, in {:.1} ms", took.as_secs_f64() * 1e3), "")
        }
        Ok(None) => {
            let what = "notifications do not arrive where servers listen";
            let fix = "export ROWCAST_NOTIFY_DATABASE_URL=postgres://…  # the primary itself: no pooler, no standby, the same database";
            LISTENER.finding(Level::Problem, what, fix)
        }
        Err(error) => failed(LISTENER, error),
    };
    let clock = clock(client).await.unwrap_or_else(|error| failed(CLOCK, error));
    vec![encryption, pooled, heard, clock]
}

/// How long a notification takes from `client` to a connection to `target`, if it arrives.
async fn hears(client: &Client, target: &Target) -> Result<Option<Duration>, Error> {
    // Nothing would arrive, and LISTEN would stay with a connection of the pooler's for others to stumble over.
    if is_pooled(target).await? {
        return Ok(None);
    }
    let (listener, mut connection) = target.connect().await?;
    let mut heard = Box::pin(async {
        loop {
            match poll_fn(|context| connection.poll_message(context)).await {
                Some(Ok(AsyncMessage::Notification(_))) => return Ok(()),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(Error::from(error)),
                // Not before the client is dropped, unless somebody ends it.
                None => return std::future::pending().await,
            }
        }
    });
    tokio::select! {
        ended = &mut heard => ended?,
        listening = listener.batch_execute(include_str!("../../../sql/queries/listen_doctor.sql")) => listening?,
    }
    let begun = Instant::now();
    client.batch_execute(include_str!("../../../sql/queries/notify_doctor.sql")).await?;
    match tokio::time::timeout(HEARING, heard).await {
        Ok(heard) => heard.map(|()| Some(begun.elapsed())),
        Err(_) => Ok(None),
    }
}

async fn encryption(client: &Client, target: &Target) -> Result<Finding, Error> {
    let messages = client.simple_query(include_str!("../../../sql/queries/read_encryption.sql")).await?;
    let rows = rows(messages);
    let text = |column| rows.first().and_then(|row| row.get(column));
    // A pooler in between ends our TLS, and Postgres knows of its own connections only.
    let encrypted = target.demands_tls() || text("encrypted") == Some("t");
    Ok(judge_encryption(
        encrypted.then(|| text("version").unwrap_or("TLS")),
        target.verifies_host(),
        text("near") == Some("t"),
    ))
}

/// `near`: what is said does not leave the machine.
fn judge_encryption(version: Option<&str>, verified: bool, near: bool) -> Finding {
    match version {
        None if near => ENCRYPTION.finding(Level::Ok, "the connection does not leave this machine", ""),
        None => {
            let fix = "export DATABASE_URL=\"$DATABASE_URL?sslmode=verify-full&sslrootcert=…\"  # docs/postgres-tls.md; or & for ?";
            ENCRYPTION.finding(Level::Warning, "the connection to the database is not encrypted", fix)
        }
        Some(version) if verified => ENCRYPTION.finding(
            Level::Ok,
            format!("the connection is encrypted ({version}), and the server is the one that was asked for"),
            "",
        ),
        Some(version) => {
            let what = format!(
                "the connection is encrypted ({version}); sslmode=verify-full would also see to it that it leads to the right server"
            );
            ENCRYPTION.finding(Level::Ok, what, "")
        }
    }
}

async fn clock(client: &Client) -> Result<Finding, Error> {
    let before = SystemTime::now();
    let messages = client.simple_query(include_str!("../../../sql/queries/read_clock.sql")).await?;
    let took = before.elapsed().unwrap_or_default();
    let theirs: f64 = rows(messages).first().and_then(|row| row.get("now")?.parse().ok()).unwrap_or_default();
    let ours = before + took / 2;
    let ours = ours.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    Ok(judge_clock(theirs - ours))
}

fn judge_clock(ahead: f64) -> Finding {
    let level = match ahead.abs() {
        skew if skew > SKEW.1 => Level::Problem,
        skew if skew > SKEW.0 => Level::Warning,
        _ => return CLOCK.fine(),
    };
    let what = format!("the database's clock is {:.1} s {}", ahead.abs(), if ahead > 0.0 { "ahead" } else { "behind" });
    CLOCK.finding(level, what, "timedatectl set-ntp true  # on both machines")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_machine_has_to_be_encrypted() {
        let level = |version, near| judge_encryption(version, false, near).level;
        assert_eq!(
            [level(None, true), level(None, false), level(Some("TLSv1.3"), false)],
            [Level::Ok, Level::Warning, Level::Ok]
        );
        let said = |verified| judge_encryption(Some("TLSv1.3"), verified, false).what;
        assert!(
            said(true).contains("TLSv1.3")
                && !said(true).contains("verify-full")
                && said(false).contains("verify-full")
        );
    }

    #[test]
    fn clocks_may_differ_a_little() {
        let levels = [0.5, -1.9, 2.5, -30.0, 61.0, -3600.0].map(|ahead| judge_clock(ahead).level);
        let expected = [Level::Ok, Level::Ok, Level::Warning, Level::Warning, Level::Problem, Level::Problem];
        assert_eq!(levels, expected);
        assert!(judge_clock(-3600.0).what.ends_with("3600.0 s behind"));
    }
}
