//! The rules of access, pure: may this viewer see this event, and which of its fields?

mod grants;
mod redaction;

use std::collections::HashMap;

pub use self::{grants::Grants, redaction::Redaction};
use crate::event::{Audience, Event};

/// Holders of this permission see other users' private events in the organizations where they hold it, and who is connected there.
pub const ADMIN: &str = "admin";

/// Which redactions of an event's type apply to a viewer: bit n stands for the n-th. Two viewers with equal masks see the
/// same bytes.
pub type RedactionMask = u64;

/// The event types and redactions of the database, at one moment.
#[derive(Debug, Default)]
pub struct Policy {
    types: HashMap<Box<str>, EventType>,
}

#[derive(Debug, Default)]
struct EventType {
    required_permission: Option<Box<str>>,
    redactions: Vec<Redaction>,
}

impl Policy {
    /// Makes a policy of `(type, required permission)` and `(type, redaction)` rows. Redactions of unknown types are left out,
    /// as nobody sees such an event.
    pub fn new(
        types: impl IntoIterator<Item = (Box<str>, Option<Box<str>>)>,
        redactions: impl IntoIterator<Item = (Box<str>, Redaction)>,
    ) -> Self {
        let mut policy = Self {
            types: types
                .into_iter()
                .map(|(name, required_permission)| (name, EventType { required_permission, redactions: Vec::new() }))
                .collect(),
        };
        for (event_type, redaction) in redactions {
            if let Some(event_type) = policy.types.get_mut(&event_type) {
                event_type.redactions.push(redaction);
            }
        }
        policy
    }

    /// Whether there is an event type of that name.
    #[must_use]
    pub fn knows(&self, event_type: &str) -> bool {
        self.types.contains_key(event_type)
    }

    /// The types that a viewer may see in `organization`, or in any of theirs and platform-wide when it is none; sorted.
    #[must_use]
    pub fn visible_types(&self, grants: &Grants, organization: Option<&str>) -> Vec<Box<str>> {
        let visible = |required: Option<&str>| match (required, organization) {
            (None, _) => grants.any(),
            (Some(permission), Some(organization)) => grants.holds(Some(organization), permission),
            (Some(permission), None) => grants.holds_anywhere(permission),
        };
        let mut types: Vec<_> = self
            .types
            .iter()
            .filter(|(_, rule)| visible(rule.required_permission.as_deref()))
            .map(|(name, _)| name.clone())
            .collect();
        types.sort_unstable();
        types
    }

    /// Whether it depends on who the viewer is, beside what they hold, if they may see the event.
    #[must_use]
    pub fn is_personal(event: &Event) -> bool {
        event.audience == Audience::User
    }

    /// Whether the viewer may see the event. An event of an unknown type is nobody's.
    #[must_use]
    pub fn may_see(&self, event: &Event, user_id: &str, grants: &Grants) -> bool {
        let Some(rule) = self.types.get(&event.event_type) else { return false };
        let organization = event.organization_id.as_deref();
        let addressed = match event.audience {
            Audience::Nobody => false,
            Audience::Organization => organization.is_some(),
            Audience::Platform => organization.is_none(),
            Audience::User => event.user_id.as_deref() == Some(user_id) || grants.holds(organization, ADMIN),
        };
        let member = match organization {
            Some(organization) => grants.is_member(organization),
            None => grants.any(),
        };
        addressed
            && member
            && rule.required_permission.as_deref().is_none_or(|needed| grants.holds(organization, needed))
    }

    /// Which redactions of the event's type apply to a viewer.
    #[must_use]
    pub fn redaction_mask(&self, event: &Event, grants: &Grants) -> RedactionMask {
        let organization = event.organization_id.as_deref();
        self.redactions(&event.event_type)
            .iter()
            .enumerate()
            .filter(|(_, redaction)| !grants.holds(organization, &redaction.unless_permission))
            .fold(0, |mask, (n, _)| mask | bit(n))
    }

    /// The data without what the mask takes away, or none when the event has none of those fields.
    #[must_use]
    pub fn redact(&self, event: &Event, mask: RedactionMask) -> Option<String> {
        let mut redacted = None;
        for (n, redaction) in self.redactions(&event.event_type).iter().enumerate() {
            if mask & bit(n) != 0
                && let Some(text) = redaction.apply(redacted.as_deref().unwrap_or(&event.data))
            {
                redacted = Some(text);
            }
        }
        redacted
    }

    fn redactions(&self, event_type: &str) -> &[Redaction] {
        self.types.get(event_type).map_or(&[], |rule| &rule.redactions)
    }
}

/// A type with more than 64 redactions shares the last bit among the rest: whoever lacks one of those permissions loses all
/// those fields.
fn bit(n: usize) -> RedactionMask {
    1 << n.min(63)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(event_type: &str, audience: Audience, organization: Option<&str>) -> Event {
        Event {
            id: 1,
            txid: 1,
            created_at: jiff::Timestamp::UNIX_EPOCH,
            event_type: event_type.into(),
            audience,
            organization_id: organization.map(Into::into),
            user_id: Some("ann".into()),
            chatbot_id: None,
            session_id: None,
            source: None,
            source_key: None,
            operation: "EMIT".into(),
            priority: "medium".into(),
            data: r#"{"a":{"secret":1,"open":2},"list":[{"secret":3},{"open":4}],"nothing":null}"#.into(),
        }
    }

    fn grants(rows: &[(Option<&str>, Option<&str>)]) -> Grants {
        let mut grants = Grants::default();
        for (organization, permission) in rows {
            grants.add(organization.map(Into::into), permission.map(Into::into));
        }
        grants
    }

    fn policy(redactions: &[(&[&str], Option<&str>)]) -> Policy {
        let redaction = |(path, replacement): &(&[&str], Option<&str>)| Redaction {
            path: path.iter().map(ToString::to_string).collect(),
            unless_permission: "admin".into(),
            replacement: replacement.map(Into::into),
        };
        Policy::new(
            [("open".into(), None), ("watched".into(), Some("monitor".into()))],
            redactions.iter().map(|row| ("open".into(), redaction(row))),
        )
    }

    /// Every audience and type against every kind of viewer, as one table.
    #[test]
    fn who_sees_what() {
        use Audience::{Nobody, Organization, Platform, User};
        let stranger = grants(&[]);
        let member = grants(&[(Some("o1"), None)]);
        let other = grants(&[(Some("o2"), Some("monitor")), (Some("o2"), Some("admin"))]);
        let monitor = grants(&[(Some("o1"), Some("monitor"))]);
        let admin = grants(&[(Some("o1"), Some("admin"))]);
        let staff = grants(&[(None, Some("monitor"))]);
        let viewers = [&stranger, &member, &other, &monitor, &admin, &staff];
        let table = [
            ("open", Organization, Some("o1"), "bob", [false, true, false, true, true, true]),
            ("watched", Organization, Some("o1"), "bob", [false, false, false, true, false, true]),
            ("open", Organization, None, "bob", [false; 6]),
            ("open", Platform, None, "bob", [false, true, true, true, true, true]),
            ("watched", Platform, None, "bob", [false, false, false, false, false, true]),
            ("open", Nobody, Some("o1"), "ann", [false; 6]),
            ("open", Nobody, None, "ann", [false; 6]),
            ("open", User, Some("o1"), "ann", [false, true, false, true, true, true]),
            ("open", User, Some("o1"), "bob", [false, false, false, false, true, false]),
            ("watched", User, Some("o1"), "ann", [false, false, false, true, false, true]),
            ("unknown", Organization, Some("o1"), "ann", [false; 6]),
        ];
        let policy = policy(&[]);
        for (event_type, audience, organization, user, expected) in table {
            let event = event(event_type, audience, organization);
            let seen = viewers.map(|grants| policy.may_see(&event, user, grants));
            assert_eq!(seen, expected, "{event_type} to {audience:?} of {organization:?} seen by {user}");
        }
    }

    #[test]
    fn visible_types_follow_the_organization_asked_for() {
        let policy = policy(&[]);
        let grants = grants(&[(Some("o1"), Some("monitor")), (Some("o2"), None)]);
        assert_eq!(policy.visible_types(&grants, None), ["open", "watched"].map(Box::<str>::from));
        assert_eq!(policy.visible_types(&grants, Some("o2")), ["open"].map(Box::<str>::from));
        assert!(policy.visible_types(&Grants::default(), None).is_empty());
    }

    #[test]
    fn redacts_nested_fields_and_arrays() {
        let policy = policy(&[(&["a", "secret"], None), (&["list", "secret"], Some("\"[FILTERED]\""))]);
        let event = event("open", Audience::Organization, Some("o1"));
        let mask = policy.redaction_mask(&event, &grants(&[(Some("o1"), None)]));
        let redacted: Value = serde_json::from_str(&policy.redact(&event, mask).unwrap()).unwrap();
        let expected = json!({"a": {"open": 2}, "list": [{"secret": "[FILTERED]"}, {"open": 4}], "nothing": null});
        assert_eq!(redacted, expected);
    }

    #[test]
    fn admins_see_everything_where_they_are_admins() {
        let policy = policy(&[(&["a"], None)]);
        let event = event("open", Audience::Organization, Some("o1"));
        assert_eq!(policy.redaction_mask(&event, &grants(&[(Some("o1"), Some("admin"))])), 0);
        assert_eq!(policy.redaction_mask(&event, &grants(&[(Some("o2"), Some("admin")), (Some("o1"), None)])), 1);
    }

    #[test]
    fn absent_and_null_fields_stay_as_they_are() {
        let policy = policy(&[(&["nothing"], Some("1")), (&["absent"], Some("1"))]);
        assert_eq!(policy.redact(&event("open", Audience::Platform, None), 3), None);
    }
}
