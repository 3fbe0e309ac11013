//! What one user may do where.

use std::collections::{BTreeMap, BTreeSet};

/// What one user holds: the rows of `rowcast.grants` for them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Grants {
    everywhere: Option<BTreeSet<Box<str>>>,
    organizations: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
}

impl Grants {
    /// Adds a row of `rowcast.grants`. Without an organization it holds in all; without a permission it is mere membership.
    pub fn add(&mut self, organization: Option<Box<str>>, permission: Option<Box<str>>) {
        let permissions = match organization {
            Some(organization) => self.organizations.entry(organization).or_default(),
            None => self.everywhere.get_or_insert_default(),
        };
        permissions.extend(permission);
    }

    /// Whether there is any grant at all.
    #[must_use]
    pub fn any(&self) -> bool {
        self.everywhere.is_some() || !self.organizations.is_empty()
    }

    /// Whether the user is a member of every organization (platform staff).
    #[must_use]
    pub fn is_everywhere(&self) -> bool {
        self.everywhere.is_some()
    }

    /// Whether the user is a member of the organization.
    #[must_use]
    pub fn is_member(&self, organization: &str) -> bool {
        self.is_everywhere() || self.organizations.contains_key(organization)
    }

    /// Whether the user holds the permission in the organization, or platform-wide when it is none.
    #[must_use]
    pub fn holds(&self, organization: Option<&str>, permission: &str) -> bool {
        let there = organization.and_then(|organization| self.organizations.get(organization));
        there.into_iter().chain(&self.everywhere).any(|permissions| permissions.contains(permission))
    }

    /// Whether the user holds the permission in any organization, or platform-wide.
    #[must_use]
    pub fn holds_anywhere(&self, permission: &str) -> bool {
        self.organizations.values().chain(&self.everywhere).any(|permissions| permissions.contains(permission))
    }

    /// The organizations in which the user holds the permission, of those that are named one by one; sorted.
    #[must_use]
    pub fn organizations_holding(&self, permission: &str) -> Vec<Box<str>> {
        let holding = self.organizations.iter().filter(|(_, permissions)| permissions.contains(permission));
        holding.map(|(organization, _)| organization.clone()).collect()
    }

    /// The organizations that are named one by one; sorted.
    #[must_use]
    pub fn organizations(&self) -> Vec<&str> {
        self.organizations.keys().map(AsRef::as_ref).collect()
    }
}
