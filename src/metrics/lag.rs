//! How late events are: a histogram of seconds.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder},
    metrics::{MetricType, histogram::Histogram},
};

/// From a quiet system to a database that was away over night. Fine where it should be, coarse where only the fact matters.
const BUCKETS: [f64; 15] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0, 3600.0];

/// How late events are. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Lag {
    all: Histogram,
    recent: Arc<Recent>,
}

/// What has been observed since somebody asked last, in microseconds.
#[derive(Debug, Default)]
struct Recent {
    count: AtomicU64,
    sum: AtomicU64,
    most: AtomicU64,
}

impl Default for Lag {
    fn default() -> Self {
        Self { all: Histogram::new(BUCKETS), recent: Arc::default() }
    }
}

impl Lag {
    /// Something that was written at `then` arrives now. The clocks may be two: what arrives before it was written is on time.
    pub fn observe_since(&self, then: Timestamp) {
        let lag = Duration::try_from(Timestamp::now().duration_since(then)).unwrap_or_default();
        self.all.observe(lag.as_secs_f64());
        let micros = u64::try_from(lag.as_micros()).unwrap_or(u64::MAX);
        self.recent.count.fetch_add(1, Ordering::Relaxed);
        self.recent.sum.fetch_add(micros, Ordering::Relaxed);
        self.recent.most.fetch_max(micros, Ordering::Relaxed);
    }

    /// The mean and the most since this was last asked; none if there was nothing.
    #[must_use]
    pub fn take_recent(&self) -> Option<(Duration, Duration)> {
        let Recent { count, sum, most } = &*self.recent;
        let [count, sum, most] = [count, sum, most].map(|figure| figure.swap(0, Ordering::Relaxed));
        let mean = sum.checked_div(count)?;
        Some((Duration::from_micros(mean), Duration::from_micros(most)))
    }
}

impl EncodeMetric for Lag {
    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result {
        self.all.encode(encoder)
    }

    fn metric_type(&self) -> MetricType {
        self.all.metric_type()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recent_is_told_once() {
        let lag = Lag::default();
        assert_eq!(lag.take_recent(), None);
        let now = Timestamp::now();
        lag.observe_since(now - Duration::from_secs(1));
        lag.observe_since(now - Duration::from_secs(3));
        // What arrives before it was written is on time.
        lag.observe_since(now + Duration::from_mins(1));
        let (mean, most) = lag.take_recent().unwrap();
        assert!(mean >= Duration::from_millis(1_333) && mean < Duration::from_secs(2), "{mean:?}");
        assert!(most >= Duration::from_secs(3) && most < Duration::from_secs(4), "{most:?}");
        assert_eq!(lag.take_recent(), None);
    }
}
