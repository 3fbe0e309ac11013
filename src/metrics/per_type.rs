//! A counter for each type of event. The table of types is the adopter's and may be long, so there is an end to it here.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder},
    metrics::{MetricType, counter::Counter, family::Family},
};

/// Types beyond about this many are counted as `other`.
const MOST_TYPES: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    r#type: Box<str>,
}

/// A counter for each type of event. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct PerType {
    counters: Family<Labels, Counter>,
    types: Arc<AtomicUsize>,
}

impl PerType {
    /// There was one of this type.
    pub fn inc(&self, event_type: &str) {
        let labels = Labels { r#type: event_type.into() };
        if let Some(counter) = self.counters.get(&labels) {
            counter.inc();
            return;
        }
        let known = self.types.fetch_add(1, Ordering::Relaxed);
        let labels = if known < MOST_TYPES { labels } else { Labels { r#type: "other".into() } };
        self.counters.get_or_create(&labels).inc();
    }
}

impl EncodeMetric for PerType {
    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result {
        self.counters.encode(encoder)
    }

    fn metric_type(&self) -> MetricType {
        self.counters.metric_type()
    }

    fn is_empty(&self) -> bool {
        self.counters.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn types_are_counted_apart_up_to_a_limit() {
        let metrics = Metrics::default();
        for number in (0..2 * MOST_TYPES).chain([0]) {
            metrics.events_read.inc(&format!("type_{number}"));
        }
        let text = metrics.text();
        let counted: Vec<_> = text.lines().filter(|line| line.starts_with("rowcast_events_read_total{")).collect();
        assert_eq!(counted.len(), MOST_TYPES + 1);
        assert!(counted.contains(&format!("rowcast_events_read_total{{type=\"other\"}} {MOST_TYPES}").as_str()));
        assert!(counted.contains(&"rowcast_events_read_total{type=\"type_0\"} 2"));
    }
}
