//! `GET /api/v1/realtime/stats`: who is connected, on all servers, for those who may know.

use std::sync::Arc;

use serde::Deserialize;
use warp::{
    http::{HeaderMap, HeaderValue, header},
    reply::{Reply, Response},
};

use super::{
    Http,
    credentials::{InQuery, identify},
    error::Error,
};
use crate::{
    policy::{ADMIN, Grants},
    postgres::connections,
};

/// The parameters.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Query {
    organization_id: Option<Box<str>>,
}

/// Tells who is connected.
pub(super) async fn show(query: Query, headers: HeaderMap, http: Arc<Http>) -> Response {
    try_show(query, &headers, &http).await.unwrap_or_else(|error| http.refuse(error))
}

async fn try_show(query: Query, headers: &HeaderMap, http: &Http) -> Result<Response, Error> {
    let identity = identify(http, headers, &InQuery::default()).await?;
    if !http.is_ready() {
        return Err(Error::NotReady);
    }
    let viewer = http.sessions.access.viewer(&identity.user_id).await?;
    let grants = Arc::clone(&viewer.watch().borrow());
    let organizations = organizations(query.organization_id, &grants.value)?;
    let connection = http.sessions.database.connection().await?;
    let uptime = http.started.elapsed();
    let data = connections::read_statistics(&connection, organizations.as_deref(), uptime).await?;
    let mut response = format!("{{\"success\":true,\"data\":{data}}}").into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The organizations that the user may know of, as asked for; none for platform staff who ask for none: they may know all.
fn organizations(asked: Option<Box<str>>, grants: &Grants) -> Result<Option<Vec<Box<str>>>, Error> {
    if let Some(organization) = asked.filter(|organization| !organization.is_empty()) {
        // No text in Postgres has a NUL in it.
        let knows = grants.holds(Some(&organization), ADMIN) && !organization.contains('\0');
        return if knows { Ok(Some(vec![organization])) } else { Err(Error::Forbidden) };
    }
    if grants.holds(None, ADMIN) {
        return Ok(None);
    }
    let organizations = grants.organizations_holding(ADMIN);
    if organizations.is_empty() { Err(Error::Forbidden) } else { Ok(Some(organizations)) }
}
