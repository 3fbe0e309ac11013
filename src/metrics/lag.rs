//! How late events are: a histogram of seconds.

use std::fmt;

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
pub struct Lag(Histogram);

impl Default for Lag {
    fn default() -> Self {
        Self(Histogram::new(BUCKETS))
    }
}

impl Lag {
    /// Something that was written at `then` arrives now. The clocks may be two: what arrives before it was written is on time.
    pub fn observe_since(&self, then: Timestamp) {
        self.0.observe(Timestamp::now().duration_since(then).as_secs_f64().max(0.0));
    }
}

impl EncodeMetric for Lag {
    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result {
        self.0.encode(encoder)
    }

    fn metric_type(&self) -> MetricType {
        self.0.metric_type()
    }
}
