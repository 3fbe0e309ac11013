//! What the tailer tells about itself.

use std::sync::Arc;

use jiff::Timestamp;

use super::alertness::Alertness;
use crate::{
    event::{Audience, Event},
    frontier::Frontier,
    metrics::Metrics,
};

/// The tailer's part of the server's figures.
pub(super) struct Figures {
    metrics: Arc<Metrics>,
    /// What was written before this was not late by any fault of this server.
    began: Timestamp,
    /// The settled floor while a gap holds it.
    held_at: Option<i64>,
}

impl Figures {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, began: Timestamp::now(), held_at: None }
    }

    /// An event was read for the first time.
    pub(super) fn read(&self, event: &Event) {
        self.metrics.events_read.inc(&event.event_type);
        if event.audience == Audience::Nobody {
            self.metrics.events_for_nobody.inc();
        }
        if event.created_at >= self.began {
            self.metrics.tailing_lag_seconds.observe_since(event.created_at);
        }
    }

    /// A step has ended well.
    pub(super) fn stepped(&mut self, frontier: &Frontier, alertness: &Alertness) {
        let metrics = &self.metrics;
        metrics.tailer_steps.inc();
        metrics.tailer_age_seconds.mark();
        metrics.doorbell_is(alertness.name());
        let gaps = frontier.gaps();
        metrics.gaps.set(i64::try_from(gaps).unwrap_or(i64::MAX));
        metrics.settled_lag.set(frontier.high().saturating_sub(frontier.floor()).max(0));
        let held_at = (gaps > 0).then(|| frontier.floor());
        if held_at != self.held_at {
            match held_at {
                Some(_) => metrics.gap_age_seconds.mark(),
                None => metrics.gap_age_seconds.clear(),
            }
            self.held_at = held_at;
        }
    }

    /// Events reach clients as they commit, or the database is away.
    pub(super) fn live(&self, live: bool) {
        self.metrics.tailer_live.set(live.into());
        if !live {
            self.metrics.tailer_failures.inc();
        }
    }
}
