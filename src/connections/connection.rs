//! One stream, as everybody but its session sees it: whose it is, and what of it may change while it is open.

use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::{sync::watch, time::Instant};

use super::{
    activity::{Account, Activity, Cause, Places},
    wanted::{Since, Wanted, check_types},
};
use crate::{
    access::{Access, Viewer},
    command::{Answer, Ask, Done, Refusal},
    cursor::Cursor,
    epoch::Epochs,
    log::Log,
};

/// A stream that is open, or about to be.
pub struct Connection {
    /// What the client is told that it is called. Cannot be guessed, though knowing it is of no use to anybody but its owner.
    pub id: Box<str>,
    /// Whose it is.
    pub viewer: Arc<Viewer>,
    terms: watch::Sender<Terms>,
    described: Mutex<Described>,
    /// Whether the description is another than the one that was last taken.
    changed: AtomicBool,
    /// Whether the client was active then.
    active: AtomicBool,
    /// When the client last took what there was, in milliseconds since `opened`.
    taken: AtomicU64,
    opened: Instant,
    /// What is told of it, if that is told.
    account: OnceLock<Account>,
}

/// What may change while a stream is open.
#[derive(Clone, Debug)]
pub struct Terms {
    /// What is sent.
    pub wanted: Wanted,
    /// When it ends, unless it is renewed.
    pub expires_at: Timestamp,
}

/// What the database is told of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// Whose events are sent; none for platform staff, who get those of all.
    pub organizations: Option<Vec<Box<str>>>,
    /// The types that are sent.
    pub event_types: Vec<Box<str>>,
}

impl Connection {
    /// A stream for a user, who has asked for what is in the terms.
    #[must_use]
    pub fn new(viewer: Arc<Viewer>, terms: Terms, access: &Access) -> Self {
        let grants = Arc::clone(&viewer.watch().borrow());
        let described = Described {
            organizations: terms.wanted.organizations(&grants.value),
            event_types: terms.wanted.types(&access.policy().value, &grants.value),
        };
        Self {
            id: format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)).into(),
            viewer,
            terms: watch::Sender::new(terms),
            described: Mutex::new(described),
            changed: AtomicBool::new(false),
            active: AtomicBool::new(true),
            taken: AtomicU64::new(0),
            opened: Instant::now(),
            account: OnceLock::new(),
        }
    }

    /// It can be found from now on, and is told of.
    pub(super) fn open_account(&self, activity: &Arc<Activity>) {
        let account = activity.open(&self.id, &self.viewer.user_id, self.places(&activity.access));
        let _ = self.account.set(account);
    }

    /// It cannot be found any more.
    pub(super) fn close_account(&self) {
        self.account.get().inspect(|account| account.close());
    }

    fn places(&self, access: &Access) -> Places {
        let grants = Arc::clone(&self.viewer.watch().borrow());
        self.terms.borrow().wanted.places(&access.policy().value, &grants.value)
    }

    /// What is sent and until when, and word of any change.
    #[must_use]
    pub fn terms(&self) -> watch::Receiver<Terms> {
        self.terms.subscribe()
    }

    /// Does what its user asks for. What it answers is in force: `log` is where its events come from.
    ///
    /// # Errors
    /// When the user may not ask for that.
    pub fn obey(&self, ask: &Ask, access: &Access, log: &Log) -> Answer {
        let policy = access.policy();
        let grants = Arc::clone(&self.viewer.watch().borrow());
        let (policy, grants) = (&policy.value, &grants.value);
        let organization = self.terms.borrow().wanted.organization.clone();
        match ask {
            Ask::Subscribe { types, .. } => check_types(types, organization.as_deref(), policy, grants)?,
            // Nobody need see what they want to hear no more of.
            Ask::Unsubscribe { types } if !types.iter().all(|name| policy.knows(name)) => {
                return Err(Refusal::UnknownType);
            }
            Ask::Unsubscribe { .. } | Ask::Renew { .. } => {}
        }
        let visible = policy.visible_types(grants, organization.as_deref());
        let mut event_types = Vec::new();
        let mut until = Timestamp::default();
        self.terms.send_modify(|terms| {
            match ask {
                // Whoever reads in the log looks at the terms after that: so an event that commits from now on meets the new ones.
                Ask::Subscribe { types, committed, since } => {
                    terms.wanted.add(types, &begin(committed, since.as_deref(), log.epochs()));
                }
                Ask::Unsubscribe { types } => terms.wanted.remove(types, visible),
                // A token that is good for less takes nothing away from one that was shown before.
                Ask::Renew { expires_at } => terms.expires_at = terms.expires_at.max(*expires_at),
            }
            event_types = terms.wanted.types(policy, grants);
            until = terms.expires_at;
        });
        let organizations = self.terms.borrow().wanted.organizations(grants);
        self.describe(Described { organizations, event_types: event_types.clone() });
        if let (Some(account), Ask::Subscribe { types, .. } | Ask::Unsubscribe { types }) = (self.account.get(), ask) {
            account.follow(Cause::Asked(types), || self.places(access));
        }
        Ok(Done { event_types, expires_at: until })
    }

    /// Where to go back to, if something was asked for that the client has not had; see [`Wanted`].
    pub fn go_back(&self, had: &Arc<Cursor>, epochs: &Epochs) -> Option<Cursor> {
        let mut place = None;
        self.terms.send_if_modified(|terms| {
            place = terms.wanted.go_back(had, epochs);
            place.is_some()
        });
        place
    }

    /// Its user may see more or less than before.
    pub fn follow_access(&self, access: &Access) {
        self.account.get().inspect(|account| account.follow(Cause::Access, || self.places(access)));
    }

    /// It is this server that ends it, for this reason.
    pub fn note_end(&self, reason: &'static str) {
        self.account.get().inspect(|account| account.note_reason(reason));
    }

    /// What is sent on it has changed.
    pub fn describe(&self, described: Described) {
        let mut current = self.described.lock().unwrap_or_else(PoisonError::into_inner);
        if *current != described {
            *current = described;
            self.changed.store(true, Ordering::Release);
        }
    }

    /// What is sent on it.
    #[must_use]
    pub fn described(&self) -> Described {
        self.described.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether its description has changed since this was last asked, or whether its client is active.
    pub(super) fn take_changed(&self, active: bool) -> bool {
        let other = self.active.swap(active, Ordering::AcqRel) != active;
        self.changed.swap(false, Ordering::AcqRel) || other
    }

    /// Its description is to be taken again.
    pub(super) fn mark_changed(&self) {
        self.changed.store(true, Ordering::Release);
    }

    /// The client takes what there is.
    pub fn mark_taken(&self) {
        let taken = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.taken.store(taken, Ordering::Relaxed);
    }

    /// For how long the client has taken nothing.
    #[must_use]
    pub fn idle(&self) -> Duration {
        self.opened.elapsed().saturating_sub(Duration::from_millis(self.taken.load(Ordering::Relaxed)))
    }
}

/// From when on events of a type are sent that is asked for now.
fn begin(committed: &str, since: Option<&str>, epochs: &Epochs) -> Since {
    // Whoever took the request has seen that these are cursors of this database.
    let cursor = |text: &str| text.parse().ok().and_then(|cursor| epochs.carry(&cursor)).map(Arc::new);
    let go_back = since.and_then(cursor).map(Since::GoBack);
    go_back.or_else(|| cursor(committed).map(Since::After)).unwrap_or_default()
}
