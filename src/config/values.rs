//! How settings are written: addresses, durations, lengths of time.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use ipnet::IpNet;
use jiff::{SignedDuration, Span, SpanRelativeTo};

/// Reads `127.0.0.1:8080` and the like.
///
/// # Errors
/// When the text is no address with a port.
pub fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| {
        "expected an IP address with a port, no name: 127.0.0.1:8080 for this machine alone, 0.0.0.0:8080 or [::]:8080 for all who can reach it"
    })
}

/// Values with commas between them; perhaps none, which is what an empty setting says.
#[derive(Clone, Debug, Default)]
pub struct List<T>(pub Vec<T>);

fn list<T>(text: &str, value: fn(&str) -> Result<T, &'static str>) -> Result<List<T>, &'static str> {
    let values = text.split(',').filter(|_| !text.trim().is_empty());
    values.map(value).collect::<Result<_, _>>().map(List)
}

/// Reads networks with commas between them.
///
/// # Errors
/// When one of them is none.
pub(super) fn networks(text: &str) -> Result<List<IpNet>, &'static str> {
    list(text, network)
}

/// Reads origins with commas between them.
///
/// # Errors
/// When one of them is none.
pub(super) fn origins(text: &str) -> Result<List<String>, &'static str> {
    list(text, origin)
}

/// Reads `10.0.0.0/8`, or the address of one host.
///
/// # Errors
/// When the text is neither.
fn network(text: &str) -> Result<IpNet, &'static str> {
    let text = text.trim();
    text.parse()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| "expected an IP address or a network, such as 10.0.0.7 or 10.0.0.0/8")
}

/// Reads `https://app.example.com`, and returns it as browsers send it.
///
/// # Errors
/// When the text is not exactly one origin. `null` is what every page may pretend to be, and `*` every page there is.
fn origin(text: &str) -> Result<String, &'static str> {
    let text = text.trim().to_ascii_lowercase();
    read_origin(&text).ok_or("expected a scheme, a host and perhaps a port, such as https://app.example.com or http://localhost:3000; no path, no slash at the end, no wildcard, and not null")
}

fn read_origin(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let of = |text: &str, others: &str| {
        !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || others.contains(letter))
    };
    let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (
            format!("[{}]", host.parse::<Ipv6Addr>().ok()?),
            if port.is_empty() { None } else { Some(port.strip_prefix(':')?) },
        ),
        None => match rest.split_once(':') {
            Some((host, port)) => (host.to_owned(), Some(port)),
            None => (rest.to_owned(), None),
        },
    };
    let port = port.map(|port| port.parse::<u16>().ok()).map_or(Some(None), |port| port.map(Some))?;
    if !of(scheme, "+-.") || !(host.starts_with('[') || of(&host, "-._")) {
        return None;
    }
    // Browsers leave the usual ones out.
    let port = port.filter(|&port| !matches!((scheme, port), ("https", 443) | ("http", 80)));
    Some(format!("{scheme}://{host}{}", port.map(|port| format!(":{port}")).unwrap_or_default()))
}

/// Reads `15s`, `2h 30m` and the like.
///
/// # Errors
/// When the text is no duration, or not a positive one.
pub fn duration(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration = text.parse().map_err(|_| "expected a duration such as 15s, 5m or 2h".to_owned())?;
    Duration::try_from(duration)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "must be more than nothing".to_owned())
}

/// Reads `7d`, `36h`, or `none`, and returns what Postgres calls it.
///
/// # Errors
/// When the text is neither, or no time at all: that is more likely meant to be `none` than to keep nothing.
pub fn retention(text: &str) -> Result<String, String> {
    const DAY: i64 = 24 * 60 * 60;
    if text == "none" {
        return Ok(text.to_owned());
    }
    let span: Span = text.parse().map_err(|_| "expected a length of time such as 7d or 36h, or none".to_owned())?;
    // Longer units have no certain length.
    let seconds = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_or(0, |length| length.as_secs());
    match seconds {
        ..=0 => {
            Err("must be a length of time in days, hours, minutes or seconds, or none to keep events for ever"
                .to_owned())
        }
        days if days % DAY == 0 => Ok(format!("{} days", days / DAY)),
        seconds => Ok(format!("{seconds} seconds")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_numbers() {
        assert!(["127.0.0.1:8080", "[::1]:0"].iter().all(|text| address(text).is_ok()));
        assert!(["localhost:8080", "8080", ":8080", "127.0.0.1"].iter().all(|text| address(text).is_err()));
    }

    #[test]
    fn a_list_may_be_empty_but_not_its_values() {
        assert!(networks("").unwrap().0.is_empty() && origins(" ").unwrap().0.is_empty());
        assert_eq!(networks("10.0.0.7, fd00::/8").unwrap().0.len(), 2);
        assert!(networks("10.0.0.7,").is_err() && origins("https://a.example,,https://b.example").is_err());
    }

    #[test]
    fn networks_may_be_single_hosts() {
        assert_eq!(network("10.0.0.7").unwrap().to_string(), "10.0.0.7/32");
        assert_eq!(network(" fd00::/8").unwrap().to_string(), "fd00::/8");
        assert!(["", "10.0.0.0/33", "proxy", "10.0.0.7:80"].iter().all(|text| network(text).is_err()));
    }

    #[test]
    fn origins_are_written_as_browsers_send_them() {
        for (written, sent) in [
            ("https://app.example.com", "https://app.example.com"),
            (" HTTPS://App.Example.com:443", "https://app.example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://localhost:80", "http://localhost"),
            ("https://localhost:80", "https://localhost:80"),
            ("http://[0:0::1]:8080", "http://[::1]:8080"),
            ("http://127.0.0.1", "http://127.0.0.1"),
            ("capacitor://localhost", "capacitor://localhost"),
        ] {
            assert_eq!(origin(written).as_deref(), Ok(sent));
        }
    }

    #[test]
    fn what_is_not_exactly_one_origin_is_refused() {
        let refused = [
            "",
            "*",
            "null",
            "app.example.com",
            "https://",
            "https://*.example.com",
            "https://app.example.com/",
            "://a",
            "https://app.example.com/path",
            "https://app.example.com?a",
            "https://app.example.com#a",
            "https://ann@app.example.com",
            "https://app.example.com:",
            "https://app.example.com:0x1",
            "https://app.example.com:70000",
            "https://a b",
            "https://[::1",
            "https://[::1]8080",
            "https://[app]",
            "https://bücher.example",
            "https://a,https://b",
            "https://a:80:80",
        ];
        assert_eq!(refused.map(|text| origin(text).is_ok()), [false; 22]);
    }

    #[test]
    fn durations_are_positive_and_have_units() {
        assert_eq!(duration("15s"), Ok(Duration::from_secs(15)));
        assert_eq!(duration("2h 30m"), Ok(Duration::from_mins(150)));
        assert!(["", "15", "-1s", "0s", "soon"].iter().all(|text| duration(text).is_err()));
    }

    #[test]
    fn retention_is_some_time_or_for_ever() {
        assert_eq!(retention("7d").as_deref(), Ok("7 days"));
        assert_eq!(retention("2w").as_deref(), Ok("14 days"));
        assert_eq!(retention("1d 30m").as_deref(), Ok("88200 seconds"));
        assert_eq!(retention("none").as_deref(), Ok("none"));
        assert!(["", "7", "0", "0s", "-7d", "1 month", "never"].iter().all(|text| retention(text).is_err()));
    }
}
