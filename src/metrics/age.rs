//! How long ago something was: told at the moment of asking, so that it goes on rising when whatever should have marked it hangs.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder},
    metrics::MetricType,
};

/// Stands for nothing to have an age.
const NOTHING: i64 = i64::MIN;

/// The age of something, 0 while there is nothing. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Age(Arc<Since>);

/// A moment, in milliseconds from `zero` so that it fits into an atomic; negative before.
struct Since {
    zero: Instant,
    moment: AtomicI64,
}

impl Default for Age {
    fn default() -> Self {
        Self(Arc::new(Since { zero: Instant::now(), moment: AtomicI64::new(NOTHING) }))
    }
}

impl Age {
    /// It is as of now.
    pub fn mark(&self) {
        self.mark_ago(Duration::ZERO);
    }

    /// It was this long ago.
    pub fn mark_ago(&self, ago: Duration) {
        self.0.moment.store(millis(self.0.zero.elapsed()) - millis(ago), Ordering::Relaxed);
    }

    /// There is nothing any more.
    pub fn clear(&self) {
        self.0.moment.store(NOTHING, Ordering::Relaxed);
    }

    /// How old it is; zero when there is nothing.
    #[must_use]
    pub fn get(&self) -> Duration {
        match self.0.moment.load(Ordering::Relaxed) {
            NOTHING => Duration::ZERO,
            moment => Duration::from_millis((millis(self.0.zero.elapsed()) - moment).try_into().unwrap_or(0)),
        }
    }
}

fn millis(duration: Duration) -> i64 {
    // A hundred million years fit.
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

impl fmt::Debug for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl EncodeMetric for Age {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_gauge(&self.get().as_secs_f64())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_rises_by_itself_and_may_be_older_than_the_process() {
        let age = Age::default();
        assert_eq!(age.get(), Duration::ZERO);
        age.mark();
        std::thread::sleep(Duration::from_millis(5));
        let then = age.get();
        assert!(then >= Duration::from_millis(4), "{then:?}");
        age.mark_ago(Duration::from_hours(1));
        assert!(age.get() >= Duration::from_hours(1));
        age.clear();
        assert_eq!(age.get(), Duration::ZERO);
    }
}
