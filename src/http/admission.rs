//! Who asks, for what, and whether they may: the same for the stream and for polls.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use warp::http::{HeaderMap, header};

use super::{Http, error::Error};
use crate::{
    access::{Viewer, token::Identity},
    connections::{Since, Terms, Wanted, check_types},
    policy::{Grants, Policy},
};

/// What of the events is asked for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    subscriptions: Option<String>,
    organization_id: Option<Box<str>>,
}

/// Somebody who may be served.
pub(super) struct Admitted {
    pub(super) viewer: Arc<Viewer>,
    pub(super) terms: Terms,
}

/// Checks who asks, whether we are ready for them, and whether they may see any of what they ask for.
pub(super) async fn admit(http: &Http, headers: &HeaderMap, request: Request) -> Result<Admitted, Error> {
    let identity = identify(http, headers).await?;
    if !http.is_ready() {
        return Err(Error::NotReady);
    }
    let access = &http.sessions.access;
    let viewer = access.viewer(&identity.user_id).await?;
    let grants = Arc::clone(&viewer.watch().borrow());
    let wanted = wanted(request, &grants.value, &access.policy().value)?;
    Ok(Admitted { viewer, terms: Terms { wanted, expires_at: identity.expires_at } })
}

/// Who asks.
pub(super) async fn identify(http: &Http, headers: &HeaderMap) -> Result<Identity, Error> {
    Ok(http.verifier.verify(bearer_token(headers)?)?)
}

fn bearer_token(headers: &HeaderMap) -> Result<&str, Error> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or(Error::NoToken)?;
    let (scheme, token) = value.split_once(' ').ok_or(Error::NoToken)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(Error::NoToken) }
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
