//! What to do about a connection that failed for want of TLS, or in it.

use std::{error::Error as StdError, io};

use rustls::{AlertDescription, Error as TlsError};
use tokio_postgres::{Error, error::SqlState};

use super::{tls::Failed, verifier};

/// What to do, if it is known.
pub(in crate::postgres) fn hint(error: &Error) -> Option<&'static str> {
    if let Some(refusal) = error.as_db_error() {
        let wants = |what: &str| wants_other_encryption(error) && refusal.message().contains(what);
        return if wants("no encryption") {
            Some("the server takes encrypted connections only: sslmode=require, or better verify-full")
        } else if wants("valid client certificate") {
            Some("give one in sslcert and sslkey that the server's CA (ssl_ca_file) has signed")
        } else {
            None
        };
    }
    if let Some(tls) = tls_error(error) {
        return match tls {
            TlsError::InvalidCertificate(certificate) => verifier::advice(certificate),
            TlsError::AlertReceived(
                AlertDescription::UnknownCA
                | AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::CertificateExpired
                | AlertDescription::DecryptError
                | AlertDescription::UnsupportedCertificate,
            ) => Some(
                "the server did not accept the client's certificate: give one in sslcert and sslkey that its CA (ssl_ca_file) has signed",
            ),
            _ => None,
        };
    }
    // tokio-postgres has no other name for these.
    match error.source()?.to_string().as_str() {
        "server does not support TLS" => {
            Some("switch `ssl` on in postgresql.conf, or where the way there is safe without, set sslmode=prefer")
        }
        "server did not use channel binding" => Some(
            "channel_binding=require takes TLS and a password kept as scram-sha-256; anything in between that ends TLS breaks it",
        ),
        _ => None,
    }
}

/// Whether the server refused this connection, and may not refuse one that is encrypted where this was not, or the other way round.
pub(super) fn wants_other_encryption(error: &Error) -> bool {
    // The second is what PgBouncer says.
    [&SqlState::INVALID_AUTHORIZATION_SPECIFICATION, &SqlState::PROTOCOL_VIOLATION].map(Some).contains(&error.code())
}

/// Whether TLS was begun, and failed.
pub(super) fn is_failed_handshake(error: &Error) -> bool {
    error.source().is_some_and(<dyn StdError>::is::<Failed>)
}

/// What TLS itself said. In TLS 1.3 a server may refuse a client after the handshake.
fn tls_error(error: &Error) -> Option<&TlsError> {
    let cause = error.source()?;
    let io = cause.downcast_ref::<Failed>().map(|failed| &failed.0).or_else(|| cause.downcast_ref::<io::Error>())?;
    io.get_ref()?.downcast_ref()
}
