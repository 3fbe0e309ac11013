//! Every figure that the server tells about itself, in one place; `docs/operations.md` says what to do about each.
//!
//! Made once and handed down: there is no global registry, so two servers in one process do not mix. No label has values that users make: there is
//! nothing in here that grows with users or organizations, and nothing that would tell one of them about another.

#![expect(clippy::doc_markdown, reason = "these comments are the help texts of /metrics, which is no Markdown")]

mod age;
mod labels;
mod lag;
mod per_type;

use std::time::{Duration, SystemTime};

use prometheus_client::{
    encoding::{EncodeMetric, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::{Metric, Registry, Unit},
};
use serde_json::{Value, json};

use self::labels::{Outcome, Reason, Source, State, Status, Watched};
pub use self::{
    age::Age,
    labels::{OpenConnection, Raised},
    lag::Lag,
    per_type::PerType,
};

/// The media type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Makes the struct and registers its fields: a field's name is the metric's, a `_seconds` or `_bytes` at its end is the unit, and the
/// comment is the help text.
macro_rules! metrics {
    ($(#[doc = $doc:literal])* pub struct $name:ident { $($(#[doc = $help:literal])+ pub $field:ident: $kind:ty,)* }) => {
        $(#[doc = $doc])*
        #[derive(Debug)]
        pub struct $name {
            registry: Registry,
            $($(#[doc = $help])+ pub $field: $kind,)*
        }

        impl $name {
            /// The names without what all have in common, as they stand in the text but for the `_total` of counters.
            pub const NAMES: &[&str] = &[$(stringify!($field)),*];

            fn register(mut registry: Registry) -> Self {
                $(let $field = register(&mut registry, stringify!($field), concat!($($help),+), <$kind>::default());)*
                Self { registry, $($field,)* }
            }
        }
    };
}

metrics! {
    /// The server's figures.
    pub struct Metrics {
        /// Streams that are open now. A fall to zero while clients are about: look at rowcast_tailer_live and the proxy in front.
        pub connections: Gauge,
        /// Streams opened since the start. Much faster than usual: clients are thrown out and come back; see rowcast_connections_closed_total.
        pub connections_opened: Counter,
        /// Streams ended since the start, by reason: client is one that went away, all others are this server's doing.
        pub connections_closed: Family<Reason, Counter>,
        /// Answers to HTTP requests, by status. Many 401: tokens have expired or the secrets differ. Many 503: the server is not ready.
        pub responses: Family<Status, Counter>,
        /// Requests that were refused for being too many, by reason: raise the limit that it names, or look for a client that opens streams without closing them.
        pub refusals: Family<Reason, Counter>,
        /// Rows of user activity written (ROWCAST_ACTIVITY), each of which is an event.
        pub activity_told: Counter,
        /// What users did with their streams that was not told one by one but in sums. Rising all the time: raise ROWCAST_ACTIVITY_PER_SECOND.
        pub activity_untold: Counter,
        /// Webhooks of Sentry, by what became of them. Many refused: the client secret differs, or somebody else sends them; rowcast_refusals_total has those that were too many.
        pub sentry_webhooks: Family<Outcome, Counter>,
        /// Clients told to fetch anew because their cursor was of no use, by reason.
        pub resets: Family<Reason, Counter>,

        /// Events read from the outbox, by type. Zero while the app writes: is the table attached, its trigger enabled? `rowcast doctor` knows.
        pub events_read: PerType,
        /// Events that nobody may see, because their organization could not be found. Should stay at 0: `rowcast doctor` names the table.
        pub events_for_nobody: Counter,
        /// Events written to clients: one for each event and client.
        pub events_sent: Counter,
        /// Writes to clients that were put off because a stream had so many in that second (ROWCAST_WRITES_PER_SECOND): its events came together.
        pub paced_writes: Counter,
        /// Writes to clients. Many events to a write is cheap, one event to a write is prompt; both are well.
        pub writes: Counter,
        /// Bytes written to clients, without the framing of HTTP.
        pub sent_bytes: Counter,
        /// From the moment that a row was written to that when it was in the log: the app's commit, and this server's reading.
        pub tailing_lag_seconds: Lag,
        /// From the moment that a row was written to that when it was handed to the socket of a client that is up to date; the oldest event of each write.
        pub delivery_lag_seconds: Lag,

        /// 1 when events reach clients as they commit, 0 when the database is away or the server is catching up.
        pub tailer_live: Gauge,
        /// Time since the outbox was last read with success. More than 5 s: the database is away, or answers too slowly.
        pub tailer_age_seconds: Age,
        /// Reads of the outbox by the tailer. Without load about one a second; under load a few hundred.
        pub tailer_steps: Counter,
        /// Reads of the outbox by the tailer that failed. The log says why.
        pub tailer_failures: Counter,
        /// Runs of outbox ids that are missing because their transactions are open. More than 64 for long: a transaction that wrote is left open.
        pub gaps: Gauge,
        /// How long the lowest gap has been the lowest. Minutes: `rowcast doctor` names the transaction that holds it.
        pub gap_age_seconds: Age,
        /// Outbox ids between the settled floor, where a server would begin to read at its start, and the highest one read.
        pub settled_lag: Gauge,
        /// 1 at the state of the doorbell: asleep is woken by NOTIFY, dozing and awake poll, unrung polls because writers never notify.
        pub doorbell: Family<State, Gauge>,
        /// Time since the listening connection proved that it hears. More than 30 s: events come by polling, up to a second late.
        pub listener_age_seconds: Age,
        /// Times that the listening connection was made. Rising steadily: something between here and the database cuts idle connections.
        pub listener_connects: Counter,

        /// Clients that came back with a cursor, by where what they had missed was read: log is memory, outbox is the database.
        pub replays: Family<Source, Counter>,
        /// Streams that read from the outbox now: come back after long, or slower than the log is long. Steady and high: raise ROWCAST_LOG_MIB.
        pub connections_behind: Gauge,
        /// Times that an open stream fell off the log because its client reads too slowly. It loses nothing.
        pub fell_behind: Counter,
        /// Pages of history read from the outbox.
        pub outbox_scans: Counter,
        /// Queries of rowcast.grants. One for many users; rising with every event means that a watched table changes all the time.
        pub grant_queries: Counter,

        /// Times that the keys of the issuer of tokens (ROWCAST_JWKS_URL) were asked for. Every ten minutes; more where tokens name keys that nobody knows.
        pub jwks_fetches: Counter,
        /// Those of them that brought no keys. The log says why; those that are known stay.
        pub jwks_failures: Counter,
        /// Time since keys were fetched with success; 0 without ROWCAST_JWKS_URL. Hours: tokens signed with a new key are refused.
        pub jwks_age_seconds: Age,

        /// Connections to the database that are open for statements.
        pub pool_connections: Gauge,
        /// Those of them that nobody uses.
        pub pool_idle: Gauge,
        /// Requests that wait for a connection. More than 0 for long: raise ROWCAST_DATABASE_CONNECTIONS, or find what is slow.
        pub pool_waiting: Gauge,
        /// The most connections there may be: ROWCAST_DATABASE_CONNECTIONS.
        pub pool_limit: Gauge,
        /// Memory that recent events take. At its limit most of the time, which is what it is for.
        pub log_bytes: Gauge,
        /// Its limit: ROWCAST_LOG_MIB.
        pub log_limit_bytes: Gauge,
        /// Events in the log.
        pub log_entries: Gauge,
        /// How far back the log reaches: who was away for longer is served from the outbox. Less than a minute: raise ROWCAST_LOG_MIB.
        pub log_age_seconds: Age,
        /// Time since partitions were last looked after, by whichever server. Hours: look for `maintenance` in the log; `rowcast doctor` says more.
        pub maintenance_age_seconds: Age,

        /// How the parts of the platform are, by component and metric: 0 healthy, 1 degraded, 2 down. Told by the server that measures it now, and by no other; rowcast.health says why.
        pub health: Family<Watched, Gauge>,
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("rowcast");
        registry.register("build", "The rowcast that runs", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        let start: Gauge<f64, std::sync::atomic::AtomicU64> = Gauge::default();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        start.set(now.as_secs_f64());
        registry.register_with_unit("start_time", "When this server started, in Unix time", Unit::Seconds, start);
        let metrics = Self::register(registry);
        // What has yet to be heard of for the first time has been silent since the start.
        metrics.tailer_age_seconds.mark();
        metrics.listener_age_seconds.mark();
        metrics
    }
}

impl Metrics {
    /// Everything in the text format of OpenMetrics, which Prometheus reads.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }

    /// What all servers tell each other of themselves, as JSON. The lag is that of what was delivered since this was last asked.
    #[must_use]
    pub fn summary(&self) -> Value {
        let lag = self.delivery_lag_seconds.take_recent();
        json!({
            "eventsRead": self.events_read.counts(),
            "eventsSent": self.events_sent.get(),
            "connectionsOpened": self.connections_opened.get(),
            "deliveryLag": lag.map(|(mean, most)| json!({"meanMs": milliseconds(mean), "maxMs": milliseconds(most)})),
        })
    }
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

fn register<M: Metric + EncodeMetric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    // The encoder puts a full stop at the end.
    let help = help.trim().trim_end_matches('.');
    let unit = [("_seconds", Unit::Seconds), ("_bytes", Unit::Bytes)];
    match unit.into_iter().find_map(|(suffix, unit)| Some((name.strip_suffix(suffix)?, unit))) {
        Some((stem, unit)) => registry.register_with_unit(stem, help, unit, metric.clone()),
        None => registry.register(name, help, metric.clone()),
    }
    metric
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_their_units_and_every_metric_says_what_it_is_for() {
        let text = Metrics::default().text();
        for line in [
            "# TYPE rowcast_connections gauge",
            "# TYPE rowcast_sent_bytes counter",
            "# UNIT rowcast_tailing_lag_seconds seconds",
            "rowcast_sent_bytes_total 0",
            concat!("rowcast_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        let help: Vec<_> = text.lines().filter(|line| line.starts_with("# HELP ")).collect();
        assert!(help.len() > 30 && help.iter().all(|line| line.ends_with('.') && !line.ends_with("..")), "{help:#?}");
        assert!(text.ends_with("# EOF\n"));
    }
}
