//! The log as a stream shows it: by one policy, one set of grants and one set of wishes. Everything that decides what is sent is in here, but for who the user is.
//!
//! Streams for which all of that is equal have one and the same view, and with it the chunks that were put together for the last few positions: a thousand streams that stand at
//! one position cost little more than one. A chunk belongs to the view that judged it and can be got from nowhere else, and what a view judges by never changes: with other grants a
//! stream has another view. What depends on the user too is never kept in here.

use std::{
    collections::{HashMap, VecDeque},
    hash::{Hash, Hasher},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use super::{
    chunk::{CHUNK_BYTES, Chunk},
    reader::Visible,
};
use crate::{
    access::Versioned,
    connections::Wanted,
    cursor::Cursor,
    event::Event,
    log::{Entry, Interest, Log, Position, Read},
    policy::{Grants, Policy, RedactionMask},
};

/// From how many positions each view keeps what comes next. Streams that are up to date are at the last two or three.
const KEPT_OF_VIEW: usize = 8;

/// The most bytes of chunks that are kept of all views together; about as much as stays in a processor's cache.
const KEPT_BYTES: usize = 2 << 20;

/// The fewest views among which those that nobody has any more are looked for.
const FEWEST_TO_SWEEP: usize = 64;

/// What is sent of a log, and how.
pub(super) struct View {
    log: Arc<Log>,
    rules: Arc<Rules>,
    interest: Interest,
    kept: Mutex<VecDeque<Weak<Stretch>>>,
}

/// What a view judges by.
struct Rules {
    policy: Arc<Versioned<Policy>>,
    grants: Arc<Versioned<Grants>>,
    wanted: Wanted,
}

/// What comes after a position.
pub(super) struct Stretch {
    from: Position,
    /// The edition of the log that it was read in.
    edition: u64,
    /// The position after it.
    pub(super) to: Position,
    /// Whether nothing more had been appended.
    pub(super) at_end: bool,
    /// What a client has seen then.
    pub(super) cursor: Arc<Cursor>,
    /// What of it is sent.
    pub(super) content: Content,
}

/// What of a stretch is sent.
pub(super) enum Content {
    /// Nothing.
    Nothing,
    /// The same to everybody with this view.
    Shared(Chunk),
    /// That depends on who the user is.
    Personal,
}

/// The views that streams have.
#[derive(Default)]
pub struct Views {
    current: Mutex<Current>,
    /// Keeps alive what views remember, the oldest first.
    shelf: Mutex<Shelf>,
}

/// The views of the log that is read now.
#[derive(Default)]
struct Current {
    log: Weak<Log>,
    views: HashMap<Arc<Rules>, Weak<View>>,
    sweep_at: usize,
}

#[derive(Default)]
struct Shelf {
    stretches: VecDeque<Arc<Stretch>>,
    bytes: usize,
}

impl PartialEq for Rules {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.policy, &other.policy)
            && self.grants.value == other.grants.value
            && self.wanted == other.wanted
    }
}

impl Eq for Rules {}

impl Hash for Rules {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.policy.version.hash(state);
        self.grants.value.hash(state);
        self.wanted.hash(state);
    }
}

impl Views {
    /// The view of `log` by these rules, shared with everybody who has it.
    pub(super) fn view(
        &self,
        log: &Arc<Log>,
        policy: Arc<Versioned<Policy>>,
        grants: Arc<Versioned<Grants>>,
        wanted: Wanted,
    ) -> Arc<View> {
        let rules = Rules { policy, grants, wanted };
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::ptr::eq(current.log.as_ptr(), Arc::as_ptr(log)) {
            *current = Current { log: Arc::downgrade(log), ..Current::default() };
        }
        if let Some(view) = current.views.get(&rules).and_then(Weak::upgrade) {
            return view;
        }
        if current.views.len() >= current.sweep_at {
            current.views.retain(|_, view| view.strong_count() > 0);
            current.sweep_at = FEWEST_TO_SWEEP.max(2 * current.views.len());
        }
        let rules = Arc::new(rules);
        let view = Arc::new(View {
            log: Arc::clone(log),
            interest: rules.wanted.interest(&rules.grants.value),
            rules: Arc::clone(&rules),
            kept: Mutex::default(),
        });
        current.views.insert(rules, Arc::downgrade(&view));
        view
    }

    /// What comes after a position in a view, put together once for all who stand there; none if it has left the log.
    pub(super) fn stretch(&self, view: &Arc<View>, from: Position) -> Option<Arc<Stretch>> {
        if let Some(stretch) = view.kept_after(from) {
            return Some(stretch);
        }
        let stretch = Arc::new(view.read(from)?);
        // What nobody else asks for is not worth keeping.
        if Arc::strong_count(view) > 1 {
            view.keep(&stretch);
            self.shelf.lock().unwrap_or_else(PoisonError::into_inner).add(Arc::clone(&stretch));
        }
        Some(stretch)
    }
}

impl Shelf {
    fn add(&mut self, stretch: Arc<Stretch>) {
        self.bytes += stretch.size();
        self.stretches.push_back(stretch);
        while self.bytes > KEPT_BYTES
            && let Some(oldest) = self.stretches.pop_front()
        {
            self.bytes -= oldest.size();
        }
    }
}

impl Stretch {
    fn size(&self) -> usize {
        let chunk = match &self.content {
            Content::Shared(chunk) => chunk.bytes.len(),
            Content::Nothing | Content::Personal => 0,
        };
        size_of::<Self>() + chunk
    }
}

impl View {
    /// Whether it is of this log and this policy.
    pub(super) fn is_of(&self, log: &Arc<Log>, policy: &Arc<Versioned<Policy>>) -> bool {
        Arc::ptr_eq(&self.log, log) && Arc::ptr_eq(&self.rules.policy, policy)
    }

    /// Those of these entries that are sent to this user.
    pub(super) fn visible(&self, entries: Vec<Arc<Entry>>, user_id: &str) -> Vec<Visible> {
        let judged = entries.into_iter().map(|entry| (self.mask(&entry.event, user_id), entry));
        judged.filter_map(|(mask, entry)| Some(Visible::new(entry, Arc::clone(&self.rules.policy), mask?))).collect()
    }

    /// Which redactions apply to an event that is sent to the user; none if it is not sent.
    fn mask(&self, event: &Event, user_id: &str) -> Option<RedactionMask> {
        let Rules { policy, grants, .. } = &*self.rules;
        let is_sent = self.wants(event) && policy.value.may_see(event, user_id, &grants.value);
        is_sent.then(|| policy.value.redaction_mask(event, &grants.value))
    }

    fn wants(&self, event: &Event) -> bool {
        let wanted = &self.rules.wanted;
        let of_organization = match (&wanted.organization, &event.organization_id) {
            (Some(wanted), Some(organization)) => wanted == organization,
            _ => true,
        };
        of_organization && wanted.wants(&event.event_type, event.id, self.log.epochs().current())
    }

    /// What was put together for this position, if it is still all there is and nothing was taken out of it.
    fn kept_after(&self, from: Position) -> Option<Arc<Stretch>> {
        let stretch = {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.iter().rev().filter_map(Weak::upgrade).find(|stretch| stretch.from == from)?
        };
        let is_all = !stretch.at_end || stretch.to == self.log.end();
        (is_all && stretch.edition == self.log.edition()).then_some(stretch)
    }

    fn keep(&self, stretch: &Arc<Stretch>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|other| other.upgrade().is_some_and(|other| other.from != stretch.from));
        if kept.len() == KEPT_OF_VIEW {
            kept.pop_front();
        }
        kept.push_back(Arc::downgrade(stretch));
    }

    fn read(&self, from: Position) -> Option<Stretch> {
        // Before reading: what is taken out from now on makes it another edition.
        let edition = self.log.edition();
        let Read::Entries { entries, cursor, position, at_end } = self.log.read(from, &self.interest, CHUNK_BYTES)
        else {
            return None;
        };
        let content = self.content(&entries, &cursor);
        Some(Stretch { from, edition, to: position, at_end, cursor, content })
    }

    fn content(&self, entries: &[Arc<Entry>], cursor: &Arc<Cursor>) -> Content {
        let wanted = entries.iter().filter(|entry| self.wants(&entry.event));
        let mut frames = Vec::new();
        let mut oldest = None;
        for entry in wanted {
            if Policy::is_personal(&entry.event) {
                return Content::Personal;
            }
            // Nobody's name: it is not asked for.
            if let Some(mask) = self.mask(&entry.event, "") {
                oldest = oldest.or(Some(entry.event.created_at));
                frames.push(entry.frame(&self.rules.policy, mask));
            }
        }
        if frames.is_empty() {
            Content::Nothing
        } else {
            Content::Shared(Chunk::of(&frames, oldest, Arc::clone(cursor)))
        }
    }
}

#[cfg(test)]
mod tests;
