//! What is not told one by one, counted: by what it is and who is to be told. Pure.

use std::{cmp::Reverse, collections::HashMap};

/// Organizations are counted apart up to so many sums at a time; what comes beyond that is in the figures of the server alone.
const MOST_SUMS: usize = 10_000;

/// What it is, and who is told: an organization, or the platform.
type Of = (&'static str, Option<Box<str>>);

/// The sums that have not been told yet.
#[derive(Debug, Default)]
pub(super) struct Sums(HashMap<Of, u64>);

impl Sums {
    /// One more.
    pub(super) fn add(&mut self, action: &'static str, organization: Option<&str>) {
        let of = (action, organization.map(Box::from));
        if self.0.len() < MOST_SUMS || self.0.contains_key(&of) {
            *self.0.entry(of).or_default() += 1;
        }
    }

    /// The largest ones, at most so many: the others grow until they are told.
    pub(super) fn take(&mut self, most: usize) -> Vec<(Of, u64)> {
        let mut sums: Vec<(Of, u64)> = self.0.drain().collect();
        sums.sort_unstable_by(|one, other| (Reverse(one.1), &one.0).cmp(&(Reverse(other.1), &other.0)));
        self.0.extend(sums.split_off(most.min(sums.len())));
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_go_first_and_nothing_is_lost() {
        let mut sums = Sums::default();
        for (organization, count) in [("a", 3), ("b", 5), ("c", 1)] {
            (0..count).for_each(|_| sums.add("connected", Some(organization)));
        }
        sums.add("connected", None);
        let first = sums.take(2);
        assert_eq!(first, [(("connected", Some("b".into())), 5), (("connected", Some("a".into())), 3)]);
        sums.add("connected", Some("c"));
        assert_eq!(sums.take(9), [(("connected", Some("c".into())), 2), (("connected", None), 1)]);
        assert!(sums.take(9).is_empty());
    }

    #[test]
    fn there_are_no_more_than_so_many() {
        let mut sums = Sums::default();
        for n in 0..2 * MOST_SUMS {
            sums.add("connected", Some(&n.to_string()));
        }
        sums.add("connected", Some("0"));
        let all = sums.take(usize::MAX);
        assert_eq!((all.len(), all[0].1), (MOST_SUMS, 2));
    }
}
