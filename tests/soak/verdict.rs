//! What came of it.

use std::{collections::BTreeMap, fmt, time::Duration};

use crate::writers::Counts;

/// How many of each kind of fault in delivery are shown.
const SHOWN: usize = 5;

/// What one client has seen.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Events given to the app.
    pub(crate) delivered: u64,
    /// Events that came again and that the client dropped.
    pub(crate) repeats: u64,
    pub(crate) streams: u64,
    pub(crate) polls: u64,
    /// Attempts to stream or poll that failed, and streams that fell silent.
    pub(crate) failures: u64,
    pub(crate) statuses: BTreeMap<String, u64>,
    /// What the outbox has and the app was not given.
    pub(crate) lost: Vec<String>,
    /// What the app was given twice.
    pub(crate) duplicated: Vec<String>,
    /// What came although the user may not see it.
    pub(crate) leaked: Vec<String>,
    /// What came after a later event of the same row.
    pub(crate) disordered: Vec<String>,
    /// What is not what the outbox says, or not in the outbox.
    pub(crate) altered: Vec<String>,
}

pub(crate) struct Verdict {
    pub(crate) written: Counts,
    pub(crate) access_changes: u64,
    /// In the outbox.
    pub(crate) events: usize,
    pub(crate) faults: BTreeMap<&'static str, u64>,
    /// Faults that were tried and never came about.
    pub(crate) never_worked: Vec<String>,
    pub(crate) tallies: Vec<Tally>,
    /// The latest faults, to find out what was the matter.
    pub(crate) history: String,
}

impl Verdict {
    fn sum(&self, of: impl Fn(&Tally) -> u64) -> u64 {
        self.tallies.iter().map(of).sum()
    }

    fn all(&self, of: impl Fn(&Tally) -> &Vec<String>) -> Vec<&String> {
        self.tallies.iter().flat_map(of).collect()
    }

    fn resets(&self) -> u64 {
        let resets = |tally: &Tally| {
            tally.statuses.iter().filter(|(status, _)| status.starts_with("reset")).map(|(_, n)| n).sum()
        };
        self.sum(resets)
    }

    /// What must not have happened, and what of it has.
    fn offences(&self) -> [(&'static str, Vec<&String>); 5] {
        [
            ("lost", self.all(|tally| &tally.lost)),
            ("duplicated after client de-duplication", self.all(|tally| &tally.duplicated)),
            ("leaked", self.all(|tally| &tally.leaked)),
            ("out of order for their row", self.all(|tally| &tally.disordered)),
            ("altered", self.all(|tally| &tally.altered)),
        ]
    }

    /// Fails the test if anything happened that must not, or too little of what should.
    pub(crate) fn check(&self, duration: Duration) {
        for (offence, found) in self.offences() {
            assert!(found.is_empty(), "{offence}: {:#?}\n{}", &found[..found.len().min(SHOWN)], self.history);
        }
        // Nothing that happens here is a reason to send anybody back to the start.
        assert_eq!(self.resets(), 0, "{}", self.history);
        assert!(self.never_worked.is_empty(), "{:#?}", self.never_worked);
        let seconds = duration.as_secs();
        let enough = self.written.commits > seconds && self.faults.values().sum::<u64>() > seconds / 3;
        assert!(enough && self.sum(|tally| tally.streams) > seconds, "little happened");
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { commits, rollbacks, failures } = self.written;
        writeln!(f, "faults")?;
        for (kind, count) in &self.faults {
            writeln!(f, "{count:>10} {kind}")?;
        }
        writeln!(
            f,
            "writers\n{commits:>10} commits\n{rollbacks:>10} rollbacks\n{failures:>10} transactions broken off"
        )?;
        writeln!(f, "{:>10} changes of access", self.access_changes)?;
        writeln!(f, "clients\n{:>10} of them", self.tallies.len())?;
        writeln!(f, "{:>10} streams", self.sum(|tally| tally.streams))?;
        writeln!(f, "{:>10} polls", self.sum(|tally| tally.polls))?;
        writeln!(f, "{:>10} connections that failed or fell silent", self.sum(|tally| tally.failures))?;
        let mut statuses = BTreeMap::<&String, u64>::new();
        for (status, count) in self.tallies.iter().flat_map(|tally| &tally.statuses) {
            *statuses.entry(status).or_default() += count;
        }
        for (status, count) in statuses {
            writeln!(f, "{count:>10} told: {status}")?;
        }
        writeln!(f, "events\n{:>10} written", self.events)?;
        writeln!(f, "{:>10} faults injected", self.faults.values().sum::<u64>())?;
        writeln!(f, "{:>10} delivered", self.sum(|tally| tally.delivered))?;
        writeln!(f, "{:>10} repeated, and dropped by the client", self.sum(|tally| tally.repeats))?;
        writeln!(f, "{:>10} resets", self.resets())?;
        for (offence, found) in self.offences() {
            writeln!(f, "{:>10} {offence}", found.len())?;
        }
        Ok(())
    }
}
