//! `GET /`: the dashboard, out of the binary.

use std::borrow::Cow;

use bytes::Bytes;
use rust_embed::{EmbeddedFile, RustEmbed};
use warp::{
    Rejection,
    http::{HeaderValue, Method, StatusCode, header},
    path::Tail,
    reject,
    reply::{self, Reply, Response},
};

use super::{error::Error, security::DASHBOARD_POLICY};

#[derive(RustEmbed)]
#[folder = "web/dist"]
struct Assets;

const INDEX: &str = "index.html";

const NOT_BUILT: &str = "The dashboard is not part of this build: Node.js was missing. `make web` builds it, then build the server again.\n";

/// One of the dashboard's files. A path that is none of them is left to whoever comes after.
pub(super) async fn file(method: Method, path: Tail) -> Result<Response, Rejection> {
    let path = if path.as_str().is_empty() { INDEX } else { path.as_str() };
    answer(&method, path, <Assets as RustEmbed>::get(path)).ok_or_else(reject::not_found)
}

/// The page itself is always there, even if only to say that it is not.
fn answer(method: &Method, path: &str, asset: Option<EmbeddedFile>) -> Option<Response> {
    if asset.is_none() && path != INDEX {
        return None;
    }
    if method != Method::GET && method != Method::HEAD {
        return Some(Error::Method("GET, HEAD").into_response());
    }
    let mut response = asset.map_or_else(not_built, |asset| show(path, asset));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(DASHBOARD_POLICY));
    Some(response)
}

fn show(path: &str, asset: EmbeddedFile) -> Response {
    let mimetype = HeaderValue::from_str(asset.metadata.mimetype());
    // Never a copy: anybody may ask for it, and leave it unread.
    let bytes = match asset.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let mut response = Response::new(bytes.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, mimetype.unwrap_or(HeaderValue::from_static("application/octet-stream")));
    // The build puts a hash of the content into the names under assets/.
    let forever = path.starts_with("assets/");
    let caching = if forever { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    response
}

/// 404: there is no such page here, and asking again does not bring it. The server does everything else, so it is not unavailable.
fn not_built() -> Response {
    let mut response = reply::with_status(NOT_BUILT, StatusCode::NOT_FOUND).into_response();
    // After the next build it is there.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_build_without_node_says_what_is_missing() {
        for method in [Method::GET, Method::HEAD] {
            let response = answer(&method, INDEX, None).unwrap();
            assert_eq!(response.status(), StatusCode::NOT_FOUND);
            let header = |name| response.headers()[name].to_str().unwrap().to_owned();
            assert_eq!(header(header::CONTENT_TYPE), "text/plain; charset=utf-8");
            assert_eq!(header(header::CACHE_CONTROL), "no-store");
            assert_eq!(header(header::CONTENT_SECURITY_POLICY), DASHBOARD_POLICY);
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let text = std::str::from_utf8(&body).unwrap();
            assert!(text.contains("not part of this build") && text.contains("`make web`"), "{text}");
        }
        assert_eq!(answer(&Method::POST, INDEX, None).unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
        // Whatever else there would be is left to the answer for paths that do not exist.
        assert!(answer(&Method::GET, "assets/index.js", None).is_none());
    }

    /// Without Node there is an empty folder, and the crate compiles all the same.
    #[test]
    fn the_page_is_embedded_as_it_was_built() {
        let built = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("web/dist").join(INDEX).exists();
        assert_eq!(<Assets as RustEmbed>::get(INDEX).is_some(), built);
    }
}
