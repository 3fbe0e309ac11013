//! One key, and all that a token signed with it must be.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, errors::ErrorKind};
use serde::Deserialize;

use super::{Error, Identity, MIN_SECRET_BYTES, Misconfigured, moment};

/// How far the issuer's clock may be off.
const LEEWAY_SECONDS: u64 = 10;

/// The longest user id.
const MAX_SUBJECT_BYTES: usize = 256;

/// What tokens must say of themselves, where it is given.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// Their `iss`.
    pub issuer: Option<String>,
    /// Their `aud`, or one of them.
    pub audience: Option<String>,
}

/// What we read of a token. Both are there, or it is refused.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    /// The standard allows for fractions.
    exp: f64,
}

/// A key with the one algorithm that it is for.
#[derive(Debug)]
pub(super) struct Key {
    key: DecodingKey,
    validation: Validation,
}

impl Key {
    pub(super) fn new(key: DecodingKey, algorithm: Algorithm, expected: &Expected) -> Self {
        let mut validation = Validation::new(algorithm);
        let mut required = vec!["exp", "sub"];
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        // The library takes a token without `iss` or `aud`, or with a number there, unless they are required claims too.
        if let Some(issuer) = &expected.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        match &expected.audience {
            Some(audience) => {
                validation.set_audience(&[audience]);
                required.push("aud");
            }
            None => validation.validate_aud = false,
        }
        validation.set_required_spec_claims(&required);
        Self { key, validation }
    }

    /// A secret that whoever signs tokens has too (HS256).
    pub(super) fn shared(secret: &str, expected: &Expected) -> Result<Self, Misconfigured> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(Misconfigured::WeakSecret(secret.len()));
        }
        Ok(Self::new(DecodingKey::from_secret(secret.as_bytes()), Algorithm::HS256, expected))
    }

    /// Whether it is for tokens with this algorithm.
    pub(super) fn is_for(&self, algorithm: Algorithm) -> bool {
        self.validation.algorithms == [algorithm]
    }

    pub(super) fn verify(&self, token: &str) -> Result<Identity, Error> {
        let decoded = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation);
        let Claims { sub, exp } = decoded
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => Error::Expired,
                _ => Error::Invalid(error),
            })?
            .claims;
        if sub.is_empty() || sub.len() > MAX_SUBJECT_BYTES || sub.contains('\0') {
            return Err(Error::Subject);
        }
        Ok(Identity { user_id: sub.into(), expires_at: moment(exp) })
    }
}
