//! JWT → user. A token says who somebody is and until when; what they may see comes from the database alone.
//!
//! Which algorithm a token must be signed with is a property of the key, never of the token: each key comes with a validation of its own that knows one
//! algorithm. So there is nothing in a token by which it could choose how it is checked.

mod issuer;
mod key;
mod key_set;
mod sign;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use jsonwebtoken::errors::ErrorKind;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use self::{issuer::Issuer, key::Key};
pub use self::{
    key::Expected,
    sign::{sign, sign_as},
};
use crate::metrics::Metrics;

/// Tokens larger than this are refused before any of it is decoded.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// A secret shorter than the hash can be guessed offline from a single token.
const MIN_SECRET_BYTES: usize = 32;

/// Who a token says that its bearer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The `sub` claim.
    pub user_id: Box<str>,
    /// The `exp` claim: streams end then.
    pub expires_at: Timestamp,
}

/// Why a token was refused. The messages are safe to show to whoever sent it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Longer than any token we accept.
    #[error("the token is larger than {MAX_TOKEN_BYTES} bytes")]
    TooLarge,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Malformed, signed with another key or algorithm, or without the claims we need.
    #[error("the token is not valid")]
    Invalid(#[source] jsonwebtoken::errors::Error),
    /// None of the keys that we have, or more than one, could have signed it.
    #[error("the token is not signed with a key that this server knows")]
    UnknownKey,
    /// The user id is empty, or too long to be one.
    #[error("the token's subject is not a user id")]
    Subject,
    /// The issuer's keys could not be fetched yet, so nothing can be said of any token.
    #[error("no token can be checked yet: the issuer's keys could not be fetched")]
    NoKeys,
}

/// Why no token could ever be checked, or signed.
#[derive(Debug, thiserror::Error)]
pub enum Misconfigured {
    /// There is no mode without authentication.
    #[error(
        "nothing says which tokens to believe: set ROWCAST_JWT_SECRET (--jwt-secret), a secret of at least {MIN_SECRET_BYTES} bytes that tokens are signed with, \
         or ROWCAST_JWKS_URL (--jwks-url), where their issuer publishes its keys"
    )]
    Neither,
    /// One of them is left over from before, and it is not for us to guess which.
    #[error(
        "both ROWCAST_JWT_SECRET and ROWCAST_JWKS_URL are set: tokens are signed in one way or the other; unset one of them"
    )]
    Both,
    /// The secret given to the server is too short.
    #[error(
        "ROWCAST_JWT_SECRET has {0} bytes; at least {MIN_SECRET_BYTES} are needed: openssl rand -hex 32 makes a good one"
    )]
    WeakSecret(usize),
    /// Not a URL, or of another scheme.
    #[error(
        "ROWCAST_JWKS_URL is not a URL that keys could be fetched from: https://issuer.example.com/.well-known/jwks.json"
    )]
    Url,
    /// Whoever is in between could put keys of their own into the answer.
    #[error(
        "ROWCAST_JWKS_URL has to be https://, except on this machine itself: whoever can change the answer can sign in as anybody"
    )]
    Insecure,
    /// There are no certificates to check the issuer's by, mostly.
    #[error(
        "keys cannot be fetched from ROWCAST_JWKS_URL on this machine: are the system's certificates installed (ca-certificates)? SSL_CERT_FILE takes others"
    )]
    Client(#[source] reqwest::Error),
    /// The library cannot sign.
    #[error("the token cannot be signed")]
    Sign(#[source] jsonwebtoken::errors::Error),
}

/// Checks tokens.
pub struct Verifier(Keys);

enum Keys {
    Shared(Box<Key>),
    Published(Arc<Issuer>),
}

impl Verifier {
    /// A verifier for tokens that are signed with a secret (HS256), or by an issuer that publishes its keys; an empty setting is none.
    ///
    /// # Errors
    /// When there is neither, or both, or the one cannot be used.
    pub fn new(
        secret: Option<&str>,
        jwks_url: Option<&str>,
        expected: Expected,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Misconfigured> {
        let is_there = |setting: &&str| !setting.is_empty();
        match (secret.filter(is_there), jwks_url.filter(is_there)) {
            (None, None) => Err(Misconfigured::Neither),
            (Some(_), Some(_)) => Err(Misconfigured::Both),
            (Some(secret), None) => Ok(Self(Keys::Shared(Box::new(Key::shared(secret, &expected)?)))),
            (None, Some(url)) => {
                warn_of_missing(&expected);
                Ok(Self(Keys::Published(Arc::new(Issuer::new(url, expected, metrics)?))))
            }
        }
    }

    /// Who the token's bearer is. May wait for the issuer's keys to be fetched, when the token is signed with one that is not known.
    ///
    /// # Errors
    /// When it is not a token that we may believe.
    pub async fn verify(&self, token: &str) -> Result<Identity, Error> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Error::TooLarge);
        }
        let header = jsonwebtoken::decode_header(token).map_err(Error::Invalid)?;
        // Extensions that must be understood, says the standard; we understand none.
        if header.crit.is_some() {
            return Err(Error::Invalid(ErrorKind::InvalidToken.into()));
        }
        match &self.0 {
            Keys::Shared(key) => key.verify(token),
            Keys::Published(issuer) => issuer.key(header.kid.as_deref(), header.alg).await?.verify(token),
        }
    }

    /// Whether there is a key to check tokens with.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        match &self.0 {
            Keys::Shared(_) => true,
            Keys::Published(issuer) => issuer.has_keys(),
        }
    }

    /// Fetches the issuer's keys, if it publishes them. When that fails it is told in the log, and tried again later.
    pub async fn prepare(&self) {
        if let Keys::Published(issuer) = &self.0 {
            issuer.refresh().await;
        }
    }

    /// Fetches the issuer's keys now and then, until shutdown.
    pub async fn keep_fresh(&self, shutdown: CancellationToken) {
        match &self.0 {
            Keys::Shared(_) => shutdown.cancelled().await,
            Keys::Published(issuer) => {
                shutdown.run_until_cancelled(issuer.keep_fresh()).await;
            }
        }
    }
}

/// An issuer signs tokens for many apps, and all with the same keys.
fn warn_of_missing(expected: &Expected) {
    if expected.audience.is_none() {
        warn!(
            "ROWCAST_JWT_AUDIENCE is not set: a token that the same issuer made for any other app is accepted too. Set it to what your tokens have in `aud`"
        );
    }
    if expected.issuer.is_none() {
        warn!("ROWCAST_JWT_ISSUER is not set: `iss` is not looked at. Set it to what your tokens have there");
    }
}

/// Seconds since 1970, as far as time goes: a year 4000 or so is as good as any later one, and cannot overflow.
fn moment(seconds: f64) -> Timestamp {
    const LAST: f64 = 68_719_476_736.0;
    Timestamp::UNIX_EPOCH + Duration::from_secs_f64(seconds.clamp(0.0, LAST))
}

#[cfg(test)]
mod tests;
