//! Every setting of the server, in one place: flag, environment variable, default and meaning.
#![expect(clippy::doc_markdown, reason = "these comments are what --help prints")]

use std::{net::SocketAddr, str::FromStr, time::Duration};

use clap::Args;
use jiff::SignedDuration;

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
    #[arg(long, env = "ROWCAST_LISTEN_ADDR", default_value = "127.0.0.1:8080", value_parser = address)]
    pub listen_addr: SocketAddr,

    /// Where GET /metrics answers: `same` as the streams, an address of its own such as 127.0.0.1:9187, or `off`. It tells totals,
    /// nothing of any user or organization.
    #[arg(long, env = "ROWCAST_METRICS_ADDR", default_value = "same")]
    pub metrics_addr: MetricsAddr,

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

    /// How much memory recent events may take; older ones are read from the outbox.
    #[arg(long, env = "ROWCAST_LOG_MIB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub log_mib: u32,
}

/// Where the figures for Prometheus are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsAddr {
    /// At the address of the streams.
    Same,
    /// At an address of their own, and nowhere else.
    Own(SocketAddr),
    /// Nowhere.
    Off,
}

impl FromStr for MetricsAddr {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "same" => Ok(Self::Same),
            "off" => Ok(Self::Off),
            _ => {
                text.parse().map(Self::Own).map_err(|_| "expected `same`, `off`, or an address such as 127.0.0.1:9187")
            }
        }
    }
}

/// Reads `127.0.0.1:8080` and the like.
///
/// # Errors
/// When the text is no address with a port.
pub fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| {
        "expected an IP address with a port, no name: 127.0.0.1:8080 for this machine alone, 0.0.0.0:8080 or [::]:8080 for all who can reach it"
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_numbers() {
        assert!(["127.0.0.1:8080", "[::1]:0"].iter().all(|text| address(text).is_ok()));
        assert!(["localhost:8080", "8080", ":8080", "127.0.0.1"].iter().all(|text| address(text).is_err()));
        assert_eq!("off".parse(), Ok(MetricsAddr::Off));
        assert!("9187".parse::<MetricsAddr>().is_err());
    }

    #[test]
    fn durations_are_positive_and_have_units() {
        assert_eq!(duration("15s"), Ok(Duration::from_secs(15)));
        assert_eq!(duration("2h 30m"), Ok(Duration::from_mins(150)));
        assert!(["", "15", "-1s", "0s", "soon"].iter().all(|text| duration(text).is_err()));
    }
}
