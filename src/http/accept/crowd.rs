//! How many connections there may be, before anybody has said who asks: an address has its share, and some open files are left for the database.
//!
//! The limits of streams (`connections/gate.rs`) are met by those who have shown a token. Who only connects, and says nothing for as long as that is allowed, meets this.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use ipnet::IpNet;

use crate::{connections::Counts, http::address::ClientAddress, metrics::Metrics};

/// The connections of each address.
#[derive(Debug)]
pub struct Crowd {
    in_all: u32,
    per_address: u32,
    /// Proxies: all of their clients come from one address.
    proxies: Vec<IpNet>,
    metrics: Arc<Metrics>,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    in_all: u32,
    from: Counts<IpAddr>,
}

/// A connection that was let in; it leaves when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Arc<Crowd>,
    /// None for a proxy.
    address: Option<IpAddr>,
}

impl Crowd {
    /// Nobody is in yet.
    #[must_use]
    pub fn new(in_all: u32, per_address: u32, proxies: Vec<IpNet>, metrics: Arc<Metrics>) -> Self {
        Self { in_all, per_address, proxies, metrics, inside: Mutex::default() }
    }

    /// Lets a connection in, if there is room for it.
    pub(super) fn enter(self: &Arc<Self>, peer: SocketAddr) -> Option<Place> {
        let peer = peer.ip().to_canonical();
        let is_proxy = self.proxies.iter().any(|network| network.contains(&peer));
        let address = (!is_proxy).then(|| ClientAddress(peer).bucket());
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.in_all >= self.in_all {
            self.metrics.refused("open_files");
            return None;
        }
        if let Some(address) = address {
            if inside.from.is_full(&address, self.per_address) {
                self.metrics.refused("open_connections_per_address");
                return None;
            }
            inside.from.enter(address);
        }
        inside.in_all += 1;
        Some(Place { crowd: Arc::clone(self), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.crowd.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.in_all -= 1;
        if let Some(address) = &self.address {
            inside.from.leave(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_share_a_proxy_that_of_its_clients_and_who_leaves_makes_room() {
        let crowd = Arc::new(Crowd::new(6, 2, vec!["10.0.0.0/8".parse().unwrap()], Arc::default()));
        let peer = |address: &str| SocketAddr::new(address.parse().unwrap(), 4711);
        let mut near: Vec<_> = (0..2).map(|_| crowd.enter(peer("192.0.2.7")).unwrap()).collect();
        assert!(crowd.enter(peer("192.0.2.7")).is_none() && crowd.enter(peer("::ffff:192.0.2.7")).is_none());
        let site = [crowd.enter(peer("2001:db8::1")).unwrap(), crowd.enter(peer("2001:db8::2")).unwrap()];
        assert!(crowd.enter(peer("2001:db8::3")).is_none(), "one site");
        near.pop();
        let proxy: Vec<_> = (0..3).map(|_| crowd.enter(peer("10.1.2.3")).unwrap()).collect();
        assert!(crowd.enter(peer("10.1.2.3")).is_none(), "there are as many as there may be");
        drop((near, site, proxy));
        let inside = crowd.inside.lock().unwrap();
        assert!(inside.in_all == 0 && inside.from.is_empty(), "{inside:?}");
    }
}
