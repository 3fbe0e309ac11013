//! Pure: what measurements mean, one after the other.
//!
//! A figure is healthy up to its threshold, degraded above, and down when it cannot be measured. One measurement proves nothing: a state changes after several in a row
//! that agree that it is better, or that it is worse; then to the nearest of what they said. Refused connections are no exception: every restart has one.
//!
//! Around the threshold nothing flaps: what is degraded is healthy again only at [`RECOVERED`] of it.

use jiff::Timestamp;

use super::figure::Reading;
use crate::payload::HealthStatus;

/// What is degraded has to come down to this share of its threshold.
pub const RECOVERED: f64 = 0.8;

/// How a figure is, by what was measured so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// None before it is known.
    status: Option<(HealthStatus, Timestamp)>,
    streak: Option<Streak>,
}

/// Measurements in a row that say something else.
#[derive(Clone, Debug, PartialEq)]
struct Streak {
    /// Of those, the one nearest to the state.
    nearest: HealthStatus,
    /// When the first was taken.
    began: Timestamp,
    count: u32,
}

/// What a measurement means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is in another state from now on.
    Changed,
    /// It is as it was.
    Confirmed,
    /// It says something else, which may be nothing.
    Doubted,
}

impl State {
    /// One that is known from elsewhere.
    #[must_use]
    pub fn known(status: HealthStatus, since: Timestamp) -> Self {
        Self { status: Some((status, since)), streak: None }
    }

    /// The state, and since when; none before it is known.
    #[must_use]
    pub fn status(&self) -> Option<(HealthStatus, Timestamp)> {
        self.status
    }

    /// Takes a measurement into account; `agreeing` in a row make a change. Until something is known, it is taken for healthy, and one that says so is enough.
    pub fn observe(&mut self, reading: &Reading, threshold: f64, agreeing: u32, at: Timestamp) -> Verdict {
        let current = self.status.map(|(status, _)| status);
        let seen = judge(current, reading, threshold);
        if current == Some(seen) {
            self.streak = None;
            return Verdict::Confirmed;
        }
        let believed = current.unwrap_or(HealthStatus::Healthy);
        if seen == believed {
            self.streak = None;
            self.status = Some((seen, at));
            return Verdict::Changed;
        }
        let streak = match self.streak.take() {
            Some(streak) if (badness(streak.nearest) > badness(believed)) == (badness(seen) > badness(believed)) => {
                let distance = |status| badness(status).abs_diff(badness(believed));
                let nearest = if distance(seen) < distance(streak.nearest) { seen } else { streak.nearest };
                Streak { nearest, began: streak.began, count: streak.count + 1 }
            }
            _ => Streak { nearest: seen, began: at, count: 1 },
        };
        if streak.count < agreeing {
            self.streak = Some(streak);
            return Verdict::Doubted;
        }
        self.status = Some((streak.nearest, streak.began));
        Verdict::Changed
    }
}

/// What one measurement says by itself.
fn judge(current: Option<HealthStatus>, reading: &Reading, threshold: f64) -> HealthStatus {
    let limit = if current == Some(HealthStatus::Degraded) { threshold * RECOVERED } else { threshold };
    match *reading {
        Reading::Failed { .. } => HealthStatus::Down,
        Reading::Value(value) if value > limit => HealthStatus::Degraded,
        Reading::Value(_) => HealthStatus::Healthy,
    }
}

/// 0 is well.
#[must_use]
pub(super) fn badness(status: HealthStatus) -> u8 {
    match status {
        HealthStatus::Healthy => 0,
        HealthStatus::Degraded => 1,
        HealthStatus::Down => 2,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{HealthStatus::*, *};

    const THRESHOLD: f64 = 100.0;

    fn at(second: usize) -> Timestamp {
        Timestamp::from_second(i64::try_from(second).unwrap()).unwrap()
    }

    /// A reading; none is one that failed.
    fn reading(value: Option<f64>) -> Reading {
        value.map_or_else(|| Reading::Failed { after: 1.0, why: "refused".into() }, Reading::Value)
    }

    /// The states after each reading, one a second.
    fn course(agreeing: u32, values: &[Option<f64>]) -> Vec<Option<(HealthStatus, i64)>> {
        let mut state = State::default();
        let mut states = Vec::new();
        for (second, value) in values.iter().enumerate() {
            state.observe(&reading(*value), THRESHOLD, agreeing, at(second));
            states.push(state.status().map(|(status, since)| (status, since.as_second())));
        }
        states
    }

    #[test]
    fn a_change_takes_several_that_agree_and_counts_from_the_first() {
        let values = [Some(50.0), Some(150.0), Some(50.0), Some(150.0), Some(150.0), Some(50.0), Some(50.0)];
        let healthy = Some((Healthy, 0));
        let degraded = Some((Degraded, 3));
        assert_eq!(course(2, &values), [healthy, healthy, healthy, healthy, degraded, degraded, Some((Healthy, 5))]);
        assert_eq!(course(1, &values)[1], Some((Degraded, 1)));
    }

    #[test]
    fn the_threshold_itself_is_healthy_and_what_was_above_has_to_come_well_below() {
        let values = [Some(100.0), Some(100.1), Some(100.1), Some(99.0), Some(81.0), Some(80.0), Some(80.0)];
        let states: Vec<_> = course(2, &values).into_iter().map(|state| state.unwrap().0).collect();
        assert_eq!(states, [Healthy, Healthy, Degraded, Degraded, Degraded, Degraded, Healthy]);
    }

    #[test]
    fn those_that_agree_that_it_is_worse_need_not_agree_how_much() {
        assert_eq!(course(2, &[Some(1.0), None, Some(150.0)])[2], Some((Degraded, 1)));
        assert_eq!(course(2, &[Some(1.0), None, Some(150.0), None, None])[4], Some((Down, 3)));
        assert_eq!(course(2, &[None, None, Some(150.0), Some(1.0)])[3], Some((Degraded, 2)), "and on the way back");
    }

    #[test]
    fn nothing_is_known_of_what_failed_once() {
        assert_eq!(course(2, &[None, None]), [None, Some((Down, 0))]);
        assert_eq!(course(2, &[None, Some(1.0)]), [None, Some((Healthy, 1))]);
    }

    fn any_reading() -> impl Strategy<Value = Option<f64>> {
        prop_oneof![3 => (0.0..200.0).prop_map(Some), 1 => Just(None)]
    }

    proptest! {
        #[test]
        fn so_many_in_a_row_always_make_a_change_and_fewer_never_do(
            before in prop::collection::vec(any_reading(), 1..30), agreeing in 1_u32..5, failing in any::<bool>(),
        ) {
            let mut state = State::default();
            for (second, value) in before.iter().enumerate() {
                state.observe(&reading(*value), THRESHOLD, agreeing, at(second));
            }
            // From one clear state to the other.
            let (from, to) = if failing { (Some(1.0), None) } else { (None, Some(1.0)) };
            for second in 0..10 {
                state.observe(&reading(from), THRESHOLD, agreeing, at(100 + second));
            }
            let start = state.status().unwrap().0;
            for count in 1..=agreeing {
                let verdict = state.observe(&reading(to), THRESHOLD, agreeing, at(200 + count as usize));
                prop_assert_eq!(verdict == Verdict::Changed, count == agreeing);
            }
            prop_assert_ne!(state.status().unwrap().0, start);
            prop_assert_eq!(state.status().unwrap().1, at(201));
        }

        #[test]
        fn between_the_threshold_and_eight_tenths_of_it_nothing_changes(
            values in prop::collection::vec(80.1..100.0, 1..50), agreeing in 1_u32..4, degraded in any::<bool>(),
        ) {
            let mut state = State::known(if degraded { Degraded } else { Healthy }, at(0));
            let before = state.clone();
            for (second, value) in values.iter().enumerate() {
                let verdict = state.observe(&Reading::Value(*value), THRESHOLD, agreeing, at(second));
                prop_assert_eq!(verdict, Verdict::Confirmed);
            }
            prop_assert_eq!(state, before);
        }

        #[test]
        fn a_state_begins_when_something_said_so_and_states_follow_one_another(
            values in prop::collection::vec(any_reading(), 1..60), agreeing in 1_u32..5,
        ) {
            let states = course(agreeing, &values);
            for (second, pair) in states.windows(2).enumerate() {
                if pair[0] != pair[1] {
                    let (status, since) = pair[1].unwrap();
                    let began = usize::try_from(since).unwrap();
                    prop_assert!(began <= second + 1 && second + 1 - began < agreeing as usize);
                    let said = &values[began..=second + 1];
                    let clear = said.iter().all(|value| match status {
                        Healthy => value.is_some_and(|value| value <= THRESHOLD),
                        Degraded => true,
                        Down => value.is_none(),
                    });
                    prop_assert!(clear, "{:?} is not {:?}", said, status);
                    prop_assert!(pair[0].is_none_or(|(before, earlier)| before != status && earlier <= since));
                }
            }
        }
    }
}
