//! Errors → answers, all in one place: JSON, with a status, a code for programs and a sentence for people.
//! No answer repeats what the client sent.

use std::{convert::Infallible, time::Duration};

use serde::Serialize;
use tracing::error;
use warp::{
    Rejection,
    http::{HeaderValue, StatusCode, header},
    reject::MethodNotAllowed,
    reply::{self, Reply, Response},
};

use super::query;
use crate::{
    access::{Unreadable, ticket, token},
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
    Token(token::Error),
    /// The ticket was used, has expired, or was never one.
    #[error("the ticket has been used already, has expired, or is none: ask for another one")]
    Ticket,
    /// A token in the query, where that is not switched on.
    #[error(
        "tokens in URLs are not accepted here, since URLs are logged by whatever is in between: send Authorization: Bearer <token>, or ask for a ticket"
    )]
    UrlToken,
    /// The browser was made to send the cookie by a page that is none of ours.
    #[error("the cookie is accepted from pages of this server's own origin, or of one of ROWCAST_ALLOWED_ORIGINS")]
    ForeignPage,
    /// Which of them is the user's own?
    #[error("the cookie is there more than once")]
    TwoCookies,
    /// The user is in no organization, or not in the one asked for.
    #[error("you are not a member of this organization")]
    NotAMember,
    /// The user is a member but may see none of the types asked for.
    #[error("you lack the permission that this event type requires")]
    Forbidden,
    /// No such path.
    #[error("there is nothing at this path")]
    NotFound,
    /// The path exists, but not for this method; for these.
    #[error("this path does not support that method")]
    Method(&'static str),
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
            Self::Token(_) | Self::TwoCookies => (StatusCode::UNAUTHORIZED, "invalid_token"),
            Self::Ticket => (StatusCode::UNAUTHORIZED, "invalid_ticket"),
            Self::UrlToken => (StatusCode::UNAUTHORIZED, "url_tokens_off"),
            Self::ForeignPage => (StatusCode::FORBIDDEN, "origin_not_allowed"),
            Self::NotAMember => (StatusCode::FORBIDDEN, "not_a_member"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "permission_required"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::Method(_) => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
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

impl From<token::Error> for Error {
    fn from(refused: token::Error) -> Self {
        match refused {
            // It may be good, for all we know.
            token::Error::NoKeys => Self::NotReady,
            refused => Self::Token(refused),
        }
    }
}

impl From<ticket::Error> for Error {
    fn from(failed: ticket::Error) -> Self {
        match failed {
            ticket::Error::Database(failed) => failed.into(),
            ticket::Error::Impossible => {
                error!(error = %failed, "a request failed");
                Self::Internal
            }
        }
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
        let allowed = if let Self::Method(allowed) = &self { Some(*allowed) } else { None };
        let body = Body { success: false, error: Description { code, message: self.to_string() } };
        let mut response = reply::with_status(reply::json(&body), status).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(allowed) = allowed {
            headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
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
    } else if rejection.find::<query::Unreadable>().is_some() {
        Error::Query
    } else if rejection.find::<MethodNotAllowed>().is_some() {
        Error::Method("GET, HEAD")
    } else {
        error!(?rejection, "a request was rejected for a reason that has no answer");
        Error::Internal
    };
    Ok(error.into_response())
}
