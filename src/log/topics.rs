//! Who waits for what: sessions are woken when something for them was appended, and only then.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use super::Bell;
use crate::event::Event;

/// What events are filed under: the organization they belong to, or the platform.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Events of one organization.
    Organization(Box<str>),
    /// Events without one.
    Platform,
}

impl Topic {
    /// Where an event is filed.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        event.organization_id.clone().map_or(Self::Platform, Self::Organization)
    }
}

/// The topics that a session reads, always with [`Topic::Platform`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Every organization.
    Everything,
    /// These organizations.
    Organizations(Vec<Box<str>>),
}

impl Interest {
    /// The organizations, if they can be named.
    #[must_use]
    pub fn organizations(&self) -> Option<&[Box<str>]> {
        match self {
            Self::Everything => None,
            Self::Organizations(organizations) => Some(organizations),
        }
    }
}

/// The sessions that wait, by what they wait for.
#[derive(Debug, Default)]
pub struct Waiters {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    by_topic: HashMap<Topic, HashMap<u64, Arc<Bell>>>,
    everything: HashMap<u64, Arc<Bell>>,
}

/// A session's place among those who wait. Dropping it gives it up.
#[derive(Debug)]
pub struct Subscription {
    waiters: Arc<Waiters>,
    id: u64,
    interest: Interest,
    bell: Arc<Bell>,
}

impl Waiters {
    /// From now on the subscription is woken by what is appended for `interest`.
    #[must_use]
    pub fn subscribe(self: &Arc<Self>, interest: Interest) -> Subscription {
        let bell = Arc::<Bell>::default();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.next += 1;
        let id = inner.next;
        inner.enter(id, &interest, &bell);
        Subscription { waiters: Arc::clone(self), id, interest, bell }
    }

    /// Wakes everybody who waits for one of these topics.
    pub fn wake(&self, topics: &HashSet<Topic>) {
        if topics.is_empty() {
            return;
        }
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = topics.iter().filter_map(|topic| inner.by_topic.get(topic)).flat_map(HashMap::values);
        waiting.chain(inner.everything.values()).for_each(|bell| bell.ring());
    }
}

impl Inner {
    fn enter(&mut self, id: u64, interest: &Interest, bell: &Arc<Bell>) {
        let Some(organizations) = interest.organizations() else {
            self.everything.insert(id, Arc::clone(bell));
            return;
        };
        let topics = organizations.iter().cloned().map(Topic::Organization).chain([Topic::Platform]);
        for topic in topics {
            self.by_topic.entry(topic).or_default().insert(id, Arc::clone(bell));
        }
    }

    fn leave(&mut self, id: u64, interest: &Interest) {
        let Some(organizations) = interest.organizations() else {
            self.everything.remove(&id);
            return;
        };
        let topics = organizations.iter().cloned().map(Topic::Organization).chain([Topic::Platform]);
        for topic in topics {
            if let Some(waiting) = self.by_topic.get_mut(&topic) {
                waiting.remove(&id);
                if waiting.is_empty() {
                    self.by_topic.remove(&topic);
                }
            }
        }
    }
}

impl Subscription {
    /// What it waits for.
    #[must_use]
    pub fn interest(&self) -> &Interest {
        &self.interest
    }

    /// Waits for something else from now on.
    pub fn set_interest(&mut self, interest: Interest) {
        let mut inner = self.waiters.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.leave(self.id, &self.interest);
        inner.enter(self.id, &interest, &self.bell);
        self.interest = interest;
    }

    /// Rung when something was appended.
    #[must_use]
    pub fn bell(&self) -> &Bell {
        &self.bell
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.waiters.inner.lock().unwrap_or_else(PoisonError::into_inner).leave(self.id, &self.interest);
    }
}
