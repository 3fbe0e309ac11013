//! Errors → answers, all in one place: JSON, with a status, a code for programs and a sentence for people.
//! No answer repeats what the client sent.

use std::time::Duration;

use tracing::error;
use warp::{
    Rejection,
    http::{HeaderValue, StatusCode, header},
    reject::{LengthRequired, MethodNotAllowed, PayloadTooLarge},
    reply::{self, Reply, Response},
};

use super::{
    answers::{ErrorBody, ErrorDescription},
    body,
    code::Code,
    query, sentry,
};
use crate::{
    access::{ticket, token},
    command::Refusal,
    connections::{Admission, Full, Unanswered},
    integrations::sentry::Refused as Unfit,
    postgres::{self, Failed, connections::Refused},
};

/// Why a request was refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The query string cannot be read.
    #[error("the query string is not valid: each parameter may be given once, percent-encoded")]
    Query,
    /// No such event type.
    #[error("an event type was asked for that does not exist; rowcast.event_types lists them")]
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
    /// Not an event's id.
    #[error("event is the id of an event: a whole number from 1")]
    Event,
    /// Nothing in the request says who asks.
    #[error("a token is needed: Authorization: Bearer <token>")]
    NoToken,
    /// The token proves nothing.
    #[error("{0}")]
    Token(token::Error),
    /// The ticket was used, has expired, or was never one.
    #[error("the ticket has been used already, has expired, or is none: ask for another one")]
    Ticket,
    /// A webhook that is none, or not of now.
    #[error("{0}")]
    Webhook(Unfit),
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
    #[error("you lack the permission that this requires")]
    Forbidden,
    /// The body is not what is expected.
    #[error("the body must be JSON with connectionId, action, and what the action needs; see docs/http.md")]
    Body,
    /// The body says that it is something else.
    #[error("the body must be JSON: Content-Type: application/json")]
    MediaType,
    /// The body is too large.
    #[error("the body is larger than this server takes")]
    TooLarge,
    /// The body did not come in time.
    #[error("the body did not arrive in time")]
    Slow,
    /// Nobody knows how large the body is.
    #[error("the request must say how long its body is: Content-Length")]
    Length,
    /// Nothing of that kind can be asked of a stream.
    #[error("action is subscribe, unsubscribe or renew")]
    Action,
    /// A cursor that is of no use.
    #[error("since is not a cursor of this database, or claims events that it does not have")]
    Since,
    /// A stream is to be renewed with somebody else's token.
    #[error("the token in the body is not of the user who asks")]
    OtherUser,
    /// There is no such event, or not for this user.
    #[error("there is no event of that id that you may see")]
    NoEvent,
    /// There is no such stream, or it is somebody else's.
    #[error("you have no open stream of that name")]
    NoConnection,
    /// The server that has the stream does not answer.
    #[error("the server that has this stream does not answer; ask again")]
    Unanswered,
    /// There are as many streams and polls as there may be.
    #[error("this server has as many connections as it may")]
    ServerFull,
    /// There are as many from that address as there may be.
    #[error("too many connections from this address")]
    AddressFull,
    /// The user has as many as they may.
    #[error("you have as many connections open as you may; close one first")]
    UserFull(Duration),
    /// The user is too fast.
    #[error("too many requests of this kind in a minute")]
    TooFast(Duration),
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
const UNREADY: Duration = Duration::from_secs(2);

/// How long when others have to leave first.
const FULL: Duration = Duration::from_secs(10);

impl Error {
    fn status(&self) -> (StatusCode, Code) {
        match self {
            Self::Query => (StatusCode::BAD_REQUEST, Code::InvalidQuery),
            Self::UnknownType => (StatusCode::BAD_REQUEST, Code::UnknownEventType),
            Self::NoSubscription => (StatusCode::BAD_REQUEST, Code::NoValidSubscription),
            Self::Wait => (StatusCode::BAD_REQUEST, Code::InvalidWait),
            Self::Limit => (StatusCode::BAD_REQUEST, Code::InvalidLimit),
            Self::Event => (StatusCode::BAD_REQUEST, Code::InvalidEvent),
            Self::NoToken => (StatusCode::UNAUTHORIZED, Code::TokenRequired),
            Self::Token(token::Error::Expired) => (StatusCode::UNAUTHORIZED, Code::TokenExpired),
            Self::Token(_) | Self::TwoCookies => (StatusCode::UNAUTHORIZED, Code::InvalidToken),
            Self::Ticket => (StatusCode::UNAUTHORIZED, Code::InvalidTicket),
            Self::Webhook(Unfit::Unsigned) => (StatusCode::UNAUTHORIZED, Code::InvalidSignature),
            Self::Webhook(Unfit::Stale) => (StatusCode::BAD_REQUEST, Code::StaleWebhook),
            Self::Webhook(Unfit::Malformed | Unfit::Version) => (StatusCode::BAD_REQUEST, Code::InvalidWebhook),
            Self::UrlToken => (StatusCode::UNAUTHORIZED, Code::UrlTokensOff),
            Self::ForeignPage => (StatusCode::FORBIDDEN, Code::OriginNotAllowed),
            Self::NotAMember => (StatusCode::FORBIDDEN, Code::NotAMember),
            Self::Forbidden => (StatusCode::FORBIDDEN, Code::PermissionRequired),
            Self::Body => (StatusCode::BAD_REQUEST, Code::InvalidBody),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::UnsupportedMediaType),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, Code::BodyTooLarge),
            Self::Slow => (StatusCode::REQUEST_TIMEOUT, Code::RequestTimeout),
            Self::Length => (StatusCode::LENGTH_REQUIRED, Code::LengthRequired),
            Self::Action => (StatusCode::BAD_REQUEST, Code::InvalidAction),
            Self::Since => (StatusCode::BAD_REQUEST, Code::InvalidSince),
            Self::OtherUser => (StatusCode::FORBIDDEN, Code::OtherUser),
            Self::NoEvent => (StatusCode::NOT_FOUND, Code::EventNotFound),
            Self::NoConnection => (StatusCode::NOT_FOUND, Code::ConnectionNotFound),
            Self::Unanswered => (StatusCode::SERVICE_UNAVAILABLE, Code::ConnectionUnanswered),
            Self::ServerFull => (StatusCode::SERVICE_UNAVAILABLE, Code::ServerFull),
            Self::AddressFull => (StatusCode::TOO_MANY_REQUESTS, Code::TooManyConnectionsFromAddress),
            Self::UserFull(_) => (StatusCode::TOO_MANY_REQUESTS, Code::TooManyConnections),
            Self::TooFast(_) => (StatusCode::TOO_MANY_REQUESTS, Code::TooManyRequests),
            Self::NotFound => (StatusCode::NOT_FOUND, Code::NotFound),
            Self::Method(_) => (StatusCode::METHOD_NOT_ALLOWED, Code::MethodNotAllowed),
            Self::NotReady => (StatusCode::SERVICE_UNAVAILABLE, Code::NotReady),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, Code::InternalError),
        }
    }
}

impl Error {
    /// When to come back.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NotReady | Self::Unanswered => Some(UNREADY),
            Self::ServerFull | Self::AddressFull => Some(FULL),
            Self::UserFull(wait) | Self::TooFast(wait) => Some(*wait),
            _ => None,
        }
    }

    /// What it is counted as, where there was too much of something.
    pub(super) fn refused(&self) -> Option<&'static str> {
        match self {
            Self::ServerFull => Some("max_connections"),
            Self::AddressFull => Some("max_connections_per_address"),
            Self::UserFull(_) => Some("max_connections_per_user"),
            Self::TooFast(_) => Some("rate"),
            Self::TooLarge => Some("body"),
            _ => None,
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownType => Self::UnknownType,
            Refusal::Forbidden => Self::Forbidden,
        }
    }
}

impl From<Full> for Error {
    fn from(full: Full) -> Self {
        match full {
            Full::Server => Self::ServerFull,
            Full::Address => Self::AddressFull,
            Full::User => Self::UserFull(FULL),
        }
    }
}

impl From<Unfit> for Error {
    fn from(unfit: Unfit) -> Self {
        Self::Webhook(unfit)
    }
}

impl From<Admission> for Error {
    fn from(admission: Admission) -> Self {
        match admission {
            Admission::Refused(Refused::TooMany(wait)) => Self::UserFull(wait),
            Admission::Refused(Refused::TooFast(wait)) => Self::TooFast(wait),
            Admission::Failed => Self::NotReady,
        }
    }
}

impl From<Unanswered> for Error {
    fn from(_: Unanswered) -> Self {
        Self::Unanswered
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

impl From<Failed> for Error {
    fn from(_: Failed) -> Self {
        Self::NotReady
    }
}

impl Reply for Error {
    fn into_response(self) -> Response {
        let (status, code) = self.status();
        let retry_after = self.retry_after();
        let allowed = if let Self::Method(allowed) = &self { Some(*allowed) } else { None };
        let body = ErrorBody { success: false, error: ErrorDescription { code, message: self.to_string() } };
        let mut response = reply::with_status(reply::json(&body), status).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(allowed) = allowed {
            headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = retry_after {
            // Whole seconds, and none too early.
            headers.insert(
                header::RETRY_AFTER,
                wait.as_millis().div_ceil(1_000).max(1).to_string().parse().unwrap_or(HeaderValue::from_static("1")),
            );
        }
        response
    }
}

/// Why no route took it.
pub(super) fn why(rejection: &Rejection) -> Error {
    if rejection.is_not_found() {
        Error::NotFound
    } else if let Some(sentry::TooFast(wait)) = rejection.find() {
        Error::TooFast(*wait)
    } else if rejection.find::<query::Unreadable>().is_some() {
        Error::Query
    } else if rejection.find::<PayloadTooLarge>().is_some() {
        Error::TooLarge
    } else if rejection.find::<body::TooSlow>().is_some() {
        Error::Slow
    } else if rejection.find::<body::Broken>().is_some() {
        Error::Body
    } else if rejection.find::<LengthRequired>().is_some() {
        Error::Length
    } else if rejection.find::<MethodNotAllowed>().is_some() {
        Error::Method("GET, HEAD")
    } else {
        error!(?rejection, "a request was rejected for a reason that has no answer");
        Error::Internal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_did_not_foresee_tells_nothing() {
        let answer = Error::Internal.into_response();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(Error::Internal.to_string(), "internal error");
    }
}
