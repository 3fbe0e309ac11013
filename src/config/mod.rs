//! Every setting of the server, in one place: flag, environment variable, default and meaning.
#![expect(clippy::doc_markdown, reason = "these comments are what --help prints")]

mod activity;
mod alerts;
mod health;
mod metrics;
mod producers;
mod sentry;
mod values;

use std::{net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use clap::Args;
use ipnet::IpNet;

pub use self::activity::Activity;
pub use self::alerts::{Alerts, Evaluation};
pub use self::health::Health;
pub use self::metrics::Metrics;
pub use self::producers::Producers;
pub use self::sentry::Sentry;
pub use self::values::{List, address, duration, retention};

/// What a server needs to know.
#[derive(Args, Clone)]
pub struct Config {
    /// Where the tables are, as postgres://user:password@host/database; ?sslmode=verify-full&sslrootcert=… makes sure that it is they.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,

    /// The secret that tokens are signed with (HS256), at least 32 bytes. Either this or --jwks-url.
    #[arg(long, env = "ROWCAST_JWT_SECRET", hide_env_values = true)]
    pub jwt_secret: Option<String>,

    /// Where the issuer of tokens publishes its keys (JWKS; RS256, ES256, EdDSA). Either this or --jwt-secret.
    #[arg(long, env = "ROWCAST_JWKS_URL")]
    pub jwks_url: Option<String>,

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

    /// Look for events this often, instead of being woken by NOTIFY: for where the process may be frozen at any time, as on AWS Lambda.
    #[arg(long, env = "ROWCAST_POLL", value_parser = duration)]
    pub poll: Option<Duration>,

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

    #[command(flatten)]
    #[allow(missing_docs, reason = "as above")]
    pub tokens: Tokens,

    #[command(flatten)]
    #[allow(missing_docs, reason = "as above")]
    pub limits: Limits,

    #[command(flatten)]
    #[allow(missing_docs, reason = "as above")]
    pub transport: Transport,

    #[command(flatten)]
    #[allow(missing_docs, reason = "as above")]
    pub producers: Producers,
}

/// Which tokens are believed, and how they may be brought.
#[derive(Args, Clone)]
pub struct Tokens {
    /// Only tokens with this `iss` are accepted.
    #[arg(long, env = "ROWCAST_JWT_ISSUER")]
    pub jwt_issuer: Option<String>,

    /// Only tokens with this `aud` are accepted.
    #[arg(long, env = "ROWCAST_JWT_AUDIENCE")]
    pub jwt_audience: Option<String>,

    /// The name of an HttpOnly cookie that may bring the token, from pages of this server's own origin or of --allowed-origins.
    #[arg(long, env = "ROWCAST_TOKEN_COOKIE")]
    pub token_cookie: Option<String>,

    /// Accept tokens as `access_token` in the query too. URLs end up in the logs of whatever is in between: tickets are better.
    #[arg(long, env = "ROWCAST_URL_TOKENS", default_value_t = false, num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub url_tokens: bool,
}

/// How much of everything there may be. What is over is refused, with a time to come back at; no event is ever dropped.
#[derive(Args, Clone)]
pub struct Limits {
    /// Streams and waiting polls at a time, on this server.
    #[arg(long, env = "ROWCAST_MAX_CONNECTIONS", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: u32,

    /// Streams of one user at a time, on all servers together.
    #[arg(long, env = "ROWCAST_MAX_CONNECTIONS_PER_USER", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections_per_user: u32,

    /// Streams and waiting polls at a time from one address, on this server; see --trusted-proxies.
    #[arg(long, env = "ROWCAST_MAX_CONNECTIONS_PER_ADDRESS", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections_per_address: u32,

    /// Streams that one user may open in a minute, on all servers together.
    #[arg(long, env = "ROWCAST_CONNECTS_PER_MINUTE", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    pub connects_per_minute: u32,

    /// Changes of subscriptions, renewals and tickets that one user may ask for in a minute, on all servers together.
    #[arg(long, env = "ROWCAST_COMMANDS_PER_MINUTE", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    pub commands_per_minute: u32,

    /// Bytes of a request line and its headers; at least 8 KiB. Tokens come in headers, and may have 8 KiB themselves.
    #[arg(long, env = "ROWCAST_MAX_HEADER_BYTES", default_value_t = 16 * 1024, value_parser = clap::value_parser!(u32).range(8 * 1024..=1024 * 1024))]
    pub max_header_bytes: u32,

    /// Bytes of a request's body.
    #[arg(long, env = "ROWCAST_MAX_BODY_BYTES", default_value_t = 16 * 1024, value_parser = clap::value_parser!(u32).range(1024..=1024 * 1024))]
    pub max_body_bytes: u32,

    /// Writes to one stream in a second, after which events come in larger batches.
    #[arg(long, env = "ROWCAST_WRITES_PER_SECOND", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub writes_per_second: u32,
}

/// How requests come in.
#[derive(Args, Clone)]
pub struct Transport {
    /// Send streams as gzip to clients that take it: a third less for single small events, nine tenths less for many at once, for some
    /// processor time for each event, however many read it.
    #[arg(long, env = "ROWCAST_COMPRESSION", default_value_t = false, num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub compression: bool,

    /// Origins whose pages may use the API with the user's token, such as `https://app.example.com`; comma-separated. Its own origin may always.
    #[arg(long, env = "ROWCAST_ALLOWED_ORIGINS", default_value = "", hide_default_value = true, value_parser = values::origins)]
    pub allowed_origins: List<String>,

    /// Proxies whose X-Forwarded-For is believed, as addresses or networks; comma-separated; empty: of none.
    #[arg(long, env = "ROWCAST_TRUSTED_PROXIES", default_value = "127.0.0.0/8,::1/128", value_parser = values::networks)]
    pub trusted_proxies: List<IpNet>,

    /// A certificate chain (PEM): speak HTTPS, with HTTP/2. Read again when it changes. Goes with --tls-key.
    #[arg(long, env = "ROWCAST_TLS_CERT", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// The certificate's private key (PEM).
    #[arg(long, env = "ROWCAST_TLS_KEY", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_an_address_or_a_word() {
        assert_eq!("off".parse(), Ok(MetricsAddr::Off));
        assert!("9187".parse::<MetricsAddr>().is_err());
    }
}
