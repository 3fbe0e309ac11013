//! The codes of errors, for programs: docs/http.md has what each is about.

use serde::Serialize;

/// What was wrong with a request. There may be more in servers to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "ErrorCode"))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "docs/http.md explains each, and a test holds it to that")]
pub enum Code {
    InvalidQuery,
    UnknownEventType,
    NoValidSubscription,
    InvalidWait,
    InvalidLimit,
    InvalidEvent,
    TokenRequired,
    TokenExpired,
    InvalidToken,
    InvalidTicket,
    InvalidSignature,
    UrlTokensOff,
    OriginNotAllowed,
    NotAMember,
    PermissionRequired,
    InvalidBody,
    UnsupportedMediaType,
    BodyTooLarge,
    RequestTimeout,
    LengthRequired,
    InvalidAction,
    InvalidSince,
    InvalidWebhook,
    StaleWebhook,
    OtherUser,
    EventNotFound,
    ConnectionNotFound,
    ConnectionUnanswered,
    ServerFull,
    TooManyConnectionsFromAddress,
    TooManyConnections,
    TooManyRequests,
    NotFound,
    MethodNotAllowed,
    NotReady,
    InternalError,
}
