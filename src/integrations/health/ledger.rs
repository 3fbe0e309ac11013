//! Pure: what one component's figures have come to, and what of it has still to be written down. While the database is away that waits here.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::{
    figure::{Figure, Reading},
    verdict::{State, Verdict},
};
use crate::{
    payload::HealthStatus,
    postgres::health::{Latest, Report},
};

/// How many reports may wait; the oldest go first. A database that is away for a day, with all its figures changing every minute, does not get there.
const MOST_WAITING: usize = 10_000;

/// When a state is another, and how often one that lasts is said again.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// So many measurements in a row make a change.
    pub agreeing: u32,
    /// How often a state that lasts is written down again, for those who have come since.
    pub restate: Duration,
    /// How often is measured.
    pub interval: Duration,
}

/// One component's figures.
#[derive(Debug, Default)]
pub struct Ledger {
    known: BTreeMap<&'static str, Known>,
    /// To be written down, in this order.
    waiting: Vec<Report>,
}

/// What is known of a figure.
#[derive(Debug, Default)]
struct Known {
    state: State,
    /// The measurement that is written down, or waits to be.
    told: Option<Timestamp>,
}

impl Ledger {
    /// Takes a measurement into account. The state that the figure is in, and whether it has just come into it.
    pub fn observe(
        &mut self,
        figure: &Figure,
        reading: &Reading,
        rules: &Rules,
        at: Timestamp,
    ) -> Option<(HealthStatus, bool)> {
        let known = self.known.entry(figure.metric).or_default();
        let verdict = known.state.observe(reading, figure.threshold, rules.agreeing, at);
        let (status, since) = known.state.status()?;
        // A measurement that speaks for another state would contradict the one that it is written beside.
        let is_due = match verdict {
            Verdict::Changed => true,
            Verdict::Confirmed => known.told.is_none_or(|told| is_over(told, at, rules)),
            Verdict::Doubted => false,
        };
        let unwritten = self.waiting.iter_mut().rev().find(|report| report.metric == figure.metric);
        let report = || Report {
            component: figure.component,
            metric: figure.metric,
            status,
            value: reading.value(),
            unit: figure.unit,
            threshold: figure.threshold,
            message: figure.message(reading),
            recommendation: figure.recommendation(status),
            since,
            checked_at: at,
        };
        match unwritten {
            // How it was last is what it is remembered by.
            Some(unwritten) if verdict == Verdict::Confirmed => {
                *unwritten = report();
                known.told = Some(at);
            }
            _ if is_due => {
                known.told = Some(at);
                self.waiting.push(report());
                let excess = self.waiting.len().saturating_sub(MOST_WAITING);
                self.waiting.drain(..excess);
            }
            _ => {}
        }
        Some((status, verdict == Verdict::Changed))
    }

    /// Takes over from whoever has measured before. What has been seen here since is newer.
    pub fn adopt(&mut self, latest: &[Latest], figures: &[Figure]) {
        for figure in figures {
            let Some(latest) = latest.iter().find(|latest| latest.metric == figure.metric) else { continue };
            let known = self.known.entry(figure.metric).or_default();
            if known.state.status().is_none() {
                known.state = State::known(latest.status, latest.since);
                known.told = Some(latest.checked_at);
            }
        }
    }

    /// What has to be written down.
    #[must_use]
    pub fn waiting(&self) -> &[Report] {
        &self.waiting
    }

    /// All of that is written down.
    pub fn written(&mut self) {
        self.waiting.clear();
    }

    /// Somebody else measures now.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

/// Whether it is time to say it again: no later than the measurement that is nearest to it.
fn is_over(told: Timestamp, at: Timestamp, rules: &Rules) -> bool {
    let slack = SignedDuration::try_from(rules.interval / 2).unwrap_or_default();
    let restate = SignedDuration::try_from(rules.restate).unwrap_or(SignedDuration::MAX);
    // A clock that was set back does not know when it was told.
    at < told || at.duration_since(told).saturating_add(slack) >= restate
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::HealthComponent;

    const RULES: Rules = Rules { agreeing: 2, restate: Duration::from_mins(1), interval: Duration::from_secs(15) };

    const FIGURE: Figure = Figure {
        component: HealthComponent::Database,
        metric: "connect_ms",
        unit: "ms",
        threshold: 1_000.0,
        says: "Connecting took {}",
        fails: "Connecting failed",
        advice: "Start it.",
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn down() -> Reading {
        Reading::Failed { after: 1.0, why: "the connection was refused".into() }
    }

    fn told(ledger: &mut Ledger) -> Vec<(HealthStatus, i64, i64)> {
        let told = ledger.waiting().iter();
        let told =
            told.map(|report| (report.status, report.since.as_second(), report.checked_at.as_second())).collect();
        ledger.written();
        told
    }

    #[test]
    fn a_change_is_told_at_once_and_what_lasts_once_a_minute() {
        let mut ledger = Ledger::default();
        let mut times = Vec::new();
        for second in (0..180).step_by(15) {
            ledger.observe(&FIGURE, &Reading::Value(5.0), &RULES, at(second));
            times.extend(told(&mut ledger));
        }
        let healthy = |checked| (HealthStatus::Healthy, 0, checked);
        assert_eq!(times, [healthy(0), healthy(60), healthy(120)]);
        assert_eq!(ledger.observe(&FIGURE, &down(), &RULES, at(180)), Some((HealthStatus::Healthy, false)));
        assert_eq!(told(&mut ledger), [], "one that failed does not restate that all is well");
        assert_eq!(ledger.observe(&FIGURE, &down(), &RULES, at(195)), Some((HealthStatus::Down, true)));
        assert_eq!(told(&mut ledger), [(HealthStatus::Down, 180, 195)]);
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nothing_from_being_told() {
        let mut ledger = Ledger::default();
        ledger.observe(&FIGURE, &Reading::Value(5.0), &RULES, at(100_000));
        assert_eq!(told(&mut ledger), [(HealthStatus::Healthy, 100_000, 100_000)]);
        ledger.observe(&FIGURE, &Reading::Value(5.0), &RULES, at(50));
        assert_eq!(
            told(&mut ledger),
            [(HealthStatus::Healthy, 100_000, 50)],
            "and since is put right where it is written"
        );
        ledger.observe(&FIGURE, &Reading::Value(5.0), &RULES, at(65));
        assert_eq!(told(&mut ledger), []);
    }

    #[test]
    fn what_cannot_be_written_waits_and_an_outage_is_one_report_however_long() {
        let mut ledger = Ledger::default();
        for second in (0..100_000).step_by(15) {
            ledger.observe(&FIGURE, &down(), &RULES, at(second));
        }
        ledger.observe(&FIGURE, &Reading::Value(5.0), &RULES, at(100_000));
        ledger.observe(&FIGURE, &Reading::Value(5.0), &RULES, at(100_015));
        assert_eq!(told(&mut ledger), [(HealthStatus::Down, 0, 99_990), (HealthStatus::Healthy, 100_000, 100_015)]);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut ledger = Ledger::default();
        for round in 0..20_000 {
            let reading = if round % 2 == 0 { Reading::Value(5.0) } else { down() };
            ledger.observe(&FIGURE, &reading, &Rules { agreeing: 1, ..RULES }, at(round));
        }
        assert_eq!(ledger.waiting().len(), MOST_WAITING);
        assert_eq!(ledger.waiting().last().unwrap().checked_at, at(19_999), "the latest is there");
    }

    #[test]
    fn who_takes_over_goes_on_from_what_is_written_but_knows_better_what_it_has_seen() {
        let latest =
            Latest { metric: "connect_ms".into(), status: HealthStatus::Healthy, since: at(0), checked_at: at(100) };
        let mut ledger = Ledger::default();
        ledger.adopt(std::slice::from_ref(&latest), &[FIGURE]);
        ledger.observe(&FIGURE, &Reading::Value(5.0), &RULES, at(110));
        assert_eq!(told(&mut ledger), [], "it is neither new nor long ago");

        let mut witness = Ledger::default();
        witness.observe(&FIGURE, &down(), &RULES, at(200));
        witness.observe(&FIGURE, &down(), &RULES, at(215));
        witness.adopt(&[latest], &[FIGURE]);
        assert_eq!(told(&mut witness), [(HealthStatus::Down, 200, 215)]);
    }
}
