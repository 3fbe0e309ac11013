//! Errors → answers, all in one place: JSON, with a status, a code for programs and a sentence for people.
//! No answer repeats what the client sent.

use std::{convert::Infallible, time::Duration};

use serde::Serialize;
use tracing::error;
use warp::{
    Rejection,
    http::{HeaderValue, StatusCode, header},
    reject::{InvalidQuery, MethodNotAllowed},
    reply::{self, Reply, Response},
};

use crate::{
    access::{Unreadable, token},
    postgres,
};

/// Why a request was refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The query string cannot be read.
    #[error("the query string is not valid: each parameter may be given once, percent-encoded")]
    Query,
    /// No such event type.
    #[error("subscriptions names an event type that does not exist; rowcast.event_types lists them")]
    UnknownType,
    /// A list without any type in it.
    #[error("subscriptions names no event type; leave it out to get all that you may see")]
    NoSubscription,
    /// Not a time that we would wait.
    #[error("wait is a number of seconds, from 0 to 60")]
    Wait,
    /// Not a number of events that we would send at once.
    #[error("limit is a number of events, from 1 to 1000")]
    Limit,
    /// Nothing in the request says who asks.
    #[error("a token is needed: Authorization: Bearer <token>")]
    NoToken,
    /// The token proves nothing.
    #[error("{0}")]
    Token(#[from] token::Error),
    /// The user is in no organization, or not in the one asked for.
    #[error("you are not a member of this organization")]
    NotAMember,
    /// The user is a member but may see none of the types asked for.
    #[error("you lack the permission that this event type requires")]
    Forbidden,
    /// No such path.
    #[error("there is nothing at this path")]
    NotFound,
    /// The path exists, but not for this method.
    #[error("this path does not support that method")]
    Method,
    /// The database is away, or the server has not caught up yet.
    #[error("the server is not ready")]
    NotReady,
    /// Something we did not foresee.
    #[error("internal error")]
    Internal,
}

/// How long a client should wait when the server is not ready.
const RETRY_AFTER: Duration = Duration::from_secs(2);

#[derive(Serialize)]
struct Body {
    success: bool,
    error: Description,
}

#[derive(Serialize)]
struct Description {
    code: &'static str,
    message: String,
}

impl Error {
    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Query => (StatusCode::BAD_REQUEST, "invalid_query"),
            Self::UnknownType => (StatusCode::BAD_REQUEST, "unknown_event_type"),
            Self::NoSubscription => (StatusCode::BAD_REQUEST, "no_valid_subscription"),
            Self::Wait => (StatusCode::BAD_REQUEST, "invalid_wait"),
            Self::Limit => (StatusCode::BAD_REQUEST, "invalid_limit"),
            Self::NoToken => (StatusCode::UNAUTHORIZED, "token_required"),
            Self::Token(token::Error::Expired) => (StatusCode::UNAUTHORIZED, "token_expired"),
            Self::Token(_) => (StatusCode::UNAUTHORIZED, "invalid_token"),
            Self::NotAMember => (StatusCode::FORBIDDEN, "not_a_member"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "permission_required"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::NotReady => (StatusCode::SERVICE_UNAVAILABLE, "not_ready"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
        }
    }
}

impl From<postgres::Error> for Error {
    /// A failing database makes us unready. It is logged here, the one place where it ends.
    fn from(failed: postgres::Error) -> Self {
        error!(error = %failed, "a request failed on the database");
        Self::NotReady
    }
}

impl From<Unreadable> for Error {
    fn from(_: Unreadable) -> Self {
        Self::NotReady
    }
}

impl Reply for Error {
    fn into_response(self) -> Response {
        let (status, code) = self.status();
        let body = Body { success: false, error: Description { code, message: self.to_string() } };
        let mut response = reply::with_status(reply::json(&body), status).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER.as_secs().into());
        }
        response
    }
}

/// Answers what no route took.
///
/// # Errors
/// Never.
pub(super) async fn recover(rejection: Rejection) -> Result<Response, Infallible> {
    let error = if rejection.is_not_found() {
        Error::NotFound
    } else if rejection.find::<InvalidQuery>().is_some() {
        Error::Query
    } else if rejection.find::<MethodNotAllowed>().is_some() {
        Error::Method
    } else {
        error!(?rejection, "a request was rejected for a reason that has no answer");
        Error::Internal
    };
    Ok(error.into_response())
}
