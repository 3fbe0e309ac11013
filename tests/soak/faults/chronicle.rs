//! What has gone wrong, and when.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{Duration, Instant},
};

/// How much of it is shown when the test fails.
const SHOWN: usize = 200;

pub(crate) struct Chronicle {
    begun: Instant,
    faults: Mutex<Vec<(Duration, &'static str, String)>>,
}

impl Chronicle {
    pub(crate) fn begin() -> Self {
        Self { begun: Instant::now(), faults: Mutex::default() }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Something goes wrong: what, and of that which.
    pub(crate) fn note(&self, kind: &'static str, details: String) {
        self.faults.lock().unwrap().push((self.begun.elapsed(), kind, details));
    }

    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for (_, kind, _) in &*self.faults.lock().unwrap() {
            *counts.entry(*kind).or_default() += 1;
        }
        counts
    }

    /// The latest of it, a line each.
    pub(crate) fn history(&self) -> String {
        let faults = self.faults.lock().unwrap();
        let latest = &faults[faults.len().saturating_sub(SHOWN)..];
        latest.iter().map(|(at, kind, details)| format!("{:9.3} {kind} {details}\n", at.as_secs_f64())).collect()
    }
}
