//! Who asks: the ways to bring a token, or a ticket in its place, in the order in which they count. A way that is there is the one that is taken: when it is
//! refused, no other is tried.
//!
//! Nothing in here is ever logged, nor said in an answer.

use serde::Deserialize;
use warp::http::{HeaderMap, HeaderValue, header};

use super::{Http, error::Error};
use crate::access::{
    ticket::{self, Ticket},
    token::Identity,
};

/// Where browsers say from where a request comes; no page can write it.
const FETCH_SITE: &str = "sec-fetch-site";

/// Which ways are open beside the header and tickets.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    /// The name of the cookie that may bring a token.
    pub cookie: Option<String>,
    /// Whether the query may.
    pub url_tokens: bool,
    /// The origins whose pages may have the browser send the cookie, beside our own.
    pub allowed_origins: Vec<String>,
}

/// What a query may bring. Secrets: it has no `Debug`.
#[derive(Default, Deserialize)]
pub(super) struct InQuery {
    ticket: Option<String>,
    access_token: Option<String>,
}

/// Who asks, by what the request brings; a route whose query brings nothing passes `&InQuery::default()`.
pub(super) async fn identify(http: &Http, headers: &HeaderMap, query: &InQuery) -> Result<Identity, Error> {
    if let Some(token) = bearer_token(headers) {
        return Ok(http.verifier.verify(token).await?);
    }
    if let Some(ticket) = &query.ticket {
        return redeem(http, ticket, headers).await;
    }
    if let Some(token) = &query.access_token {
        return if http.ways.url_tokens { Ok(http.verifier.verify(token).await?) } else { Err(Error::UrlToken) };
    }
    let token = http.ways.cookie(headers)?.ok_or(Error::NoToken)?;
    Ok(http.verifier.verify(token).await?)
}

/// The token of the Authorization header; none, if that is missing or, as that of a proxy with a password, of another scheme.
fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

async fn redeem(http: &Http, ticket: &str, headers: &HeaderMap) -> Result<Identity, Error> {
    let ticket = Ticket::parse(ticket).ok_or(Error::Ticket)?;
    // Who is sent away comes back with the same ticket, so it must not have been used by then.
    if !http.is_ready() {
        return Err(Error::NotReady);
    }
    let comes_back = headers.get("last-event-id").is_some_and(|id| !id.is_empty());
    ticket::redeem(&http.sessions.database, &ticket, comes_back).await?.ok_or(Error::Ticket)
}

impl Ways {
    /// The token that the cookie brings, if there is one. A browser sends cookies with whatever any page asks of us, so it counts only where the browser says
    /// that the page is one of ours.
    fn cookie<'a>(&self, headers: &'a HeaderMap) -> Result<Option<&'a str>, Error> {
        let Some(name) = &self.cookie else { return Ok(None) };
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(found, _)| found == name).map(|(_, value)| value);
        let Some(token) = values.next() else { return Ok(None) };
        if !self.is_ours(headers) {
            return Err(Error::ForeignPage);
        }
        // A page on a neighbouring domain can plant a second one, to have its own user's data shown to ours.
        if values.next().is_some() { Err(Error::TwoCookies) } else { Ok(Some(token)) }
    }

    /// Whether the request comes from a page of our own origin, or of one that is allowed. An address that somebody typed (`none`) is neither: nothing here is to be
    /// opened in a tab, and so there is one rule less.
    fn is_ours(&self, headers: &HeaderMap) -> bool {
        let is_own = headers.get(FETCH_SITE).is_some_and(|site| site == "same-origin");
        is_own || headers.get(header::ORIGIN).is_some_and(|origin| self.allows(origin))
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        // What pages without an origin of their own have there says nothing.
        origin != "null" && self.allowed_origins.iter().any(|allowed| origin == allowed.trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for &(name, value) in lines {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }

    fn ways() -> Ways {
        let allowed_origins =
            vec!["https://app.example".to_owned(), "https://b.example/".to_owned(), "null".to_owned()];
        Ways { cookie: Some("session".to_owned()), url_tokens: false, allowed_origins }
    }

    #[test]
    fn the_scheme_is_bearer_however_it_is_written() {
        for (line, token) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("BEARER a b", Some("a b")),
            ("Bearer ", Some("")),
            ("Bearer", None),
            ("Basic abc", None),
            ("abc", None),
        ] {
            assert_eq!(bearer_token(&headers(&[("authorization", line)])), token, "{line}");
        }
        assert_eq!(bearer_token(&headers(&[])), None);
    }

    #[test]
    fn a_cookie_counts_from_our_pages_alone() {
        for (name, value, counts) in [
            (FETCH_SITE, "same-origin", true),
            (FETCH_SITE, "same-site", false),
            (FETCH_SITE, "cross-site", false),
            (FETCH_SITE, "none", false),
            (FETCH_SITE, "", false),
            ("origin", "https://app.example", true),
            ("origin", "https://b.example", true),
            ("origin", "http://app.example", false),
            ("origin", "https://app.example:8443", false),
            ("origin", "https://app.example.evil", false),
            ("origin", "https://evil.example", false),
            ("origin", "null", false),
            ("origin", "", false),
            ("referer", "https://app.example/", false),
        ] {
            let headers = headers(&[("cookie", "session=abc"), (name, value)]);
            match ways().cookie(&headers) {
                Ok(token) => assert!(counts && token == Some("abc"), "{name}: {value}"),
                Err(error) => assert!(!counts && matches!(error, Error::ForeignPage), "{name}: {value}"),
            }
        }
        assert!(matches!(ways().cookie(&headers(&[("cookie", "session=abc")])), Err(Error::ForeignPage)));
    }

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name_and_only_once() {
        let own = (FETCH_SITE, "same-origin");
        for (line, token) in [
            ("a=b; session=abc; c=d", Some("abc")),
            ("session=a=b", Some("a=b")),
            ("xsession=abc; session2=abc; SESSION=abc; session", None),
            ("", None),
        ] {
            assert_eq!(ways().cookie(&headers(&[("cookie", line), own])).unwrap(), token, "{line}");
        }
        // HTTP/2 sends them one by one.
        let apart = headers(&[("cookie", "a=b"), ("cookie", "session=abc"), own]);
        assert_eq!(ways().cookie(&apart).unwrap(), Some("abc"));
        for twice in [
            &[("cookie", "session=abc; session=def"), own][..],
            &[("cookie", "session=a"), ("cookie", "session=b"), own],
        ] {
            assert!(matches!(ways().cookie(&headers(twice)), Err(Error::TwoCookies)), "{twice:?}");
        }
        let off = Ways { cookie: None, ..ways() };
        assert_eq!(off.cookie(&headers(&[("cookie", "session=abc; =abc"), own])).unwrap(), None);
    }
}
