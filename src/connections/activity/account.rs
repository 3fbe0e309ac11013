//! What is told of one stream: of its coming, of every change that its user makes, of its end, each to those who may know. Whoever was not told of its coming is not told of
//! its end either: both are counted.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Activity, Happening};
use crate::postgres::activity::{Gone, Told};

/// How events get to the client. Polls are no streams: each of them would be somebody who comes and goes.
const TRANSPORT: &str = "sse";

/// Whose events are sent on a stream, and which types of each that the user may see there; no organization: platform staff, who are in all.
pub(in crate::connections) type Places = BTreeMap<Option<Box<str>>, BTreeSet<Box<str>>>;

/// Why a stream is other than before.
#[derive(Clone, Copy, Debug)]
pub(in crate::connections) enum Cause<'a> {
    /// Its user wants these types, or wants them no more.
    Asked(&'a BTreeSet<Box<str>>),
    /// Its user may see more or less.
    Access,
}

/// The account of one stream.
pub(in crate::connections) struct Account {
    activity: Arc<Activity>,
    session_id: Box<str>,
    user_id: Box<str>,
    known: Mutex<Known>,
    reason: OnceLock<&'static str>,
}

/// What has been said of it.
#[derive(Default)]
struct Known {
    places: BTreeMap<Option<Box<str>>, Place>,
    rows: u32,
    is_closed: bool,
}

/// One of its places.
struct Place {
    types: BTreeSet<Box<str>>,
    /// Under what its coming there was told; none: it was only counted.
    told_as: Option<Box<str>>,
}

impl Account {
    /// A stream has come.
    pub(super) fn open(activity: Arc<Activity>, session_id: &str, user_id: &str, places: Places) -> Self {
        let has_room = activity.has_room_for(places.len());
        let account = Self {
            activity,
            session_id: session_id.into(),
            user_id: user_id.into(),
            known: Mutex::default(),
            reason: OnceLock::new(),
        };
        let mut known = account.known.lock().unwrap_or_else(PoisonError::into_inner);
        for (organization, types) in places {
            account.come(&mut known, organization, types, has_room, None);
        }
        drop(known);
        account
    }

    /// The stream is other than before: `places` says how it is now.
    pub(in crate::connections) fn follow(&self, cause: Cause<'_>, places: impl FnOnce() -> Places) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_closed {
            return;
        }
        let places = places();
        let left: Vec<_> =
            known.places.keys().filter(|organization| !places.contains_key(*organization)).cloned().collect();
        for organization in left {
            if let Some(place) = known.places.remove(&organization) {
                self.leave(organization.as_deref(), place, "access_changed");
            }
        }
        for (organization, types) in places {
            let Some(before) = known.places.get_mut(&organization) else {
                let has_room = self.activity.has_room_for(1);
                self.come(&mut known, organization, types, has_room, Some("access_changed"));
                continue;
            };
            let is_told = before.told_as.is_some();
            let before = std::mem::replace(&mut before.types, types.clone());
            if let Cause::Asked(asked) = cause {
                for (action, types) in [("subscribed", &types - &before), ("unsubscribed", &before - &types)] {
                    self.change(&mut known, action, organization.as_deref(), &(&types & asked), is_told);
                }
            }
        }
    }

    /// Why it ends, if not because its client has gone away.
    pub(in crate::connections) fn note_reason(&self, reason: &'static str) {
        let _ = self.reason.set(reason);
    }

    /// It has ended.
    pub(in crate::connections) fn close(&self) {
        let reason = if std::thread::panicking() { "panic" } else { self.reason.get().copied().unwrap_or("client") };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.is_closed = true;
        for (organization, place) in std::mem::take(&mut known.places) {
            self.leave(organization.as_deref(), place, reason);
        }
    }

    fn come(
        &self,
        known: &mut Known,
        organization: Option<Box<str>>,
        types: BTreeSet<Box<str>>,
        has_room: bool,
        reason: Option<&str>,
    ) {
        let mut metadata = json!({"transport": TRANSPORT, "eventTypes": types});
        if let Some(reason) = reason {
            metadata["reason"] = reason.into();
        }
        let told_as = if has_room {
            Some(self.tell(known, "connected", organization.as_deref(), metadata))
        } else {
            self.activity.count("connected", organization.as_deref());
            None
        };
        known.places.insert(organization, Place { types, told_as });
    }

    fn change(
        &self,
        known: &mut Known,
        action: &'static str,
        organization: Option<&str>,
        types: &BTreeSet<Box<str>>,
        is_told: bool,
    ) {
        if types.is_empty() {
            return;
        }
        if is_told && self.activity.has_room_for(1) {
            self.tell(known, action, organization, json!({"eventTypes": types}));
        } else {
            self.activity.count(action, organization);
        }
    }

    fn leave(&self, organization: Option<&str>, place: Place, reason: &'static str) {
        match place.told_as {
            Some(id) => self.activity.push(Happening::Gone(Gone { id, at: Timestamp::now(), reason })),
            None => self.activity.count("disconnected", organization),
        }
    }

    /// The name of what was told.
    fn tell(&self, known: &mut Known, action: &'static str, organization: Option<&str>, metadata: Value) -> Box<str> {
        known.rows += 1;
        let id: Box<str> = format!("{}-{}", self.session_id, known.rows).into();
        self.activity.push(Happening::Told(Told {
            id: id.clone(),
            at: Timestamp::now(),
            action,
            organization_id: organization.map(Into::into),
            user_id: Some(self.user_id.clone()),
            session_id: Some(self.session_id.clone()),
            metadata,
        }));
        id
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Account").field("session_id", &self.session_id).finish_non_exhaustive()
    }
}
