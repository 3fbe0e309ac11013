//! What a client asked for, and what of it its user's grants allow.

use std::collections::BTreeSet;

use crate::{
    log::Interest,
    policy::{Grants, Policy},
};

/// What a client asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Event types; none means all that the user may see.
    pub types: Option<BTreeSet<Box<str>>>,
    /// One organization and what is platform-wide; none means every organization of the user.
    pub organization: Option<Box<str>>,
}

impl Wanted {
    /// Whether there is anything at all that the user may ask for.
    #[must_use]
    pub fn may_connect(&self, grants: &Grants) -> bool {
        grants.any() && self.organization.as_ref().is_none_or(|organization| grants.is_member(organization))
    }

    /// The types that are sent: wanted and visible; sorted.
    pub(super) fn types(&self, policy: &Policy, grants: &Grants) -> Vec<Box<str>> {
        let mut types = policy.visible_types(grants, self.organization.as_deref());
        if let Some(wanted) = &self.types {
            types.retain(|visible| wanted.contains(visible));
        }
        types
    }

    /// What the session has to read in the log.
    pub(super) fn interest(&self, grants: &Grants) -> Interest {
        match &self.organization {
            Some(organization) => Interest::Organizations(vec![organization.clone()]),
            None if grants.is_everywhere() => Interest::Everything,
            None => Interest::Organizations(grants.organizations().into_iter().map(Into::into).collect()),
        }
    }

    /// What the client is told of its organizations: none for platform staff, who are in all.
    pub(super) fn organizations(&self, grants: &Grants) -> Option<Vec<Box<str>>> {
        match self.interest(grants) {
            Interest::Organizations(organizations) => Some(organizations),
            Interest::Everything => None,
        }
    }
}
