//! Which pages of other origins may use the API (CORS), and what their browsers are told. Nobody else is told anything.

use warp::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use warp::reply::{Reply, Response};

/// What a page may send beyond what every form can.
const METHODS: &str = "GET, POST";
const HEADERS: &str = "Authorization, Content-Type, Last-Event-ID";

/// What a page may read beyond what it may anyway: when to come back.
const EXPOSED: &str = "Retry-After";

/// For how many seconds a browser need not ask again. Chromium takes two hours at the most.
const MAX_AGE: &str = "3600";

/// The origins that are allowed. Each is compared as a whole, as browsers write it.
#[derive(Debug, Default)]
pub struct Origins(Vec<HeaderValue>);

impl Origins {
    /// These and no others. What no browser could send as its origin allows nothing.
    #[must_use]
    pub fn new(origins: &[String]) -> Self {
        Self(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect())
    }

    /// The origin of the page that the request comes from, if it is allowed.
    pub(super) fn allowed(&self, request: &HeaderMap) -> Option<&HeaderValue> {
        let mut sent = request.get_all(header::ORIGIN).iter();
        let (origin, None) = (sent.next()?, sent.next()) else { return None };
        self.0.iter().find(|allowed| *allowed == origin)
    }

    /// Lets a page of this origin read the answer, if there is one. Caches are told that it depends on it, whoever asks.
    pub(super) fn label(&self, answer: &mut HeaderMap, origin: Option<&HeaderValue>) {
        if !self.0.is_empty() {
            answer.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        if let Some(origin) = origin {
            answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        }
    }
}

/// Whether a browser asks what a page may send.
pub(super) fn is_preflight(method: &Method, request: &HeaderMap) -> bool {
    method == Method::OPTIONS && request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to it, for an origin that is allowed.
pub(super) fn preflight() -> Response {
    let mut answer = StatusCode::NO_CONTENT.into_response();
    let says: [(HeaderName, &str); 3] = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    answer.headers_mut().extend(says.map(|(name, value)| (name, HeaderValue::from_static(value))));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(sent: &[&'static str]) -> bool {
        let origins = Origins::new(&["https://app.example.com".to_owned(), "http://localhost:3000".to_owned()]);
        let headers = sent.iter().map(|&origin| (header::ORIGIN, HeaderValue::from_static(origin))).collect();
        origins.allowed(&headers).is_some()
    }

    #[test]
    fn an_origin_is_allowed_as_a_whole_or_not_at_all() {
        assert!(allowed(&["https://app.example.com"]) && allowed(&["http://localhost:3000"]));
        for other in [
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.com.evil.test",
            "https://evil.test/https://app.example.com",
            "https://evilapp.example.com",
            "https://APP.example.com",
            "https://app.example.com/",
            "http://localhost",
            "null",
            "*",
            "",
        ] {
            assert!(!allowed(&[other]), "{other}");
        }
        assert!(!allowed(&[]));
        assert!(!allowed(&["https://app.example.com", "https://app.example.com"]), "no browser sends two");
    }
}
