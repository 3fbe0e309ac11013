//! Who asks, for what, and whether they may: the same for the stream and for polls.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use warp::http::HeaderMap;

use super::{
    Http,
    credentials::{self, InQuery},
    error::Error,
};
use crate::{
    access::Viewer,
    connections::{Since, Terms, Wanted, check_types},
    policy::{Grants, Policy},
};

/// What of the events is asked for, and what the query says of who asks.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    subscriptions: Option<String>,
    organization_id: Option<Box<str>>,
    #[serde(flatten)]
    credentials: InQuery,
}

/// Somebody who may be served.
pub(super) struct Admitted {
    pub(super) viewer: Arc<Viewer>,
    pub(super) terms: Terms,
}

/// Checks who asks, whether we are ready for them, and whether they may see any of what they ask for.
pub(super) async fn admit(http: &Http, headers: &HeaderMap, request: Request) -> Result<Admitted, Error> {
    let identity = credentials::identify(http, headers, &request.credentials).await?;
    if !http.is_ready() {
        return Err(Error::NotReady);
    }
    let access = &http.sessions.access;
    let viewer = access.viewer(&identity.user_id).await?;
    let grants = Arc::clone(&viewer.watch().borrow());
    let wanted = wanted(request, &grants.value, &access.policy().value)?;
    Ok(Admitted { viewer, terms: Terms { wanted, expires_at: identity.expires_at } })
}

/// What the request asks for, if it exists and the user may see any of it.
fn wanted(request: Request, grants: &Grants, policy: &Policy) -> Result<Wanted, Error> {
    let organization = request.organization_id.filter(|organization| !organization.is_empty());
    // Postgres has no text with a NUL in it, so nobody's organization is called that, not even in the eyes of platform staff.
    if organization.as_ref().is_some_and(|organization| organization.contains('\0')) {
        return Err(Error::NotAMember);
    }
    let mut wanted = Wanted { types: None, organization };
    if !wanted.may_connect(grants) {
        return Err(Error::NotAMember);
    }
    let Some(subscriptions) = request.subscriptions else { return Ok(wanted) };
    let names = subscriptions.split(',').map(str::trim).filter(|name| !name.is_empty());
    let types: BTreeMap<Box<str>, Since> = names.map(|name| (name.into(), Since::Ever)).collect();
    if types.is_empty() {
        return Err(Error::NoSubscription);
    }
    check_types(types.keys(), wanted.organization.as_deref(), policy, grants)?;
    wanted.types = Some(types);
    Ok(wanted)
}
