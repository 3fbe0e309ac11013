//! What is measured of a component: its limits, and how it is told. In our own words alone: nothing that was asked or answered is in them.

use crate::payload::{HealthComponent, HealthStatus};

/// Something that is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// Of what.
    pub component: HealthComponent,
    /// Its name, with its unit.
    pub metric: &'static str,
    /// The unit as people write it.
    pub unit: &'static str,
    /// From where on it is no longer healthy.
    pub threshold: f64,
    /// A sentence with a place for the value.
    pub(super) says: &'static str,
    /// What is said instead when there is no value; the reason follows.
    pub(super) fails: &'static str,
    /// What to do about it.
    pub(super) advice: &'static str,
}

/// What a measurement came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// The figure.
    Value(f64),
    /// There is none.
    Failed {
        /// How long it took to find that out, in milliseconds.
        after: f64,
        /// In our own words.
        why: String,
    },
}

impl Reading {
    /// What is written down as the value.
    #[must_use]
    pub fn value(&self) -> f64 {
        let &(Self::Value(value) | Self::Failed { after: value, .. }) = self;
        // A hundredth is exact enough, and short.
        (value * 100.0).round() / 100.0
    }
}

impl Figure {
    /// A sentence for people.
    #[must_use]
    pub fn message(&self, reading: &Reading) -> String {
        match reading {
            Reading::Failed { why, .. } => format!("{}: {why}.", self.fails),
            Reading::Value(value) => {
                let told = self.says.replace("{}", &format!("{} {}", number(*value), self.unit));
                if *value > self.threshold {
                    format!("{told}, more than {} {}.", number(self.threshold), self.unit)
                } else {
                    format!("{told}.")
                }
            }
        }
    }

    /// What to do, if something is wrong.
    #[must_use]
    pub fn recommendation(&self, status: HealthStatus) -> Option<&'static str> {
        (status != HealthStatus::Healthy).then_some(self.advice)
    }
}

/// Whole where it is large, and with one digit more where it is small.
fn number(value: f64) -> String {
    if value.abs() >= 10.0 || value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIGURE: Figure = Figure {
        component: HealthComponent::Database,
        metric: "query_ms",
        unit: "ms",
        threshold: 1_000.0,
        says: "A query took {}",
        fails: "A query failed",
        advice: "Look for locks.",
    };

    #[test]
    fn sentences_tell_the_value_the_threshold_and_why_there_is_none() {
        assert_eq!(FIGURE.message(&Reading::Value(1.26)), "A query took 1.3 ms.");
        assert_eq!(FIGURE.message(&Reading::Value(1_340.4)), "A query took 1340 ms, more than 1000 ms.");
        let failed = Reading::Failed { after: 3_000.004, why: "no answer in time".into() };
        assert_eq!(FIGURE.message(&failed), "A query failed: no answer in time.");
        assert!((failed.value() - 3_000.0).abs() < f64::EPSILON);
    }

    #[test]
    fn who_is_healthy_needs_no_advice() {
        assert_eq!(FIGURE.recommendation(HealthStatus::Healthy), None);
        assert_eq!(FIGURE.recommendation(HealthStatus::Down), Some("Look for locks."));
    }
}
