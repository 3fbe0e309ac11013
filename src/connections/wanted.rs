//! What a client asked for, and what of it its user's grants allow.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::activity::Places;
use crate::{
    command::Refusal,
    cursor::Cursor,
    epoch::Epochs,
    log::Interest,
    policy::{Grants, Policy},
};

/// The type that every stream carries, whatever it asked for.
const CONNECTION_STATUS: &str = "connection_status";

/// Whether a user may ask for these types, of this organization or of all of theirs: whether they exist, and events of each are visible to the user somewhere.
///
/// # Errors
/// When they may not.
pub fn check_types<'a>(
    types: impl IntoIterator<Item = &'a Box<str>> + Clone,
    organization: Option<&str>,
    policy: &Policy,
    grants: &Grants,
) -> Result<(), Refusal> {
    if !types.clone().into_iter().all(|name| policy.knows(name)) {
        return Err(Refusal::UnknownType);
    }
    let visible = policy.visible_types(grants, organization);
    let mut types = types.into_iter();
    let visible = types.all(|name| **name == *CONNECTION_STATUS || visible.contains(name));
    if visible { Ok(()) } else { Err(Refusal::Forbidden) }
}

/// What a client asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// Event types, each with which of its events; none means all that the user may see.
    pub types: Option<BTreeMap<Box<str>, Since>>,
    /// One organization and what is platform-wide; none means every organization of the user.
    pub organization: Option<Box<str>>,
}

/// Which events of a type are sent, of those that come up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Since {
    /// All.
    #[default]
    Ever,
    /// Those that are not in here: the type was subscribed to when this had been seen, or the client has had these before it went back.
    After(Arc<Cursor>),
    /// None, until the stream has gone back to here: then all that are not in it.
    GoBack(Arc<Cursor>),
}

impl Since {
    /// Whether an event of the type is sent. A cursor of another life of the database than `epoch` says nothing of its ids.
    fn allows(&self, id: i64, epoch: u32) -> bool {
        match self {
            Self::Ever => true,
            Self::After(seen) => seen.epoch() != epoch || !seen.contains(id),
            Self::GoBack(_) => false,
        }
    }
}

impl Wanted {
    /// All events of these types, from everywhere.
    #[must_use]
    pub fn of_types(types: impl IntoIterator<Item = Box<str>>) -> Self {
        let types = types.into_iter().map(|name| (name, Since::Ever)).collect();
        Self { types: Some(types), organization: None }
    }

    /// Whether there is anything at all that the user may ask for.
    #[must_use]
    pub fn may_connect(&self, grants: &Grants) -> bool {
        grants.any() && self.organization.as_ref().is_none_or(|organization| grants.is_member(organization))
    }

    /// The types that are sent: wanted and visible; sorted.
    #[must_use]
    pub fn types(&self, policy: &Policy, grants: &Grants) -> Vec<Box<str>> {
        let mut types = policy.visible_types(grants, self.organization.as_deref());
        if let Some(wanted) = &self.types {
            types.retain(|visible| wanted.contains_key(visible));
        }
        types
    }

    /// Whether an event is wanted, in this life of the database.
    #[must_use]
    pub fn wants(&self, event_type: &str, id: i64, epoch: u32) -> bool {
        self.types.as_ref().is_none_or(|types| types.get(event_type).is_some_and(|since| since.allows(id, epoch)))
    }

    /// What the session has to read in the log.
    #[must_use]
    pub fn interest(&self, grants: &Grants) -> Interest {
        match &self.organization {
            Some(organization) => Interest::Organizations(vec![organization.clone()]),
            None if grants.is_everywhere() => Interest::Everything,
            None => Interest::Organizations(grants.organizations().into_iter().map(Into::into).collect()),
        }
    }

    /// What the client is told of its organizations: none for platform staff, who are in all.
    #[must_use]
    pub fn organizations(&self, grants: &Grants) -> Option<Vec<Box<str>>> {
        match self.interest(grants) {
            Interest::Organizations(organizations) => Some(organizations),
            Interest::Everything => None,
        }
    }

    /// Whose events are sent, with the types that are wanted and visible there.
    pub(super) fn places(&self, policy: &Policy, grants: &Grants) -> Places {
        let types = |organization: Option<&str>| {
            let visible = policy.visible_types(grants, organization).into_iter();
            let wanted = |name: &str| self.types.as_ref().is_none_or(|types| types.contains_key(name));
            visible.filter(|name| **name != *CONNECTION_STATUS && wanted(name)).collect()
        };
        match self.organizations(grants) {
            None => Places::from([(None, types(None))]),
            Some(organizations) => {
                let place = |organization: Box<str>| (Some(organization.clone()), types(Some(&organization)));
                organizations.into_iter().map(place).collect()
            }
        }
    }

    /// Wants these types too, `since` then; those that it wants already stay as they are.
    pub(super) fn add(&mut self, types: &BTreeSet<Box<str>>, since: &Since) {
        if let Some(wanted) = &mut self.types {
            for name in types {
                wanted.entry(name.clone()).or_insert_with(|| since.clone());
            }
        }
    }

    /// Wants these types no more; `visible` are those that are sent where all are wanted.
    pub(super) fn remove(&mut self, types: &BTreeSet<Box<str>>, visible: Vec<Box<str>>) {
        let all = || visible.into_iter().map(|name| (name, Since::Ever)).collect();
        self.types.get_or_insert_with(all).retain(|name, _| !types.contains(name));
    }

    /// Whether some type waits for the stream to go back.
    #[must_use]
    pub fn is_to_go_back(&self) -> bool {
        self.types.iter().flat_map(BTreeMap::values).any(|since| matches!(since, Since::GoBack(_)))
    }

    /// Where to go back to, for a stream on which `had` has been seen: to that without what is lacking for the types that wait. From there on nothing that was seen
    /// is sent again. None if no type waits.
    pub(super) fn go_back(&mut self, had: &Arc<Cursor>, epochs: &Epochs) -> Option<Cursor> {
        if !self.is_to_go_back() {
            return None;
        }
        let mut place = Cursor::clone(had);
        for since in self.types.iter_mut().flat_map(BTreeMap::values_mut) {
            let seen = match since {
                Since::GoBack(lacking) => {
                    // Checked when it was asked for. If the database has begun another life since then, in which it is of no use, all is lacking.
                    let lacking = epochs.carry(lacking).unwrap_or_else(|| Cursor::up_to(0).in_epoch(had.epoch()));
                    place = place.intersection(&lacking);
                    Arc::new(lacking)
                }
                Since::After(seen) if seen.epoch() == had.epoch() => Arc::new(had.union(seen)),
                Since::After(_) | Since::Ever => Arc::clone(had),
            };
            *since = Since::After(seen);
        }
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::schedules::{Choices, Verdict, holds, schedules_of};

    fn cursor(text: &str) -> Arc<Cursor> {
        Arc::new(text.parse().unwrap())
    }

    fn types(names: &[&str]) -> BTreeSet<Box<str>> {
        names.iter().map(|&name| name.into()).collect()
    }

    fn wanted(wanted: &Wanted, event_type: &str) -> Vec<i64> {
        (1..=12).filter(|&id| wanted.wants(event_type, id, 0)).collect()
    }

    #[test]
    fn a_type_that_is_added_begins_with_what_had_not_been_seen() {
        let mut stream = Wanted::of_types(["a".into()]);
        stream.add(&types(&["a", "b"]), &Since::After(cursor("9~4")));
        assert_eq!(wanted(&stream, "a"), (1..=12).collect::<Vec<_>>(), "it was there before");
        assert_eq!(wanted(&stream, "b"), [4, 10, 11, 12]);
        assert!(stream.wants("b", 3, 1), "ids of another life of the database are other events");
        assert_eq!(wanted(&stream, "c"), [0; 0]);
    }

    #[test]
    fn a_stream_that_goes_back_repeats_nothing() {
        let mut stream = Wanted::of_types(["a".into()]);
        stream.add(&types(&["b"]), &Since::GoBack(cursor("6~2")));
        stream.add(&types(&["c"]), &Since::After(cursor("11")));
        assert_eq!(wanted(&stream, "b"), [0; 0], "not before it has gone back");
        let had = cursor("10~5");
        let place = stream.go_back(&had, &Epochs::default()).unwrap();
        assert_eq!(place.to_string(), "6~2.5");
        assert_eq!(wanted(&stream, "a"), [5, 11, 12]);
        assert_eq!(wanted(&stream, "b"), [2, 7, 8, 9, 10, 11, 12]);
        assert_eq!(wanted(&stream, "c"), [12]);
        assert_eq!(stream.go_back(&had, &Epochs::default()), None, "once");
    }

    #[test]
    fn what_is_removed_from_everything_leaves_the_rest() {
        let mut stream = Wanted::default();
        stream.remove(&types(&["b"]), vec!["a".into(), "b".into()]);
        assert!(stream.wants("a", 1, 0) && !stream.wants("b", 1, 0));
        stream.add(&types(&["b"]), &Since::Ever);
        assert!(stream.wants("b", 1, 0));
    }

    /// Ids of three types that commit in any order, and a stream that reads them in theirs.
    #[derive(Clone, Debug)]
    enum Move {
        Commit(usize),
        Read(usize),
        /// From now on, or since some place that the stream was at.
        Subscribe(usize),
        SubscribeSince(usize),
        Unsubscribe(usize),
        GoBack,
    }

    const MOVES: Choices<Move> = &[
        (6, Move::Commit),
        (6, Move::Read),
        (1, Move::Subscribe),
        (3, Move::SubscribeSince),
        (1, Move::Unsubscribe),
        (3, |_| Move::GoBack),
    ];

    const IDS: i64 = 24;

    fn type_of(id: i64) -> &'static str {
        ["a", "b", "c"][usize::try_from(id).unwrap() % 3]
    }

    struct World {
        wanted: Wanted,
        committed: BTreeSet<i64>,
        place: Arc<Cursor>,
        /// Everywhere that the stream was.
        places: Vec<Arc<Cursor>>,
        /// By type that is wanted: what is not to be sent, and what has been.
        owed: BTreeMap<&'static str, (BTreeSet<i64>, BTreeSet<i64>)>,
    }

    impl World {
        fn new() -> Self {
            Self {
                wanted: Wanted::of_types(["a".into()]),
                committed: BTreeSet::new(),
                place: Arc::default(),
                places: vec![Arc::default()],
                owed: [("a", Default::default())].into(),
            }
        }

        fn subscribe(&mut self, name: &'static str, since: &Since, before: BTreeSet<i64>) {
            self.wanted.add(&types(&[name]), since);
            self.owed.entry(name).or_insert((before, BTreeSet::new()));
        }

        fn apply(&mut self, step: &Move) -> Verdict {
            match *step {
                Move::Commit(n) => {
                    let open: Vec<i64> = (1..=IDS).filter(|id| !self.committed.contains(id)).take(4).collect();
                    self.committed.extend(open.get(n % 4));
                }
                Move::Read(n) => self.read(n % 4 + 1)?,
                Move::Subscribe(n) => {
                    let since = Since::After(cursor_of(&self.committed));
                    self.subscribe(type_of(n.try_into().unwrap()), &since, self.committed.clone());
                }
                Move::SubscribeSince(n) => {
                    let since = Arc::clone(&self.places[n * self.places.len() / 12]);
                    let before = (1..=IDS).filter(|&id| since.contains(id)).collect();
                    self.subscribe(type_of(n.try_into().unwrap()), &Since::GoBack(since), before);
                }
                Move::Unsubscribe(n) => {
                    let name = type_of(n.try_into().unwrap());
                    self.wanted.remove(&types(&[name]), Vec::new());
                    self.owed.remove(name);
                }
                Move::GoBack => {
                    if let Some(place) = self.wanted.go_back(&self.place, &Epochs::default()) {
                        prop_assert!(self.place.covers(&place), "it went on to {place} instead");
                        self.place = Arc::new(place);
                    }
                }
            }
            Ok(())
        }

        fn read(&mut self, most: usize) -> Verdict {
            let lacking = self.committed.iter().copied().filter(|&id| !self.place.contains(id));
            let read: Vec<i64> = lacking.take(most).collect();
            for &id in read.iter().filter(|&&id| self.wanted.wants(type_of(id), id, 0)) {
                let Some((before, sent)) = self.owed.get_mut(type_of(id)) else { panic!("{id} is not wanted") };
                prop_assert!(!before.contains(&id), "{id} is of before");
                prop_assert!(sent.insert(id), "{id} was sent twice");
            }
            let seen = (1..=IDS).filter(|&id| self.place.contains(id)).chain(read).collect();
            self.place = cursor_of(&seen);
            self.places.push(Arc::clone(&self.place));
            Ok(())
        }
    }

    fn cursor_of(ids: &BTreeSet<i64>) -> Arc<Cursor> {
        let high = ids.last().copied().unwrap_or(0);
        Arc::new(Cursor::with_gaps(high, (1..=high).filter(|id| !ids.contains(id)).map(|id| (id, id))))
    }

    /// However often a stream goes back, and whatever was asked for and taken out before it did: each type is sent what it lacked, once.
    #[test]
    fn going_back_again_and_again_loses_and_repeats_nothing() {
        holds(4_000, &schedules_of(MOVES, 1..80), |moves| {
            let mut world = World::new();
            for step in &moves {
                world.apply(step)?;
            }
            world.committed = (1..=IDS).collect();
            world.apply(&Move::GoBack)?;
            world.read(usize::MAX)?;
            for (name, (before, sent)) in &world.owed {
                let all: BTreeSet<i64> =
                    (1..=IDS).filter(|&id| type_of(id) == *name && !before.contains(&id)).collect();
                prop_assert_eq!(sent, &all, "an event of {} was lost", name);
            }
            Ok(())
        });
    }
}
