//! How often, and how many at a time, each address may bring what costs something to check, before it has proved anything. In memory, for this server alone.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

const MINUTE: Duration = Duration::from_mins(1);

/// Of one address at a time. A body that is awaited takes memory.
const MOST_AT_A_TIME: u32 = 16;

/// How many addresses are told apart. More than that at once are an attack, and those that came last count as one.
const MOST_ADDRESSES: usize = 10_000;

const ALL_OTHERS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Leaky buckets by address, of each the moment at which it would be empty.
#[derive(Debug)]
pub struct Turns {
    interval: Duration,
    addresses: Mutex<HashMap<IpAddr, Address>>,
}

#[derive(Debug)]
struct Address {
    empty_at: Instant,
    at_a_time: u32,
}

/// A turn that somebody has; it is over when this is dropped.
#[derive(Debug)]
pub struct Turn {
    turns: Arc<Turns>,
    address: IpAddr,
}

impl Turns {
    /// So many a minute for each address; all of a minute may come at once.
    #[must_use]
    pub fn new(per_minute: u32) -> Self {
        Self { interval: MINUTE / per_minute.max(1), addresses: Mutex::default() }
    }

    /// A turn for this address.
    ///
    /// # Errors
    /// How long to wait, when it has had too many.
    pub fn take(self: &Arc<Self>, address: IpAddr, now: Instant) -> Result<Turn, Duration> {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if addresses.len() >= MOST_ADDRESSES && !addresses.contains_key(&address) {
            addresses.retain(|_, known| known.at_a_time > 0 || known.empty_at > now);
        }
        let is_known = addresses.contains_key(&address) || addresses.len() < MOST_ADDRESSES;
        let address = if is_known { address } else { ALL_OTHERS };
        let known = addresses.entry(address).or_insert(Address { empty_at: now, at_a_time: 0 });
        let filled = known.empty_at.max(now) + self.interval;
        let wait = filled.saturating_duration_since(now + MINUTE);
        if !wait.is_zero() {
            return Err(wait);
        }
        if known.at_a_time >= MOST_AT_A_TIME {
            return Err(Duration::from_secs(1));
        }
        known.empty_at = filled;
        known.at_a_time += 1;
        Ok(Turn { turns: Arc::clone(self), address })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut addresses = self.turns.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = addresses.get_mut(&self.address) {
            known.at_a_time -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> IpAddr {
        Ipv4Addr::from_bits(number).into()
    }

    #[test]
    fn an_address_has_its_turns_of_a_minute_and_then_waits_for_each() {
        let (turns, now) = (Arc::new(Turns::new(3)), Instant::now());
        for _ in 0..3 {
            turns.take(address(1), now).unwrap();
        }
        assert_eq!(turns.take(address(1), now).unwrap_err(), Duration::from_secs(20));
        assert!(turns.take(address(2), now).is_ok(), "another address has its own");
        let later = now + Duration::from_secs(20);
        turns.take(address(1), later).unwrap();
        assert_eq!(turns.take(address(1), later).unwrap_err(), Duration::from_secs(20));
    }

    #[test]
    fn only_so_many_are_under_way_at_a_time() {
        let (turns, now) = (Arc::new(Turns::new(1_000)), Instant::now());
        let mut under_way: Vec<_> = (0..MOST_AT_A_TIME).map(|_| turns.take(address(1), now).unwrap()).collect();
        assert!(turns.take(address(1), now).is_err());
        under_way.pop();
        assert!(turns.take(address(1), now).is_ok());
    }

    #[test]
    fn of_too_many_addresses_those_are_forgotten_that_have_nothing_to_wait_for() {
        let (turns, now) = (Arc::new(Turns::new(60)), Instant::now());
        let most = u32::try_from(MOST_ADDRESSES).unwrap();
        (1..=most).for_each(|number| drop(turns.take(address(number), now).unwrap()));
        for number in 0..60 {
            drop(turns.take(address(most + 1 + number), now).unwrap());
        }
        assert!(turns.take(address(most + 100), now).is_err(), "all others are one");
        assert!(turns.addresses.lock().unwrap().len() <= MOST_ADDRESSES + 1);
        let later = now + MINUTE;
        assert!(turns.take(address(most + 100), later).is_ok());
        assert!(turns.addresses.lock().unwrap().len() < 3);
    }
}
