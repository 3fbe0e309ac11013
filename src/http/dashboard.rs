//! `GET /`: the dashboard, out of the binary.

use rust_embed::RustEmbed;
use warp::{
    http::{HeaderMap, HeaderValue, header},
    reply::{self, Reply, Response},
};

use super::error::Error;

#[derive(RustEmbed)]
#[folder = "web/dist"]
struct Assets;

/// Everything comes from here, and nothing on the page may be run that does not.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";

const NOT_BUILT: &str = "The dashboard is not part of this build: Node.js was missing. `make web` builds it, then build the server again.\n";

/// One of the dashboard's files.
pub(super) fn file(path: &str) -> Response {
    let path = if path.is_empty() { "index.html" } else { path };
    let mut response = match <Assets as RustEmbed>::get(path) {
        Some(asset) => {
            let mimetype = asset.metadata.mimetype();
            let mut response =
                reply::with_header(asset.data.into_owned(), header::CONTENT_TYPE, mimetype).into_response();
            // The build puts a hash of the content into the names under assets/.
            let forever = path.starts_with("assets/");
            let caching = if forever { "public, max-age=31536000, immutable" } else { "no-cache" };
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
            response
        }
        None if path == "index.html" => NOT_BUILT.into_response(),
        None => return Error::NotFound.into_response(),
    };
    secure(response.headers_mut());
    response
}

fn secure(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
