//! The judgement: each delivery, each silence and each refusal, against what may and what must be.
//!
//! A server judges by what its tailer has applied, which is at no time older than the newest event that it has sent. So an event is a leak if its user could not see it at any moment between
//! then and when it was read; and it is lost if a cursor has passed over it although its user could see it all the time. What was asked for is a timeline of the same
//! kind: in doubt from when it was asked until that was answered.

mod claims;
mod terms;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt,
};

use self::{
    claims::{Claims, Odd},
    terms::Terms,
};
use crate::{
    events::{Event, FIELDS, Key, Shown},
    history::{Ask, Change, History, Item, Session},
    moments::{Moment, Span},
    rules::Wanted,
    world::EVENT_TYPES,
};

/// How many of each kind of offence are shown.
const SHOWN: usize = 5;

/// What must not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Offence {
    /// An event that the user may not see.
    Leaked,
    /// An event of a type that was not asked for: not yet, or no more.
    Unasked,
    /// It came twice on one stream.
    Repeated,
    /// It came when its client's cursor had it already, so the client drops it.
    Swallowed,
    /// A stream has gone back, though nobody has asked for it.
    WentBack,
    /// Somebody has changed a stream that is not theirs, or has learnt that it is there.
    Meddled,
    /// A field that should have been hidden, or hidden otherwise, or not at all.
    WronglyShown,
    /// A cursor has passed over an event that the user may see.
    Lost,
    /// A cursor claims an event that was not committed yet, or it even came.
    ClaimedEarly,
    /// It was never committed, or with other contents.
    Invented,
    /// Somebody who may see nothing was let in, or was given a type of which they may see nothing.
    LetIn,
    /// Somebody who may see something was refused, or sent away.
    Refused,
    /// Something else that nothing here is a reason for.
    Unexpected,
    /// What was committed is not what the outbox holds.
    NotCaptured,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) offences: BTreeMap<Offence, Vec<String>>,
    /// Events delivered.
    pub(crate) delivered: usize,
    /// Events that a cursor passed over and that had to be delivered, which they were.
    pub(crate) owed: usize,
    /// Events that a cursor passed over and that could not have been for the user at any time.
    pub(crate) withheld: usize,
    /// Fields that were hidden.
    pub(crate) hidden: usize,
    /// Sessions that were refused.
    pub(crate) refused: usize,
    /// Times that an open stream was changed.
    pub(crate) changed: usize,
    /// Times that a type was asked for since a cursor.
    pub(crate) rewound: usize,
    /// Times that somebody asked something of another's stream.
    pub(crate) meddled: usize,
}

impl Verdict {
    fn object(&mut self, offence: Offence, what: impl FnOnce() -> String) {
        self.offences.entry(offence).or_default().push(what());
    }
}

/// Judges all of it.
pub(crate) fn judge(history: &History) -> Verdict {
    let judge = Judge { history, freshness: Freshness::of(history), numbers: numbers(history), ids: ids(history) };
    let mut verdict = Verdict::default();
    judge.judge_capture(&mut verdict);
    for session in &history.sessions {
        judge.judge_session(session, &mut verdict);
    }
    verdict
}

struct Judge<'a> {
    history: &'a History,
    freshness: Freshness,
    /// How an event calls its operation → its key.
    numbers: HashMap<(u64, &'a str), Key>,
    ids: HashMap<Key, i64>,
}

fn ids(history: &History) -> HashMap<Key, i64> {
    history.ids.iter().map(|(&id, &key)| (key, id)).collect()
}

fn numbers(history: &History) -> HashMap<(u64, &str), Key> {
    history.events.keys().map(|&key| ((key.0, key.1), key)).collect()
}

/// From which moment on what has been committed counts at a server, by what it had been seen to send.
struct Freshness(HashMap<usize, Vec<(Moment, Moment)>>);

impl Freshness {
    fn of(history: &History) -> Self {
        let mut seen = HashMap::<usize, Vec<(Moment, Moment)>>::new();
        let numbers = numbers(history);
        for session in &history.sessions {
            for (moment, item) in &session.items {
                if let Some((_, event)) = known(item, &numbers, history) {
                    seen.entry(session.server).or_default().push((*moment, event.commit.from));
                }
            }
        }
        for events in seen.values_mut() {
            events.sort_unstable();
            let mut newest = 0;
            for (_, committing) in events {
                newest = newest.max(*committing);
                *committing = newest;
            }
        }
        Self(seen)
    }

    fn before(&self, server: usize, moment: Moment) -> Moment {
        let Some(seen) = self.0.get(&server) else { return 0 };
        seen[..seen.partition_point(|&(read, _)| read < moment)].last().map_or(0, |&(_, newest)| newest)
    }
}

/// The committed event that this is.
fn known<'a>(item: &Item, numbers: &HashMap<(u64, &str), Key>, history: &'a History) -> Option<(Key, &'a Event)> {
    let Item::Event(operation, number, _) = item else { return None };
    let key = *numbers.get(&(*number, operation.as_str()))?;
    Some((key, &history.events[&key]))
}

impl Judge<'_> {
    fn judge_capture(&self, verdict: &mut Verdict) {
        let captured: HashSet<&Key> = self.history.ids.values().collect();
        for (key, event) in self.history.events.iter().filter(|(key, _)| !captured.contains(key)) {
            verdict.object(Offence::NotCaptured, || format!("{key:?} {event:?}"));
        }
        for (id, key) in self.history.ids.iter().filter(|(_, key)| !self.history.events.contains_key(key)) {
            verdict.object(Offence::NotCaptured, || format!("outbox {id}, {key:?}, was not committed"));
        }
    }

    fn judge_session(&self, session: &Session, verdict: &mut Verdict) {
        let start = self.freshness.before(session.server, session.asked);
        let mut claims = Claims::new(self.history, session);
        let mut terms = Terms::new(&session.wanted);
        let mut freshness = start;
        let access = &self.history.access;
        for (moment, item) in &session.items {
            let until_now = |from| Span { from, to: *moment };
            let who =
                || format!("{:?} at server {} from {start}, asked {}", session.wanted, session.server, session.asked);
            match item {
                Item::Entered if !access.may_have_entered(&session.wanted, until_now(start)) => {
                    verdict.object(Offence::LetIn, || format!("{}, at {moment}", who()));
                }
                Item::Refused => {
                    verdict.refused += 1;
                    if access.must_have_entered(&session.wanted, until_now(start)) {
                        verdict.object(Offence::Refused, || format!("{}, at {moment}", who()));
                    }
                }
                Item::Revoked if access.must_have_entered(&session.wanted, until_now(start)) => {
                    verdict.object(Offence::Refused, || format!("{}, sent away at {moment}", who()));
                }
                Item::Entered | Item::Revoked => {}
                Item::Unexpected(what) => {
                    verdict.object(Offence::Unexpected, || format!("{what}: {}, at {moment}", who()));
                }
                Item::Garbled(event) => {
                    let event: String = event.chars().take(300).collect();
                    verdict.object(Offence::Invented, || format!("{event}: {}", who()));
                }
                Item::Event(operation, number, shown) => {
                    let Some((key, event)) = known(item, &self.numbers, self.history) else {
                        verdict.object(Offence::Invented, || format!("{operation} of {number}: {}", who()));
                        continue;
                    };
                    verdict.delivered += 1;
                    let id = self.ids.get(&key).copied();
                    let odd = id.and_then(|id| claims.deliver(id)).map(|odd| match odd {
                        Odd::Again => Offence::Repeated,
                        Odd::Had => Offence::Swallowed,
                    });
                    if let Some(offence) = odd {
                        verdict.object(offence, || format!("{id:?} {key:?} at {moment}: {}", who()));
                    }
                    if event.commit.from > *moment {
                        verdict.object(Offence::ClaimedEarly, || format!("{key:?} {event:?} came at {moment}"));
                        continue;
                    }
                    freshness = freshness.max(event.commit.from);
                    if !terms.may_send(event, id, freshness) {
                        verdict.object(Offence::Unasked, || format!("{id:?} {event:?} at {moment}: {}", who()));
                    }
                    self.judge_event(session, (key, event), *shown, until_now(freshness), verdict);
                }
                Item::Cursor(cursor) => {
                    if claims.goes_back_by_itself(cursor) {
                        verdict.object(Offence::WentBack, || format!("to {cursor} at {moment}: {}", who()));
                    }
                    for id in claims.claim(cursor, freshness) {
                        self.judge_claim(session, id, start, *moment, (&claims, &terms), verdict);
                    }
                }
                Item::Changed(change) => {
                    self.judge_change(&session.wanted, change, until_now(freshness), &terms, verdict);
                    let Some(sent) = &change.answer else { continue };
                    let going_back = terms.change(change, sent, Span { from: change.asked, to: *moment });
                    if let Ask::Subscribe { since: Some(since), .. } = &change.ask {
                        verdict.rewound += usize::from(!going_back.is_empty());
                        claims.go_back(going_back, since, *moment);
                    }
                }
                Item::Meddled(status) => {
                    verdict.meddled += 1;
                    if *status != 404 {
                        verdict.object(Offence::Meddled, || format!("answered {status} at {moment}: {}", who()));
                    }
                }
            }
        }
    }

    fn judge_change(&self, wanted: &Wanted, change: &Change, span: Span, terms: &Terms, verdict: &mut Verdict) {
        verdict.changed += usize::from(change.answer.is_some());
        let access = &self.history.access;
        let asked = |types: &_| Wanted { types: Some(BTreeSet::clone(types)), ..wanted.clone() };
        match (&change.ask, &change.answer) {
            (Ask::Subscribe { types, .. }, Some(_)) if !access.may_have_asked(wanted, types, span) => {
                verdict.object(Offence::LetIn, || format!("{change:?} by {wanted:?} in {span:?}"));
            }
            (Ask::Subscribe { types, .. }, None) if access.must_have_entered(&asked(types), span) => {
                verdict.object(Offence::Refused, || format!("{change:?} by {wanted:?} in {span:?}"));
            }
            (Ask::Unsubscribe { .. } | Ask::Renew, None) => {
                verdict.object(Offence::Refused, || format!("{change:?} by {wanted:?} in {span:?}"));
            }
            (Ask::Unsubscribe { types }, Some(sent)) => {
                let others = EVENT_TYPES.into_iter().filter(|name| !types.contains(name) && !sent.contains(*name));
                for name in others.filter(|_| terms.is_everything()) {
                    if access.must_have_entered(&asked(&[name].into()), span) {
                        verdict.object(Offence::Lost, || format!("{name} by {change:?} of {wanted:?} in {span:?}"));
                    }
                }
                if types.iter().any(|name| sent.contains(*name)) {
                    verdict.object(Offence::Unexpected, || format!("{change:?} of {wanted:?}: it is still sent"));
                }
            }
            _ => {}
        }
    }

    fn judge_event(
        &self,
        session: &Session,
        (key, event): (Key, &Event),
        shown: [Shown; FIELDS.len()],
        span: Span,
        verdict: &mut Verdict,
    ) {
        let access = &self.history.access;
        let about = || format!("{key:?} {event:?} to {:?} by what held in {span:?}", session.wanted);
        if !access.may_have_seen(&session.wanted, event, span) {
            verdict.object(Offence::Leaked, about);
        }
        for (field, shown) in shown.into_iter().enumerate() {
            verdict.hidden += usize::from(shown != Shown::Whole);
            if !access.may_have_shown(session.wanted.user, event, field, shown, span) {
                verdict.object(Offence::WronglyShown, || format!("{:?} is {shown:?}: {}", FIELDS[field], about()));
            }
        }
    }

    /// A cursor has passed over this id: either its event has been delivered, or it was not for the client.
    fn judge_claim(
        &self,
        session: &Session,
        id: i64,
        start: Moment,
        moment: Moment,
        (claims, terms): (&Claims, &Terms),
        verdict: &mut Verdict,
    ) {
        let Some((key, event)) = self.history.ids.get(&id).and_then(|key| self.history.events.get_key_value(key))
        else {
            return;
        };
        if event.commit.from > moment {
            verdict.object(Offence::ClaimedEarly, || format!("{id} {key:?} {event:?} at {moment}"));
            return;
        }
        if claims.is_past() {
            return;
        }
        let span = Span { from: event.commit.from.max(start), to: moment };
        let access = &self.history.access;
        let delivered = claims.is_delivered(id);
        if terms.must_send(event, id, moment) && access.must_have_seen(&session.wanted, event, span) {
            verdict.owed += 1;
            if !delivered {
                verdict.object(Offence::Lost, || {
                    format!("{id} {key:?} {event:?} to {:?} in {span:?}, after {:?}", session.wanted, session.after)
                });
            }
        } else if !delivered && !access.may_have_seen(&session.wanted, event, span) {
            verdict.withheld += 1;
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>10} events delivered", self.delivered)?;
        writeln!(f, "{:>10} fields hidden in them", self.hidden)?;
        writeln!(f, "{:>10} events that had to come", self.owed)?;
        writeln!(f, "{:>10} events that could not come", self.withheld)?;
        writeln!(f, "{:>10} refusals", self.refused)?;
        writeln!(f, "{:>10} changes of open streams", self.changed)?;
        writeln!(f, "{:>10} of them since a cursor", self.rewound)?;
        writeln!(f, "{:>10} tries to change others' streams", self.meddled)?;
        for (offence, found) in &self.offences {
            writeln!(f, "{:>10} {offence:?}", found.len())?;
            for one in found.iter().take(SHOWN) {
                writeln!(f, "           {one}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
