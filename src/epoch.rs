//! The lives of the database, and which cursors are good in the one of now. Pure.
//!
//! A standby that is promoted lacks what the old primary had not sent yet, and gives out ids again that clients know as other events. So does a database that
//! was restored. Each such life has a number, its epoch, which cursors carry; what a life left behind to the next is itself written down as a cursor. From
//! that follows the one rule: a client whose cursor claims nothing but what was left behind has seen nothing that is lost, and goes on; any other has to
//! fetch anew. In doubt, as when nobody knows whether a missing id was rolled back or lost, it is taken for lost.

use crate::cursor::Cursor;

/// What tells one life of a database from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// The cluster, from its `initdb` on; a standby has that of its primary.
    pub system_identifier: i64,
    /// The database in it.
    pub database: u32,
    /// Raised by every promotion.
    pub timeline: i64,
}

impl Life {
    /// Whether this life began with the promotion of a standby of `former`, with no other life in between.
    #[must_use]
    pub fn is_promoted_from(&self, former: &Self) -> bool {
        *self == Self { timeline: former.timeline + 1, ..*former }
    }
}

/// The lives up to now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Epochs {
    /// What each ended life left behind, in their order.
    left_behind: Vec<Cursor>,
}

impl Epochs {
    /// All lives, by what each that has ended left behind.
    #[must_use]
    pub fn new(left_behind: Vec<Cursor>) -> Self {
        Self { left_behind }
    }

    /// The number of the current life.
    #[must_use]
    pub fn current(&self) -> u32 {
        u32::try_from(self.left_behind.len()).unwrap_or(u32::MAX)
    }

    /// What a client that has seen `cursor` has seen in terms of the current life; none when it has seen events that are not in it.
    #[must_use]
    pub fn carry(&self, cursor: &Cursor) -> Option<Cursor> {
        let since = usize::try_from(cursor.epoch()).ok().and_then(|epoch| self.left_behind.get(epoch..))?;
        // No later life has an id that was given up by an earlier one, so the cursor means in each what it meant in the one before.
        since.iter().all(|left_behind| left_behind.covers(cursor)).then(|| cursor.clone().in_epoch(self.current()))
    }

    /// Takes note of ids that somebody who was there knows to have been rolled back in the life of this number: that they are missing is no loss.
    pub fn note_rolled_back(&mut self, epoch: u32, rolled_back: &Cursor) {
        let index = usize::try_from(epoch).unwrap_or(usize::MAX);
        if let Some(left_behind) = self.left_behind.get_mut(index) {
            *left_behind = left_behind.union(&rolled_back.truncated(left_behind.high()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn epochs(left_behind: &[&str]) -> Epochs {
        Epochs::new(left_behind.iter().map(|text| text.parse().unwrap()).collect())
    }

    fn carried(epochs: &Epochs, cursor: &str) -> Option<String> {
        epochs.carry(&cursor.parse().unwrap()).map(|cursor| cursor.to_string())
    }

    #[test]
    fn in_the_first_life_every_cursor_is_what_it_is() {
        assert_eq!(carried(&epochs(&[]), "7~3"), Some("7~3".into()));
        assert_eq!(carried(&epochs(&[]), "7@1"), None, "of a life that this database has not had");
    }

    #[test]
    fn who_has_seen_only_what_was_left_behind_goes_on() {
        let epochs = epochs(&["100"]);
        assert_eq!(carried(&epochs, "100"), Some("100@1".into()));
        assert_eq!(carried(&epochs, "90~80"), Some("90~80@1".into()));
        assert_eq!(carried(&epochs, "101"), None);
        assert_eq!(carried(&epochs, "101@1"), Some("101@1".into()), "of the new life already");
    }

    /// 98 was committed after 100 and before the end: that 100 arrived says nothing about it.
    #[test]
    fn what_is_missing_below_the_last_may_have_been_seen() {
        let epochs = epochs(&["100~98"]);
        assert_eq!(carried(&epochs, "100"), None);
        assert_eq!(carried(&epochs, "98"), None);
        assert_eq!(carried(&epochs, "97"), Some("97@1".into()));
        assert_eq!(carried(&epochs, "100~97-98"), Some("100~97-98@1".into()), "it still waits for 98");
    }

    #[test]
    fn a_cursor_has_to_be_good_for_every_life_since() {
        let epochs = epochs(&["100", "150", "140"]);
        assert_eq!(carried(&epochs, "100"), Some("100@3".into()));
        assert_eq!(carried(&epochs, "120"), None, "ended with the first life");
        assert_eq!(carried(&epochs, "145@1"), None, "ended with the third");
        assert_eq!(carried(&epochs, "140@1"), Some("140@3".into()));
        assert_eq!(carried(&epochs, "145@3"), Some("145@3".into()));
    }

    #[test]
    fn what_is_known_to_have_been_rolled_back_is_no_loss() {
        let mut epochs = epochs(&["100~90.98"]);
        epochs.note_rolled_back(0, &Cursor::with_gaps(110, [(1, 97)]));
        assert_eq!(carried(&epochs, "100"), None, "of 90 nobody knows");
        assert_eq!(carried(&epochs, "100~90"), Some("100~90@1".into()));
        assert_eq!(carried(&epochs, "101"), None, "whatever it says of ids above, the next life gives them out again");
    }

    #[test]
    fn the_next_timeline_of_the_same_database_is_a_promotion() {
        let life = Life { system_identifier: 7, database: 5, timeline: 1 };
        assert!(Life { timeline: 2, ..life }.is_promoted_from(&life));
        for other in [
            life,
            Life { timeline: 3, ..life },
            Life { timeline: 2, database: 6, ..life },
            Life { system_identifier: 8, timeline: 2, ..life },
        ] {
            assert!(!other.is_promoted_from(&life), "{other:?}");
        }
    }

    /// Ids in the model run from 1 to here.
    const LIMIT: i64 = 12;

    /// How the id of a life ended.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Fate {
        LeftBehind,
        Lost,
        RolledBack,
    }

    fn cursor_of(ids: &BTreeSet<i64>) -> Cursor {
        let high = ids.last().copied().unwrap_or(0);
        Cursor::with_gaps(high, (1..=high).filter(|id| !ids.contains(id)).map(|id| (id, id)))
    }

    proptest! {
        /// A life of a few ids, clients that have seen some of them, and a server that has seen some of its end.
        #[test]
        fn who_has_seen_what_is_lost_is_told_and_who_has_not_goes_on(
            fates in prop::collection::vec(prop_oneof![Just(Fate::LeftBehind), Just(Fate::Lost), Just(Fate::RolledBack)], 12),
            claimed in prop::collection::btree_set(1..=LIMIT, 0..12_usize),
            known in prop::collection::btree_set(1..=LIMIT, 0..12_usize),
        ) {
            let ids_of = |fate| (1..=LIMIT).filter(|&id| fates[usize::try_from(id - 1).unwrap()] == fate).collect::<BTreeSet<_>>();
            let (left_behind, rolled_back) = (ids_of(Fate::LeftBehind), ids_of(Fate::RolledBack));
            let last = left_behind.last().copied().unwrap_or(0);
            // A cursor's own id is one that was seen.
            prop_assume!(claimed.last().is_none_or(|last| !rolled_back.contains(last)));
            let mut epochs = Epochs::new(vec![cursor_of(&left_behind)]);
            epochs.note_rolled_back(0, &cursor_of(&rolled_back.intersection(&known).copied().collect()));

            let saw_a_loss = claimed.iter().any(|id| fates[usize::try_from(id - 1).unwrap()] == Fate::Lost);
            let in_doubt = claimed.iter().any(|id| *id <= last && rolled_back.contains(id) && !known.contains(id));
            let carried = epochs.carry(&cursor_of(&claimed));
            prop_assert_eq!(carried.is_none(), saw_a_loss || in_doubt);
            if let Some(carried) = carried {
                prop_assert!(!(last + 1..=LIMIT).any(|id| carried.contains(id)), "the next life gives these out again");
            }
        }
    }
}
