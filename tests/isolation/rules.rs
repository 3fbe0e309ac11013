//! Who may see what: `docs/access.md` as a model of its own, over facts of which it is known when they held. It shares no code with the server.

use std::collections::{BTreeSet, HashMap};

use crate::{
    events::{Audience, Event, FIELDS, Shown},
    moments::{Moment, Span, Timeline},
};

/// Something that access depends on, and that changes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Fact {
    /// A user has a role in an organization, or in all of them.
    Membership { user: &'static str, organization: Option<&'static str>, role: &'static str },
    /// A role has a permission.
    Permission { role: &'static str, permission: &'static str },
    /// The adopter has not locked the user out of their teams.
    Enabled { user: &'static str },
    /// The permission that an event type needs.
    Requirement { event_type: &'static str },
    /// What is done to the field of [`FIELDS`] with this number.
    Redaction { event_type: &'static str, field: usize },
}

/// What is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Held(bool),
    Requires(Option<&'static str>),
    Hides(Option<Hiding>),
}

/// A row of `rowcast.redactions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hiding {
    pub(crate) unless: &'static str,
    pub(crate) replacement: Option<&'static str>,
}

/// What one client asks for, and on whose behalf. Types are the only part of it that changes while a stream is open, so they are judged apart.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) user: &'static str,
    pub(crate) types: Option<BTreeSet<&'static str>>,
    pub(crate) organization: Option<&'static str>,
}

/// Roles of the adopter's own teams begin like this; their members can be locked out.
pub(crate) const TEAM: &str = "team_";

/// How doubt is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    /// What may be held counts as held.
    For,
    /// What may have been lost counts as lost.
    Against,
}

/// Everything that access depended on, through all of the test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    facts: HashMap<Fact, Timeline<Value>>,
    memberships: HashMap<&'static str, Vec<Fact>>,
    /// When anything began to change, or had changed; ascending.
    turns: Vec<Moment>,
}

impl Access {
    pub(crate) fn new(facts: impl IntoIterator<Item = (Fact, Timeline<Value>)>) -> Self {
        let facts: HashMap<_, _> = facts.into_iter().collect();
        let mut memberships = HashMap::<_, Vec<_>>::new();
        for fact in facts.keys() {
            if let Fact::Membership { user, .. } = fact {
                memberships.entry(*user).or_default().push(*fact);
            }
        }
        let mut turns: Vec<Moment> = facts.values().flat_map(Timeline::turns).collect();
        turns.sort_unstable();
        Self { facts, memberships, turns }
    }

    /// How often anything changed.
    pub(crate) fn changes(&self) -> usize {
        self.turns.len() / 2
    }

    /// Whether the event may have been for the client at some time within the span. Rules and grants are read by two statements, so each may be of another moment.
    pub(crate) fn may_have_seen(&self, wanted: &Wanted, event: &Event, span: Span) -> bool {
        self.requirements(event.event_type, span)
            .any(|needed| self.moments(span).any(|moment| self.sees(wanted, event, needed, moment, Doubt::For)))
    }

    /// Whether it was for the client all the time.
    pub(crate) fn must_have_seen(&self, wanted: &Wanted, event: &Event, span: Span) -> bool {
        self.requirements(event.event_type, span)
            .all(|needed| self.moments(span).all(|moment| self.sees(wanted, event, needed, moment, Doubt::Against)))
    }

    /// Whether a field may have looked like this to the client at some time within the span.
    pub(crate) fn may_have_shown(&self, user: &str, event: &Event, field: usize, shown: Shown, span: Span) -> bool {
        let fact = Fact::Redaction { event_type: event.event_type, field };
        let holds = |permission, moment, doubt| self.holds(user, event.organization(), permission, moment, doubt);
        self.facts[&fact].within(span).any(|value| match value {
            Value::Hides(None) => shown == Shown::Whole,
            Value::Hides(Some(Hiding { unless, replacement })) => match shown {
                Shown::Whole => self.moments(span).any(|moment| holds(unless, moment, Doubt::For)),
                Shown::Removed | Shown::Replaced(_) => {
                    shown == replacement.map_or(Shown::Removed, Shown::Replaced)
                        && self.moments(span).any(|moment| !holds(unless, moment, Doubt::Against))
                }
            },
            _ => false,
        })
    }

    /// Whether the client may have been let in at some time within the span.
    pub(crate) fn may_have_entered(&self, wanted: &Wanted, span: Span) -> bool {
        self.moments(span).any(|moment| self.is_member(wanted.user, wanted.organization, moment, Doubt::For))
    }

    /// Whether it had to be let in all the time, and with all the types that it asks for.
    pub(crate) fn must_have_entered(&self, wanted: &Wanted, span: Span) -> bool {
        let member = |moment| self.is_member(wanted.user, wanted.organization, moment, Doubt::Against);
        let visible = |event_type: &&'static str| {
            self.requirements(event_type, span).all(|needed| {
                needed.is_none_or(|needed| {
                    self.moments(span).all(|moment| self.holds_where(wanted, needed, moment, Doubt::Against))
                })
            })
        };
        self.moments(span).all(member) && wanted.types.iter().flatten().all(visible)
    }

    /// Whether the client may have been allowed to ask for all of these types at some time within the span.
    pub(crate) fn may_have_asked(&self, wanted: &Wanted, types: &BTreeSet<&'static str>, span: Span) -> bool {
        types.iter().all(|event_type| {
            self.requirements(event_type, span).any(|needed| {
                self.moments(span).any(|moment| match needed {
                    Some(needed) => self.holds_where(wanted, needed, moment, Doubt::For),
                    None => self.is_member(wanted.user, None, moment, Doubt::For),
                })
            })
        })
    }

    fn sees(&self, wanted: &Wanted, event: &Event, needed: Option<&'static str>, moment: Moment, doubt: Doubt) -> bool {
        let (user, organization) = (wanted.user, event.organization());
        let asked = wanted.organization.is_none_or(|wanted| organization.is_none_or(|own| own == wanted));
        let addressed = match event.audience {
            Audience::Organization(_) | Audience::Platform => true,
            Audience::User(owner, _) => owner == user || self.holds(user, organization, "admin", moment, doubt),
            Audience::Nobody => false,
        };
        asked
            && addressed
            && self.is_member(user, organization, moment, doubt)
            && needed.is_none_or(|needed| self.holds(user, organization, needed, moment, doubt))
    }

    /// A member of the organization, or of any.
    fn is_member(&self, user: &str, organization: Option<&str>, moment: Moment, doubt: Doubt) -> bool {
        let inside = |own: Option<&str>| organization.is_none() || own.is_none() || own == organization;
        self.held(user, moment, doubt).any(|(own, _)| inside(own))
    }

    /// Holds the permission in the organization, or everywhere; what is platform-wide takes the latter.
    fn holds(
        &self,
        user: &str,
        organization: Option<&str>,
        permission: &'static str,
        moment: Moment,
        doubt: Doubt,
    ) -> bool {
        self.held(user, moment, doubt).any(|(own, role)| {
            (own.is_none() || own == organization) && self.is(&Fact::Permission { role, permission }, moment, doubt)
        })
    }

    /// Holds the permission in the organization asked for, or in any.
    fn holds_where(&self, wanted: &Wanted, permission: &'static str, moment: Moment, doubt: Doubt) -> bool {
        self.held(wanted.user, moment, doubt).any(|(own, role)| {
            (own.is_none() || wanted.organization.is_none() || own == wanted.organization)
                && self.is(&Fact::Permission { role, permission }, moment, doubt)
        })
    }

    /// The organizations and roles that the user has.
    fn held(
        &self,
        user: &str,
        moment: Moment,
        doubt: Doubt,
    ) -> impl Iterator<Item = (Option<&'static str>, &'static str)> {
        let memberships = self.memberships.get(user).into_iter().flatten();
        memberships.filter_map(move |fact| match *fact {
            Fact::Membership { user, organization, role } => {
                let enabled = !role.starts_with(TEAM) || self.is(&Fact::Enabled { user }, moment, doubt);
                (enabled && self.is(fact, moment, doubt)).then_some((organization, role))
            }
            _ => None,
        })
    }

    fn is(&self, fact: &Fact, moment: Moment, doubt: Doubt) -> bool {
        let Some(timeline) = self.facts.get(fact) else { return false };
        let mut values = timeline.at(moment).map(|value| value == Value::Held(true));
        match doubt {
            Doubt::For => values.any(|held| held),
            Doubt::Against => values.all(|held| held),
        }
    }

    fn requirements(&self, event_type: &'static str, span: Span) -> impl Iterator<Item = Option<&'static str>> {
        self.facts[&Fact::Requirement { event_type }].within(span).map(move |value| match value {
            Value::Requires(needed) => needed,
            other => panic!("{event_type} requires {other:?}"),
        })
    }

    /// The moments in a span at which anything is different from the one before.
    fn moments(&self, span: Span) -> impl Iterator<Item = Moment> {
        let first = self.turns.partition_point(|&turn| turn <= span.from);
        let last = self.turns.partition_point(|&turn| turn <= span.to);
        [span.from].into_iter().chain(self.turns[first..last.max(first)].iter().copied())
    }
}

/// The facts that say what is hidden of this event type.
pub(crate) fn redactions_of(event_type: &'static str) -> impl Iterator<Item = Fact> {
    (0..FIELDS.len()).map(move |field| Fact::Redaction { event_type, field })
}
