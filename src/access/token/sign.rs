//! Tokens of our own: for development, the demo and tests.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use super::{MIN_SECRET_BYTES, Misconfigured};

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
}

/// Signs a token for development and tests.
///
/// # Errors
/// When the secret has fewer than 32 bytes.
pub fn sign(secret: &str, user_id: &str, valid_for: Duration) -> Result<String, Misconfigured> {
    sign_as(secret, user_id, valid_for, None, None)
}

/// Signs a token for a server that demands an issuer or an audience.
///
/// # Errors
/// When the secret has fewer than 32 bytes.
pub fn sign_as(
    secret: &str,
    user_id: &str,
    valid_for: Duration,
    issuer: Option<&str>,
    audience: Option<&str>,
) -> Result<String, Misconfigured> {
    if secret.len() < MIN_SECRET_BYTES {
        return Err(Misconfigured::WeakSecret(secret.len()));
    }
    let expires_at = SystemTime::now() + valid_for;
    let exp = expires_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let claims = Claims { sub: user_id, exp, iss: issuer, aud: audience };
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(secret.as_bytes()))
        .map_err(Misconfigured::Sign)
}
