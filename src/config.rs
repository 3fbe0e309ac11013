//! Every setting of the server, in one place: flag, environment variable, default and meaning.
#![expect(clippy::doc_markdown, reason = "these comments are what --help prints")]

use std::{net::SocketAddr, time::Duration};

use clap::Args;
use jiff::{SignedDuration, Span, SpanRelativeTo};

/// What a server needs to know.
#[derive(Args, Clone)]
pub struct Config {
    /// Where the tables are, as postgres://user:password@host/database.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,

    /// The secret that tokens are signed with (HS256), at least 32 bytes.
    #[arg(long, env = "ROWCAST_JWT_SECRET", hide_env_values = true)]
    pub jwt_secret: String,

    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment on a flattened group would become its heading in --help")]
    pub settings: Settings,
}

/// What has a default.
#[derive(Args, Clone)]
pub struct Settings {
    /// A direct connection for LISTEN, where DATABASE_URL goes through a pooler in transaction mode.
    #[arg(long, env = "ROWCAST_NOTIFY_DATABASE_URL", hide_env_values = true)]
    pub notify_database_url: Option<String>,

    /// How many connections to the database may be open for statements; one more listens.
    #[arg(long, env = "ROWCAST_DATABASE_CONNECTIONS", default_value_t = 8, value_parser = clap::value_parser!(u16).range(2..))]
    pub database_connections: u16,

    /// Where to listen; port 0 takes any that is free.
    #[arg(long, env = "ROWCAST_LISTEN_ADDR", default_value = "127.0.0.1:8080")]
    pub listen_addr: SocketAddr,

    /// Only tokens with this `iss` are accepted.
    #[arg(long, env = "ROWCAST_JWT_ISSUER")]
    pub jwt_issuer: Option<String>,

    /// Only tokens with this `aud` are accepted.
    #[arg(long, env = "ROWCAST_JWT_AUDIENCE")]
    pub jwt_audience: Option<String>,

    /// How often an otherwise silent stream says something, which also moves the cursor of quiet clients.
    #[arg(long, env = "ROWCAST_HEARTBEAT", default_value = "15s", value_parser = duration)]
    pub heartbeat: Duration,

    /// Ends each stream after at most this long; the client comes back at once and has lost nothing. For hosts that cut responses off.
    #[arg(long, env = "ROWCAST_MAX_STREAM", value_parser = duration)]
    pub max_stream: Option<Duration>,

    /// How long events are kept: 7d, 36h, or none for ever. Becomes the setting in rowcast.settings; absent, that stays as it is (7 days at first).
    #[arg(long, env = "ROWCAST_RETENTION", value_parser = retention)]
    pub retention: Option<String>,

    /// How much memory recent events may take; older ones are read from the outbox.
    #[arg(long, env = "ROWCAST_LOG_MIB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub log_mib: u32,
}

/// Reads `15s`, `2h 30m` and the like.
///
/// # Errors
/// When the text is no duration, or not a positive one.
pub fn duration(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration = text.parse().map_err(|_| "expected a duration such as 15s, 5m or 2h".to_owned())?;
    Duration::try_from(duration)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "must be more than nothing".to_owned())
}

/// Reads `7d`, `36h`, or `none`, and returns what Postgres calls it.
///
/// # Errors
/// When the text is neither, or no time at all: that is more likely meant to be `none` than to keep nothing.
pub fn retention(text: &str) -> Result<String, String> {
    const DAY: i64 = 24 * 60 * 60;
    if text == "none" {
        return Ok(text.to_owned());
    }
    let span: Span = text.parse().map_err(|_| "expected a length of time such as 7d or 36h, or none".to_owned())?;
    // Longer units have no certain length.
    let seconds = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_or(0, |length| length.as_secs());
    match seconds {
        ..=0 => {
            Err("must be a length of time in days, hours, minutes or seconds, or none to keep events for ever"
                .to_owned())
        }
        days if days % DAY == 0 => Ok(format!("{} days", days / DAY)),
        seconds => Ok(format!("{seconds} seconds")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_positive_and_have_units() {
        assert_eq!(duration("15s"), Ok(Duration::from_secs(15)));
        assert_eq!(duration("2h 30m"), Ok(Duration::from_mins(150)));
        assert!(["", "15", "-1s", "0s", "soon"].iter().all(|text| duration(text).is_err()));
    }

    #[test]
    fn retention_is_some_time_or_for_ever() {
        assert_eq!(retention("7d").as_deref(), Ok("7 days"));
        assert_eq!(retention("2w").as_deref(), Ok("14 days"));
        assert_eq!(retention("1d 30m").as_deref(), Ok("88200 seconds"));
        assert_eq!(retention("none").as_deref(), Ok("none"));
        assert!(["", "7", "0", "0s", "-7d", "1 month", "never"].iter().all(|text| retention(text).is_err()));
    }
}
