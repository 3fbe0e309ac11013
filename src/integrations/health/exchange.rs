//! One request to something that is watched, and its whole answer: within bounds, and told without a word of what was in either.

use std::{error::Error as StdError, io, net::IpAddr, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{Client, RequestBuilder, StatusCode, Url, redirect::Policy};

/// Longer answers are not read to the end.
const MOST_BYTES: usize = 1 << 20;

/// A client for requests to this URL alone.
///
/// # Errors
/// When TLS cannot be set up.
pub(super) fn client(url: &Url) -> Result<Client, reqwest::Error> {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let client = Client::builder()
        .user_agent(concat!("rowcast/", env!("CARGO_PKG_VERSION")))
        // Credentials are for the one who was asked.
        .redirect(Policy::none())
        // Whoever uses it for the first time has to connect, and a connection that died in between is not its failure.
        .pool_max_idle_per_host(0);
    // No proxy leads to this machine itself.
    let is_near = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    if is_near { client.no_proxy() } else { client }.build()
}

/// How a URL is told: where it leads, without who asks and for what.
pub(super) fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Sends a request, and reads the whole answer if it is a success.
///
/// # Errors
/// With why there is none, in our own words.
pub(super) async fn exchange(request: RequestBuilder, place: &str, patience: Duration) -> Result<Bytes, String> {
    let late = || format!("no answer from {place} within {} s", patience.as_secs_f64());
    let answer = async {
        let mut answer = request.send().await.map_err(|error| failure(&error, place))?;
        check(answer.status(), place)?;
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| failure(&error, place))? {
            if body.len() + chunk.len() > MOST_BYTES {
                return Err(format!("the answer of {place} has more than {MOST_BYTES} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    tokio::time::timeout(patience, answer).await.unwrap_or_else(|_| Err(late()))
}

fn check(status: StatusCode, place: &str) -> Result<(), String> {
    let number = status.as_u16();
    match number {
        200..=299 => Ok(()),
        401 | 403 => Err(format!("{place} refused the credentials ({number})")),
        300..=399 => Err(format!("{place} answered {number}, a redirect, which is not followed")),
        429 => Err(format!("{place} answered {number}, too many requests")),
        _ => Err(format!("{place} answered {number}")),
    }
}

fn failure(error: &reqwest::Error, place: &str) -> String {
    if error.is_connect() {
        return if is_refusal(error) {
            format!("{place} refused the connection")
        } else {
            format!("{place} cannot be reached: its name, its certificate, or the way to it")
        };
    }
    if error.is_body() || error.is_decode() {
        return format!("the answer of {place} broke off");
    }
    format!("{place} broke off, or answered in something other than HTTP")
}

fn is_refusal(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_told_without_who_asks_and_for_what() {
        for (url, told) in [
            ("https://ann:hunter2@api.example.com/v1/hunter2?key=hunter2#hunter2", "api.example.com"),
            ("http://127.0.0.1:8080/hunter2", "127.0.0.1:8080"),
            ("http://[::1]:8080/", "[::1]:8080"),
        ] {
            assert_eq!(place(&url.parse().unwrap()), told);
        }
    }

    #[test]
    fn only_a_success_is_one() {
        let of = |status| check(StatusCode::from_u16(status).unwrap(), "a");
        assert_eq!((of(200), of(204)), (Ok(()), Ok(())));
        assert_eq!(of(401), Err("a refused the credentials (401)".into()));
        assert_eq!(of(500), Err("a answered 500".into()));
        assert!(of(302).is_err() && of(403).is_err() && of(429).is_err());
    }
}
