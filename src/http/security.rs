//! What browsers are told to refuse on our behalf.

use warp::http::{HeaderMap, HeaderName, HeaderValue, header};

/// The dashboard: everything comes from here, and nothing on the page may be run, framed or made into markup that does not.
pub(super) const DASHBOARD_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// Everything else is no page at all, even if somebody opens it as one.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// For every answer. Streams read by pages of allowed origins are not affected: those are asked for by CORS.
const ALWAYS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), fullscreen=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Where we speak TLS ourselves: never again in clear, for a year. Other names of the same domain are not ours to speak for.
const STRICT_TRANSPORT: &str = "max-age=31536000";

/// Adds what every answer says. One that has a policy of its own keeps it.
pub(super) fn secure(answer: &mut HeaderMap, is_https: bool) {
    answer.extend(ALWAYS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    answer.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    if is_https {
        answer.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(STRICT_TRANSPORT));
    }
}
