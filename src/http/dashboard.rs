//! `GET /`: the dashboard, out of the binary.

use std::borrow::Cow;

use bytes::Bytes;
use rust_embed::RustEmbed;
use warp::{
    Rejection,
    http::{HeaderValue, Method, header},
    path::Tail,
    reject,
    reply::{Reply, Response},
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
    let asset = <Assets as RustEmbed>::get(path);
    let is_there = asset.is_some() || path == INDEX;
    let mut response = match asset {
        _ if is_there && method != Method::GET && method != Method::HEAD => {
            return Ok(Error::Method("GET, HEAD").into_response());
        }
        Some(asset) => {
            let mimetype = asset.metadata.mimetype();
            // Never a copy: anybody may ask for it, and leave it unread.
            let bytes = match asset.data {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => bytes.into(),
            };
            let mut response = Response::new(bytes.into());
            response.headers_mut().insert(
                header::CONTENT_TYPE,
                HeaderValue::from_str(mimetype).unwrap_or(HeaderValue::from_static("application/octet-stream")),
            );
            // The build puts a hash of the content into the names under assets/.
            let forever = path.starts_with("assets/");
            let caching = if forever { "public, max-age=31536000, immutable" } else { "no-cache" };
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
            response
        }
        None if is_there => NOT_BUILT.into_response(),
        None => return Err(reject::not_found()),
    };
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(DASHBOARD_POLICY));
    Ok(response)
}
