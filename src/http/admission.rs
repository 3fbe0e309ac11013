//! Who asks, for what, and whether they may: the same for the stream and for polls.

use std::{collections::BTreeSet, sync::Arc};

use serde::Deserialize;
use warp::http::HeaderMap;

use super::{
    Http,
    credentials::{self, InQuery},
    error::Error,
};
use crate::{
    access::{Viewer, token::Identity},
    policy::{Grants, Policy},
    session::Wanted,
};

/// The name of the one type that every stream carries, whatever it asked for.
const CONNECTION_STATUS: &str = "connection_status";

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
    pub(super) identity: Identity,
    pub(super) viewer: Arc<Viewer>,
    pub(super) wanted: Wanted,
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
    Ok(Admitted { identity, viewer, wanted })
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
    let types: BTreeSet<Box<str>> =
        subscriptions.split(',').map(str::trim).filter(|name| !name.is_empty()).map(Into::into).collect();
    if types.is_empty() {
        return Err(Error::NoSubscription);
    }
    if !types.iter().all(|name| policy.knows(name)) {
        return Err(Error::UnknownType);
    }
    let visible = policy.visible_types(grants, wanted.organization.as_deref());
    if !types.iter().all(|name| &**name == CONNECTION_STATUS || visible.contains(name)) {
        return Err(Error::Forbidden);
    }
    wanted.types = Some(types);
    Ok(wanted)
}
