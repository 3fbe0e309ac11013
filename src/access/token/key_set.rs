//! What an issuer publishes (a JSON Web Key Set, RFC 7517) → the keys of it that tokens may be signed with. Pure.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use super::key::{Expected, Key};

/// The keys of an issuer that are of use.
#[derive(Debug, Default)]
pub(super) struct KeySet(Vec<(Option<Box<str>>, Arc<Key>)>);

/// Why an answer is not a set of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    /// Something else is at that address.
    #[error("the answer is no JSON object with a list of `keys`")]
    NotASet,
    /// None of them is for signatures that we check.
    #[error("none of the keys is for signatures by RS256, ES256, EdDSA or one of their kin")]
    NoKey,
}

/// What is there for a token.
#[derive(Debug)]
pub(super) enum Found {
    /// The one key that could have signed it.
    One(Arc<Key>),
    /// Its key id is known, or there are several it could be, but none that it is: a newer set would not help.
    Refused,
    /// No key that it could be is in this set; one may be in a newer one.
    Unknown,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

/// A key as it is published. Certificates are not looked at: whoever vouches for the address vouches for the keys.
#[derive(Deserialize)]
struct Published {
    kty: String,
    kid: Option<Box<str>>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    /// The private half.
    d: Option<IgnoredAny>,
}

impl KeySet {
    /// Reads what an issuer publishes. Keys that are of no use to us are left out, whatever is wrong with them.
    pub(super) fn read(json: &[u8], expected: &Expected) -> Result<Self, Unusable> {
        let set: Set = serde_json::from_slice(json).map_err(|_| Unusable::NotASet)?;
        let published = set.keys.into_iter().filter_map(|key| serde_json::from_value::<Published>(key).ok());
        let keys: Vec<_> = published
            .filter_map(|published| {
                let (key, algorithm) = published.key()?;
                Some((published.kid, Arc::new(Key::new(key, algorithm, expected))))
            })
            .collect();
        if keys.is_empty() { Err(Unusable::NoKey) } else { Ok(Self(keys)) }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The key for a token with this key id, if it has one, and this algorithm, which must be the key's own. Where several would do, none does: which one it is to be
    /// is not for the token to say.
    pub(super) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Found {
        let is_named = |key: &Option<Box<str>>| kid.is_none() || key.as_deref() == kid;
        let mut fitting = self.0.iter().filter(|(id, key)| is_named(id) && key.is_for(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some((_, key)), None) => Found::One(Arc::clone(key)),
            (None, _) if kid.is_none() || !self.0.iter().any(|(id, _)| is_named(id)) => Found::Unknown,
            _ => Found::Refused,
        }
    }
}

impl Published {
    /// The key and its algorithm, if it is a public key for signatures that we can check.
    fn key(&self) -> Option<(DecodingKey, Algorithm)> {
        let is_for_signatures = self.r#use.as_ref().is_none_or(|purpose| purpose == "sig");
        let may_verify = self.key_ops.as_ref().is_none_or(|may| may.iter().any(|may| may == "verify"));
        // What everybody can sign with proves nothing.
        if !is_for_signatures || !may_verify || self.d.is_some() {
            return None;
        }
        let algorithm = self.algorithm()?;
        let key = match self.kty.as_str() {
            "RSA" => DecodingKey::from_rsa_components(self.n.as_ref()?, self.e.as_ref()?),
            "EC" => DecodingKey::from_ec_components(self.x.as_ref()?, self.y.as_ref()?),
            _ => DecodingKey::from_ed_components(self.x.as_ref()?),
        };
        Some((key.ok()?, algorithm))
    }

    /// What the key says that it is for, if that goes with what it is; what its kind is used for mostly, if it says nothing.
    fn algorithm(&self) -> Option<Algorithm> {
        let fitting: &[Algorithm] = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", None) => &[
                Algorithm::RS256,
                Algorithm::RS384,
                Algorithm::RS512,
                Algorithm::PS256,
                Algorithm::PS384,
                Algorithm::PS512,
            ],
            ("EC", Some("P-256")) => &[Algorithm::ES256],
            ("EC", Some("P-384")) => &[Algorithm::ES384],
            ("OKP", Some("Ed25519")) => &[Algorithm::EdDSA],
            // Among them `oct`, a shared secret: one that is published is none.
            _ => return None,
        };
        match self.alg.as_deref() {
            None => fitting.first().copied(),
            // The newer name of the same (RFC 9864).
            Some("Ed25519") => fitting.iter().copied().find(|algorithm| *algorithm == Algorithm::EdDSA),
            Some(name) => name.parse().ok().filter(|algorithm| fitting.contains(algorithm)),
        }
    }
}

#[cfg(test)]
mod tests;
