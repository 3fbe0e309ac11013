//! How many may be connected to this server: in all, from one address, and polls of one user. (How many streams a user may have holds for all servers together, and
//! is decided in the database: `directory.rs`.)

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use super::Counts;

/// The most of each.
#[derive(Clone, Copy, Debug)]
pub struct Most {
    /// Streams and polls.
    pub in_all: u32,
    /// Streams and polls from one address.
    pub per_address: u32,
    /// Polls of one user.
    pub polls_per_user: u32,
}

/// Lets in as many as there may be.
#[derive(Debug)]
pub struct Gate {
    most: Most,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    in_all: u32,
    from: Counts<IpAddr>,
    polls_of: Counts<Box<str>>,
}

/// Why somebody was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The server has as many as it may.
    Server,
    /// So many come from that address.
    Address,
    /// So many polls of the user wait.
    User,
}

/// Somebody who was let in; they leave when this is dropped.
#[derive(Debug)]
pub struct Place {
    gate: Arc<Gate>,
    address: IpAddr,
    poll_of: Option<Box<str>>,
}

impl Gate {
    /// Nobody is in yet.
    #[must_use]
    pub fn new(most: Most) -> Self {
        Self { most, inside: Mutex::default() }
    }

    /// Lets in a stream, or a poll of this user.
    ///
    /// # Errors
    /// When there are as many as there may be.
    pub fn enter(self: &Arc<Self>, address: IpAddr, poll_of: Option<&str>) -> Result<Place, Full> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.in_all >= self.most.in_all {
            return Err(Full::Server);
        }
        if inside.from.is_full(&address, self.most.per_address) {
            return Err(Full::Address);
        }
        let poll_of = poll_of.map(Box::<str>::from);
        if poll_of.as_ref().is_some_and(|user| inside.polls_of.is_full(user, self.most.polls_per_user)) {
            return Err(Full::User);
        }
        inside.in_all += 1;
        inside.from.enter(address);
        if let Some(user) = &poll_of {
            inside.polls_of.enter(user.clone());
        }
        Ok(Place { gate: Arc::clone(self), address, poll_of })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.gate.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.in_all -= 1;
        inside.from.leave(&self.address);
        if let Some(user) = &self.poll_of {
            inside.polls_of.leave(user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_holds_and_who_leaves_makes_room() {
        let gate = Arc::new(Gate::new(Most { in_all: 4, per_address: 2, polls_per_user: 1 }));
        let address = |n| IpAddr::from([10, 0, 0, n]);
        let first = gate.enter(address(1), Some("ann")).unwrap();
        assert_eq!(gate.enter(address(2), Some("ann")).unwrap_err(), Full::User);
        let stream = gate.enter(address(1), None).unwrap();
        assert_eq!(gate.enter(address(1), Some("ben")).unwrap_err(), Full::Address);
        let others = [gate.enter(address(2), None).unwrap(), gate.enter(address(3), None).unwrap()];
        assert_eq!(gate.enter(address(4), None).unwrap_err(), Full::Server);
        drop(first);
        let again = gate.enter(address(1), Some("ann")).unwrap();
        drop((stream, others, again));
        let inside = gate.inside.lock().unwrap();
        assert!(inside.in_all == 0 && inside.from.is_empty() && inside.polls_of.is_empty(), "{inside:?}");
    }
}
