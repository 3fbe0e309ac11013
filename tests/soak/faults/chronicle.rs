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
    in_vain: Mutex<BTreeMap<&'static str, (u64, String)>>,
}

impl Chronicle {
    pub(crate) fn begin() -> Self {
        Self { begun: Instant::now(), faults: Mutex::default(), in_vain: Mutex::default() }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Something goes wrong: what, and of that which.
    pub(crate) fn note(&self, kind: &'static str, details: String) {
        self.faults.lock().unwrap().push((self.begun.elapsed(), kind, details));
    }

    /// It did not work, which is all right as long as it works at times.
    pub(crate) fn note_in_vain(&self, kind: &'static str, error: String) {
        let mut all = self.in_vain.lock().unwrap();
        let (count, last) = all.entry(kind).or_default();
        (*count, *last) = (*count + 1, error);
    }

    /// What was tried several times and has never worked, and why it did not.
    pub(crate) fn never_worked(&self) -> Vec<String> {
        let counts = self.counts();
        let in_vain = self.in_vain.lock().unwrap();
        let never = in_vain.iter().filter(|&(kind, &(count, _))| count > 2 && counts[kind] == count);
        never.map(|(kind, (_, error))| format!("{kind}: {error}")).collect()
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
        let lines = latest.iter().map(|(at, kind, details)| format!("{:9.3} {kind} {details}", at.as_secs_f64()));
        lines.collect::<Vec<_>>().join("\n")
    }
}
