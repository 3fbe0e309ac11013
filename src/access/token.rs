//! JWT → user. A token says who somebody is and until when; what they may see comes from the database alone.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

/// Tokens larger than this are refused before any of it is decoded.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// A secret shorter than the hash can be guessed offline from a single token.
const MIN_SECRET_BYTES: usize = 32;

/// How far the issuer's clock may be off.
const LEEWAY_SECONDS: u64 = 10;

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
    /// The user id is empty, or too long to be one.
    #[error("the token's subject is not a user id")]
    Subject,
    /// The secret given to the server is too short.
    #[error("the secret has {0} bytes; at least {MIN_SECRET_BYTES} are needed")]
    WeakSecret(usize),
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
    #[serde(default, skip_serializing_if = "Option::is_none", skip_deserializing)]
    iss: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", skip_deserializing)]
    aud: Option<String>,
}

/// Checks tokens that are signed with a shared secret (HS256).
pub struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

impl Verifier {
    /// A verifier for tokens signed with `secret`; `issuer` and `audience` are demanded of each token where given.
    ///
    /// # Errors
    /// When the secret has fewer than 32 bytes.
    pub fn with_secret(secret: &str, issuer: Option<&str>, audience: Option<&str>) -> Result<Self, Error> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(Error::WeakSecret(secret.len()));
        }
        let mut validation = Validation::new(Algorithm::HS256);
        let mut required = vec!["exp", "sub"];
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        // The library takes a token without `iss` or `aud` unless they are required claims too.
        if let Some(issuer) = issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        match audience {
            Some(audience) => {
                validation.set_audience(&[audience]);
                required.push("aud");
            }
            None => validation.validate_aud = false,
        }
        validation.set_required_spec_claims(&required);
        Ok(Self { key: DecodingKey::from_secret(secret.as_bytes()), validation })
    }

    /// Who the token's bearer is.
    ///
    /// # Errors
    /// When it is not a token that we may believe.
    pub fn verify(&self, token: &str) -> Result<Identity, Error> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Error::TooLarge);
        }
        let claims = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation)
            .map_err(|error| match error.kind() {
                jsonwebtoken::errors::ErrorKind::ExpiredSignature => Error::Expired,
                _ => Error::Invalid(error),
            })?
            .claims;
        if claims.sub.is_empty() || claims.sub.len() > 256 || claims.sub.contains('\0') {
            return Err(Error::Subject);
        }
        // A year 4000 or so is as good as any later time, and cannot overflow.
        let expires_at = Timestamp::UNIX_EPOCH + Duration::from_secs(claims.exp.min(1 << 36));
        Ok(Identity { user_id: claims.sub.into(), expires_at })
    }
}

/// Signs a token for development and tests.
///
/// # Errors
/// When the secret has fewer than 32 bytes.
pub fn sign(secret: &str, user_id: &str, valid_for: Duration) -> Result<String, Error> {
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
) -> Result<String, Error> {
    if secret.len() < MIN_SECRET_BYTES {
        return Err(Error::WeakSecret(secret.len()));
    }
    let expires_at = SystemTime::now() + valid_for;
    let exp = expires_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let claims =
        Claims { sub: user_id.to_owned(), exp, iss: issuer.map(str::to_owned), aud: audience.map(str::to_owned) };
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(secret.as_bytes()))
        .map_err(Error::Invalid)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SECRET: &str = "a secret of at least thirty-two bytes";
    const HOUR: Duration = Duration::from_hours(1);

    fn encode(algorithm: Algorithm, claims: &Value) -> String {
        jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
    }

    fn in_seconds(seconds: i64) -> i64 {
        jiff::Timestamp::now().as_second() + seconds
    }

    #[test]
    fn what_we_sign_we_believe() {
        let verifier = Verifier::with_secret(SECRET, None, None).unwrap();
        let identity = verifier.verify(&sign(SECRET, "ann", HOUR).unwrap()).unwrap();
        assert_eq!(&*identity.user_id, "ann");
        let left = Duration::try_from(identity.expires_at.duration_since(Timestamp::now())).unwrap();
        assert!(left <= HOUR && left > Duration::from_mins(59));
    }

    #[test]
    fn refuses_what_proves_nothing() {
        let verifier = Verifier::with_secret(SECRET, None, None).unwrap();
        let later = in_seconds(3600);
        let none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4iLCJleHAiOjk5OTk5OTk5OTl9.";
        assert!(matches!(verifier.verify(none), Err(Error::Invalid(_))));
        let foreign = sign("another secret of thirty-two bytes or more", "ann", HOUR).unwrap();
        assert!(matches!(verifier.verify(&foreign), Err(Error::Invalid(_))));
        for algorithm in [Algorithm::HS384, Algorithm::HS512] {
            let token = encode(algorithm, &json!({"sub": "ann", "exp": later}));
            assert!(matches!(verifier.verify(&token), Err(Error::Invalid(_))), "{algorithm:?}");
        }
        for claims in [
            json!({"sub": "ann"}),
            json!({"exp": later}),
            json!({"sub": 7, "exp": later}),
            json!({"sub": "ann", "exp": "never"}),
            json!({"sub": "ann", "exp": later, "nbf": later}),
        ] {
            assert!(matches!(verifier.verify(&encode(Algorithm::HS256, &claims)), Err(Error::Invalid(_))), "{claims}");
        }
        let expired = encode(Algorithm::HS256, &json!({"sub": "ann", "exp": in_seconds(-60)}));
        assert!(matches!(verifier.verify(&expired), Err(Error::Expired)));
        let nobody = encode(Algorithm::HS256, &json!({"sub": "", "exp": later}));
        assert!(matches!(verifier.verify(&nobody), Err(Error::Subject)));
        assert!(matches!(verifier.verify(&"a".repeat(MAX_TOKEN_BYTES + 1)), Err(Error::TooLarge)));
    }

    #[test]
    fn issuer_and_audience_are_demanded_where_given() {
        let verifier = Verifier::with_secret(SECRET, Some("us"), Some("rowcast")).unwrap();
        let later = in_seconds(3600);
        let right = json!({"sub": "ann", "exp": later, "iss": "us", "aud": "rowcast"});
        assert!(verifier.verify(&encode(Algorithm::HS256, &right)).is_ok());
        assert!(verifier.verify(&sign_as(SECRET, "ann", HOUR, Some("us"), Some("rowcast")).unwrap()).is_ok());
        for (claim, wrong) in [("iss", json!("them")), ("iss", Value::Null), ("aud", json!("x")), ("aud", json!(42))] {
            let mut claims = right.clone();
            claims[claim] = wrong;
            assert!(verifier.verify(&encode(Algorithm::HS256, &claims)).is_err(), "{claims}");
        }
        for claim in ["iss", "aud"] {
            let mut claims = right.clone();
            claims.as_object_mut().unwrap().remove(claim);
            assert!(verifier.verify(&encode(Algorithm::HS256, &claims)).is_err(), "{claims}");
        }
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert!(matches!(Verifier::with_secret("short", None, None), Err(Error::WeakSecret(5))));
        assert!(matches!(sign("short", "ann", HOUR), Err(Error::WeakSecret(5))));
    }
}
