//! Metrics with labels, and those that have to be taken back: one line where something happens.

use std::sync::Arc;

use prometheus_client::{encoding::EncodeLabelSet, metrics::gauge::Gauge};

use super::Metrics;

/// The states of the doorbell.
const DOORBELL: [&str; 4] = ["asleep", "dozing", "awake", "unrung"];

/// Why something happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Reason {
    reason: &'static str,
}

/// What became of something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Outcome {
    outcome: &'static str,
}

/// Where something comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Source {
    source: &'static str,
}

/// Which of several states.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct State {
    state: &'static str,
}

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Watched {
    component: &'static str,
    metric: &'static str,
}

/// A status of HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Status {
    status: u16,
}

impl Metrics {
    /// A stream was opened; it counts as open until what is returned is dropped.
    #[must_use]
    pub fn open_connection(self: &Arc<Self>) -> OpenConnection {
        self.connections_opened.inc();
        OpenConnection { _open: Raised::new(&self.connections), metrics: Arc::clone(self), reason: "client" }
    }

    /// A client was told to fetch anew.
    pub fn reset(&self, reason: &'static str) {
        self.resets.get_or_create(&Reason { reason }).inc();
    }

    /// A request was refused for being one too many.
    pub fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&Reason { reason }).inc();
    }

    /// Sentry has sent something, and this became of it.
    pub fn sentry_webhook(&self, outcome: &'static str) {
        self.sentry_webhooks.get_or_create(&Outcome { outcome }).inc();
    }

    /// A client came back with a cursor, and reads what it missed from the `log` or the `outbox`.
    pub fn replay(&self, source: &'static str) {
        self.replays.get_or_create(&Source { source }).inc();
    }

    /// A request was answered.
    pub fn response(&self, status: u16) {
        self.responses.get_or_create(&Status { status }).inc();
    }

    /// A figure is this bad: 0 healthy, 1 degraded, 2 down.
    pub fn health_is(&self, component: &'static str, metric: &'static str, badness: u8) {
        self.health.get_or_create(&Watched { component, metric }).set(badness.into());
    }

    /// It is not for this server to say how a figure is.
    pub fn health_is_unknown(&self, component: &'static str, metric: &'static str) {
        self.health.remove(&Watched { component, metric });
    }

    /// The doorbell is in this state and in no other.
    pub fn doorbell_is(&self, current: &'static str) {
        for state in DOORBELL {
            self.doorbell.get_or_create(&State { state }).set((state == current).into());
        }
    }
}

/// A stream that is open.
#[derive(Debug)]
pub struct OpenConnection {
    _open: Raised,
    metrics: Arc<Metrics>,
    reason: &'static str,
}

impl OpenConnection {
    /// It is this server that ends it, for this reason.
    pub fn close(&mut self, reason: &'static str) {
        self.reason = reason;
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        let reason = if std::thread::panicking() { "panic" } else { self.reason };
        self.metrics.connections_closed.get_or_create(&Reason { reason }).inc();
    }
}

/// Holds a gauge up by one for as long as it lives.
#[derive(Debug)]
pub struct Raised(Gauge);

impl Raised {
    /// Raises it.
    #[must_use]
    pub fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_open_until_it_is_dropped_and_closes_once_for_one_reason() {
        let metrics = Arc::new(Metrics::default());
        let gone = metrics.open_connection();
        let mut closed = metrics.open_connection();
        assert_eq!((metrics.connections.get(), metrics.connections_opened.get()), (2, 2));
        closed.close("token_expired");
        drop((gone, closed));
        let panicked = metrics.open_connection();
        std::thread::spawn(move || {
            let _open = panicked;
            panic!("as a stream might");
        })
        .join()
        .unwrap_err();
        assert_eq!(metrics.connections.get(), 0);
        for reason in ["client", "token_expired", "panic"] {
            let line = format!("rowcast_connections_closed_total{{reason=\"{reason}\"}} 1");
            assert!(metrics.text().lines().any(|found| found == line), "{line}");
        }
    }

    #[test]
    fn the_doorbell_is_in_one_state() {
        let metrics = Metrics::default();
        metrics.doorbell_is("awake");
        metrics.doorbell_is("asleep");
        let text = metrics.text();
        assert!(
            text.contains("rowcast_doorbell{state=\"asleep\"} 1") && text.contains("{state=\"awake\"} 0"),
            "{text}"
        );
    }
}
