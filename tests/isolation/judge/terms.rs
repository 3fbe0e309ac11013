//! What a stream was asked to send, as it went on: for each type the times at which it was wanted.

use std::collections::{BTreeSet, HashMap};

use rowcast::cursor::Cursor;

use crate::{
    events::Event,
    history::{Ask, Change},
    moments::{Moment, Span},
    rules::Wanted,
    world::EVENT_TYPES,
};

pub(super) struct Terms {
    periods: HashMap<&'static str, Vec<Period>>,
    /// Whether it was opened for all types, and none has been taken out since.
    everything: bool,
}

/// A type is wanted for this long.
struct Period {
    begun: Begun,
    /// From when it was asked that it end, until that was answered. In between it may have ended or not.
    ended: Option<Span>,
}

enum Begun {
    WithTheStream,
    /// From when it was asked for until that was answered.
    Now(Span),
    /// With what this cursor lacks.
    Since(Cursor),
}

impl Terms {
    pub(super) fn new(wanted: &Wanted) -> Self {
        let types = EVENT_TYPES.iter().filter(|name| wanted.types.as_ref().is_none_or(|types| types.contains(*name)));
        let periods = types.map(|&name| (name, vec![Period { begun: Begun::WithTheStream, ended: None }])).collect();
        Self { periods, everything: wanted.types.is_none() }
    }

    /// What was asked for is in force. Returns the types for which the stream has to go back.
    pub(super) fn change(&mut self, change: &Change, sent: &BTreeSet<String>, span: Span) -> BTreeSet<&'static str> {
        let mut going_back = BTreeSet::new();
        match &change.ask {
            Ask::Subscribe { types, since } => {
                // Those that it has stay as they are.
                for name in types.iter().filter(|name| !self.has(name)).copied().collect::<Vec<_>>() {
                    let begun = match since {
                        Some(since) => {
                            going_back.insert(name);
                            Begun::Since(since.clone())
                        }
                        None => Begun::Now(span),
                    };
                    self.periods.entry(name).or_default().push(Period { begun, ended: None });
                }
            }
            Ask::Unsubscribe { types } => {
                // Of everything there is left what its user may see just then. Only the answer says what that was.
                let everything = std::mem::take(&mut self.everything);
                for (name, periods) in &mut self.periods {
                    if types.contains(name) || everything && !sent.contains(*name) {
                        periods.iter_mut().filter(|period| period.ended.is_none()).for_each(|it| it.ended = Some(span));
                    }
                }
            }
            Ask::Renew => {}
        }
        going_back
    }

    /// Whether it was opened for all types, and none has been taken out since.
    pub(super) fn is_everything(&self) -> bool {
        self.everything
    }

    fn has(&self, event_type: &str) -> bool {
        self.periods.get(event_type).is_some_and(|periods| periods.iter().any(|period| period.ended.is_none()))
    }

    /// Whether an event may come on a stream that is as fresh as that.
    pub(super) fn may_send(&self, event: &Event, id: Option<i64>, freshness: Moment) -> bool {
        self.periods.get(event.event_type).into_iter().flatten().any(|period| {
            let begun = match &period.begun {
                Begun::WithTheStream => true,
                // What had committed before it was asked for is of before.
                Begun::Now(asked) => event.commit.to > asked.from,
                Begun::Since(since) => id.is_none_or(|id| !since.contains(id)),
            };
            begun && period.ended.is_none_or(|ended| freshness <= ended.to)
        })
    }

    /// Whether an event has to have come when a cursor passes over it at this moment.
    pub(super) fn must_send(&self, event: &Event, id: i64, moment: Moment) -> bool {
        self.periods.get(event.event_type).into_iter().flatten().any(|period| {
            let begun = match &period.begun {
                Begun::WithTheStream => true,
                Begun::Now(asked) => event.commit.from > asked.to,
                Begun::Since(since) => !since.contains(id),
            };
            begun && period.ended.is_none_or(|ended| moment < ended.from)
        })
    }
}
