//! A counter for each type of event. The table of types is the adopter's and may be long, so there is an end to it here.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
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
    /// The same counters, for those who want to know them all.
    types: Arc<Mutex<BTreeMap<Box<str>, Counter>>>,
}

impl PerType {
    /// There was one of this type.
    pub fn inc(&self, event_type: &str) {
        let labels = Labels { r#type: event_type.into() };
        if let Some(counter) = self.counters.get(&labels) {
            counter.inc();
            return;
        }
        let mut types = self.types.lock().unwrap_or_else(PoisonError::into_inner);
        let name = if types.len() < MOST_TYPES { event_type } else { "other" };
        let counter = self.counters.get_or_create(&Labels { r#type: name.into() }).clone();
        counter.inc();
        types.insert(name.into(), counter);
    }

    /// How many there were, of each type.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Box<str>, u64> {
        let types = self.types.lock().unwrap_or_else(PoisonError::into_inner);
        types.iter().map(|(name, counter)| (name.clone(), counter.get())).collect()
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
        let counts = metrics.events_read.counts();
        assert_eq!((counts.len(), counts["type_0"]), (MOST_TYPES + 1, 2));
        let text = metrics.text();
        let counted: Vec<_> = text.lines().filter(|line| line.starts_with("rowcast_events_read_total{")).collect();
        assert_eq!(counted.len(), MOST_TYPES + 1);
        assert!(counted.contains(&format!("rowcast_events_read_total{{type=\"other\"}} {MOST_TYPES}").as_str()));
        assert!(counted.contains(&"rowcast_events_read_total{type=\"type_0\"} 2"));
    }
}
