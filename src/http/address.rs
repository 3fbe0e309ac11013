//! Whose request it is, as far as addresses tell: behind a proxy every connection comes from the proxy, and the client is in a header that anybody can send.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::atomic::{AtomicBool, Ordering},
};

use ipnet::IpNet;
use tracing::warn;
use warp::http::HeaderMap;

/// What proxies append the address to of whoever they got the request from.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// What of an IPv6 address is handed out to one customer, at the least. The rest is theirs to choose, as often as they like.
const SITE_BITS: u32 = 64;

/// Where the client is: an extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// What limits count by: the address, or of IPv6 its /64.
    #[must_use]
    pub fn bucket(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << SITE_BITS)).into(),
        }
    }
}

/// The proxies whose word is taken.
#[derive(Debug, Default)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    /// Whether somebody else's word has been noticed.
    warned: AtomicBool,
}

impl TrustedProxies {
    /// Proxies in any of these networks.
    #[must_use]
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self { networks, warned: AtomicBool::new(false) }
    }

    /// Where the client is whose request came from `peer`.
    ///
    /// Each proxy appends whom it got the request from. So the list is believed from its end, for as long as those who appended are trusted: whatever a
    /// client has put there itself stands before its own address, and is not reached.
    pub fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> ClientAddress {
        let peer = peer.ip().to_canonical();
        let mut lines = headers.get_all(FORWARDED_FOR).iter().peekable();
        if !self.trusts(peer) {
            if lines.peek().is_some() && !self.warned.swap(true, Ordering::Relaxed) {
                warn!(
                    %peer,
                    "an X-Forwarded-For is not believed, because it does not come from a trusted proxy: limits count all of its clients as one; if it is a proxy of yours, name it in --trusted-proxies or ROWCAST_TRUSTED_PROXIES (this is said once)"
                );
            }
            return ClientAddress(peer);
        }
        let mut last = peer;
        for hop in lines.rev().flat_map(|line| line.as_bytes().rsplit(|&byte| byte == b',')) {
            // What cannot be read was said by somebody trusted, of whom we know no more than their own address.
            let Some(hop) = address(hop) else { break };
            last = hop;
            if !self.trusts(hop) {
                break;
            }
        }
        ClientAddress(last)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }
}

/// An address as proxies write it: some add a port, some brackets.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text).ok()?.trim();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    let address = text
        .parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .or_else(|| bracketed().map(IpAddr::V6))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use warp::http::HeaderValue;

    use super::*;

    fn proxies() -> TrustedProxies {
        TrustedProxies::new(["127.0.0.0/8", "::1/128", "10.0.0.0/8", "fd00::/8"].map(|net| net.parse().unwrap()).into())
    }

    /// The client of a request from `peer` with these lines of X-Forwarded-For.
    fn client(peer: &str, lines: &[impl AsRef<[u8]>]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(line.as_ref()).unwrap());
        }
        proxies().client(SocketAddr::new(peer.parse().unwrap(), 4711), &headers).0.to_string()
    }

    #[test]
    fn the_last_address_that_is_no_proxy_is_the_client() {
        for (lines, expected) in [
            (vec![], "127.0.0.1"),
            (vec!["192.0.2.7"], "192.0.2.7"),
            (vec!["192.0.2.7, 10.1.2.3"], "192.0.2.7"),
            (vec!["198.51.100.1, 192.0.2.7,10.1.2.3 ,10.1.2.4"], "192.0.2.7"),
            (vec!["198.51.100.1", "192.0.2.7", "10.1.2.3"], "192.0.2.7"),
            (vec!["198.51.100.1, 192.0.2.7", "10.1.2.3"], "192.0.2.7"),
            (vec!["10.1.2.3, 10.1.2.4"], "10.1.2.3"),
            (vec!["192.0.2.7:51234"], "192.0.2.7"),
            (vec!["2001:db8::7"], "2001:db8::7"),
            (vec!["[2001:db8::7]"], "2001:db8::7"),
            (vec!["[2001:db8::7]:51234, fd00::1"], "2001:db8::7"),
            (vec!["::ffff:192.0.2.7, ::ffff:10.1.2.3"], "192.0.2.7"),
        ] {
            assert_eq!(client("127.0.0.1", &lines), expected, "{lines:?}");
        }
        assert_eq!(client("::ffff:127.0.0.1", &["192.0.2.7"]), "192.0.2.7", "a proxy on a socket for both");
    }

    #[test]
    fn who_is_not_trusted_speaks_for_itself_alone() {
        assert_eq!(client("192.0.2.1", &["198.51.100.1"]), "192.0.2.1");
        assert_eq!(client("::ffff:192.0.2.1", &["198.51.100.1"]), "192.0.2.1");
    }

    #[test]
    fn what_is_no_address_leaves_the_last_one_that_was() {
        for garbage in ["unknown", "", "192.0.2", "300.1.2.3", "fe80::1%eth0", "[192.0.2.7]", "\u{7f}"] {
            let line = format!("198.51.100.1, {garbage}, 10.1.2.3");
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_str(&line) {
                headers.append(FORWARDED_FOR, value);
                let found = proxies().client("127.0.0.1:1".parse().unwrap(), &headers);
                assert_eq!(found.0.to_string(), "10.1.2.3", "{garbage:?}");
            }
        }
        assert_eq!(client("127.0.0.1", &[b"198.51.100.1, \xff\xfe, 10.1.2.3"]), "10.1.2.3");
    }

    #[test]
    fn of_ipv6_the_network_is_counted() {
        let bucket = |address: &str| ClientAddress(address.parse().unwrap()).bucket().to_string();
        assert_eq!(bucket("192.0.2.7"), "192.0.2.7");
        assert_eq!(bucket("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(bucket("2001:db8:1:2:ffff::1"), bucket("2001:db8:1:2::"));
        assert_ne!(bucket("2001:db8:1:3::1"), bucket("2001:db8:1:2::1"));
    }

    /// Addresses that are none of the trusted proxies'.
    fn outside() -> impl Strategy<Value = IpAddr> {
        let any = prop_oneof![
            any::<u32>().prop_map(|bits| IpAddr::V4(bits.into())),
            any::<u128>().prop_map(|bits| IpAddr::V6(bits.into()).to_canonical())
        ];
        any.prop_filter("a proxy", |address| !proxies().trusts(*address))
    }

    fn proxy() -> impl Strategy<Value = IpAddr> {
        any::<[u8; 3]>().prop_map(|[b, c, d]| IpAddr::from([10, b, c, d]))
    }

    /// What an attacker may put into a line: bytes, addresses, proxies.
    fn forged() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![Just(b','), 0x20_u8..0x7f, 0x80..=0xff_u8];
        prop_oneof![
            vec(byte, 0..60),
            vec(prop_oneof![outside(), proxy()], 0..6).prop_map(|hops| hops
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
                .into_bytes()),
        ]
    }

    proptest! {
        #[test]
        fn nothing_that_a_client_sends_changes_where_it_is(
            attacker in outside(),
            lines in vec(forged(), 0..4),
            hops in vec(proxy(), 0..4),
            joins in any::<bool>(),
        ) {
            let appended: Vec<String> = std::iter::once(attacker).chain(hops).map(|hop| hop.to_string()).collect();
            let appended = appended.join(", ").into_bytes();
            // A proxy adds to the last line, or one of its own.
            let mut sent = lines;
            match sent.last_mut() {
                Some(last) if joins => { last.extend(b", "); last.extend(&appended); }
                _ => sent.push(appended),
            }
            prop_assert_eq!(client("127.0.0.1", &sent), attacker.to_string());
        }

        #[test]
        fn nothing_that_a_stranger_sends_changes_where_it_is(stranger in outside(), lines in vec(forged(), 0..4)) {
            prop_assert_eq!(client(&stranger.to_string(), &lines), stranger.to_string());
        }
    }
}
