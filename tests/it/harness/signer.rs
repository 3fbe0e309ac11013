//! Key pairs as issuers of tokens have them. Also used by the tests beside the code that checks tokens.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
        Ed25519KeyPair, KeyPair, RsaKeyPair,
    },
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use serde_json::{Value, json};

/// An RSA key in PKCS #8 is what the library takes, behind a head of so many bytes.
const PKCS8_HEAD: usize = 26;

/// A private key, and what is published of it.
pub(crate) struct Signer {
    pub(crate) algorithm: Algorithm,
    private: EncodingKey,
    /// Without a name, a use or an algorithm.
    public: Value,
    /// What is published of an RSA key, as other programs know it: DER, as RSA's own standard has it, and as X.509 has it.
    pub(crate) der: [Vec<u8>; 2],
}

impl Signer {
    /// A new pair for tokens of this algorithm.
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        let mut der = [const { Vec::new() }; 2];
        let private = match algorithm {
            Algorithm::ES256 => ec(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::ES384 => ec(&ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::EdDSA => {
                EncodingKey::from_ed_der(Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).unwrap().as_ref())
            }
            _ => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
                let x509 = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap();
                der = [pair.public_key().as_ref().to_vec(), x509.as_ref().to_vec()];
                let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
                EncodingKey::from_rsa_der(&pkcs8.as_ref()[PKCS8_HEAD..])
            }
        };
        let mut public = serde_json::to_value(Jwk::from_encoding_key(&private, algorithm).unwrap()).unwrap();
        public.as_object_mut().unwrap().remove("alg");
        Self { algorithm, private, public, der }
    }

    /// What is published of it, with these members too, or instead.
    pub(crate) fn public(&self, more: Value) -> Value {
        let mut public = self.public.clone();
        let Value::Object(more) = more else { panic!("{more} is not an object") };
        public.as_object_mut().unwrap().extend(more);
        public
    }

    /// What is published of it, as issuers do.
    pub(crate) fn named(&self, kid: &str) -> Value {
        self.public(json!({"kid": kid, "use": "sig", "alg": format!("{:?}", self.algorithm)}))
    }

    /// Signs anything that the library can say.
    pub(crate) fn sign(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.private).unwrap()
    }

    /// A good token of this user.
    pub(crate) fn token(&self, kid: &str, user: &str) -> String {
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(self.algorithm) };
        self.sign(&header, &json!({"sub": user, "exp": in_seconds(3_600)}))
    }
}

fn ec(algorithm: &'static EcdsaSigningAlgorithm) -> EncodingKey {
    EncodingKey::from_ec_der(EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap().as_ref())
}

/// A time for a claim.
pub(crate) fn in_seconds(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    i64::try_from(now).unwrap() + seconds
}

/// A token with any header at all, and a signature by a shared secret (HMAC with SHA-256).
pub(crate) fn forge(header: &str, claims: &Value, secret: &[u8]) -> String {
    let signed = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.to_string().as_bytes()));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
    format!("{signed}.{}", base64url(signature.as_ref()))
}

/// As tokens have it: without padding.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    base64(bytes, *b"-_").trim_end_matches('=').to_owned()
}

/// A public key as files have it.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = base64(der, *b"+/");
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn base64(bytes: &[u8], last: [u8; 2]) -> String {
    let digits = [&(b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').collect::<Vec<_>>()[..], &last].concat();
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(three.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let digit = digits[(bits >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= three.len() { char::from(digit) } else { '=' });
        }
    }
    text
}
