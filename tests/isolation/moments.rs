//! When things happened, in the one order that the promise is about: what had returned before what began.

use std::sync::atomic::{AtomicU64, Ordering};

/// A point in the order of all that the test did and saw.
pub(crate) type Moment = u64;

/// From one moment to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Moment,
    pub(crate) to: Moment,
}

/// Counts. No two moments are the same, and a later call returns a later one.
#[derive(Default)]
pub(crate) struct Clock(AtomicU64);

impl Clock {
    pub(crate) fn now(&self) -> Moment {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// The values that something had one after another, each with when its COMMIT was sent and when that had returned. In between it may be in force or not.
#[derive(Clone, Debug)]
pub(crate) struct Timeline<V>(Vec<(Span, V)>);

impl<V: Copy> Timeline<V> {
    /// So since before the beginning.
    pub(crate) fn new(value: V) -> Self {
        Self(vec![(Span { from: 0, to: 0 }, value)])
    }

    pub(crate) fn change(&mut self, commit: Span, value: V) {
        assert!(self.0.last().is_some_and(|(last, _)| last.to <= commit.from), "one change after another");
        self.0.push((commit, value));
    }

    /// The values that may be in force at this moment: one, or two while a COMMIT is on its way.
    pub(crate) fn at(&self, moment: Moment) -> impl Iterator<Item = V> + '_ {
        let next = self.0.partition_point(|(commit, _)| commit.to <= moment);
        let settled = self.0[next.saturating_sub(1)].1;
        let under_way = self.0.get(next).filter(|(commit, _)| commit.from <= moment).map(|&(_, value)| value);
        [settled].into_iter().chain(under_way)
    }

    /// The values that may have been in force at some time within the span.
    pub(crate) fn within(&self, span: Span) -> impl Iterator<Item = V> + '_ {
        let first = self.0.partition_point(|(commit, _)| commit.to <= span.from).saturating_sub(1);
        self.0[first..].iter().take_while(move |(commit, _)| commit.from <= span.to).map(|&(_, value)| value)
    }

    /// When it began to change, and when it had.
    pub(crate) fn turns(&self) -> impl Iterator<Item = Moment> + '_ {
        self.0.iter().skip(1).flat_map(|(commit, _)| [commit.from, commit.to])
    }
}

#[test]
fn a_change_is_in_doubt_while_its_commit_is_under_way() {
    let mut timeline = Timeline::new('a');
    timeline.change(Span { from: 10, to: 20 }, 'b');
    timeline.change(Span { from: 30, to: 40 }, 'c');
    let at = |moment| timeline.at(moment).collect::<String>();
    assert_eq!([at(9), at(10), at(19), at(20), at(29), at(35), at(40)], ["a", "ab", "ab", "b", "b", "bc", "c"]);
    let within = |from, to| timeline.within(Span { from, to }).collect::<String>();
    assert_eq!([within(1, 9), within(19, 25), within(20, 29), within(5, 99)], ["a", "ab", "b", "abc"]);
}
