//! Tokens, by the one way in that there is.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::FutureExt;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use proptest::prelude::*;
use rowcast::access::token::{Expected, Identity, Verifier, sign};
use serde_json::{Map, Value, json};

use crate::{harness::SECRET, try_out};

const CASES: u32 = 3_000;

fn verify(token: &str) -> Option<Identity> {
    let verifier = Verifier::new(Some(SECRET), None, Expected::default(), Arc::default()).unwrap();
    // With a secret there is nothing to wait for.
    verifier.verify(token).now_or_never().unwrap().ok()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// What somebody may write where a claim is expected.
fn claim() -> impl Strategy<Value = Value> {
    let now = now();
    prop_oneof![
        4 => prop::sample::select(vec![json!(now + 600), json!(now - 600), json!("ann"), json!("")]),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
        1 => prop::sample::select(vec![
            json!(null), json!(true), json!([]), json!({}), json!(["ann"]), json!({"sub": "ann"}), json!("a\0b"), json!(u64::MAX),
            json!(1e300), json!("x".repeat(257)), json!((now + 600).to_string()),
        ]),
    ]
}

fn claims() -> impl Strategy<Value = Map<String, Value>> {
    let name = prop::sample::select(vec!["sub", "exp", "nbf", "iat", "iss", "aud", "alg", "role", "permissions"]);
    prop::collection::vec((name, claim()), 0..7)
        .prop_map(|claims| claims.into_iter().map(|(name, claim)| (name.to_owned(), claim)).collect())
}

#[test]
fn nobody_is_somebody_by_chance() {
    let parts = prop::collection::vec("[A-Za-z0-9_-]{0,40}", 0..7).prop_map(|parts| parts.join("."));
    let three = ["[A-Za-z0-9_-]{0,40}"; 3].prop_map(|parts| parts.join("."));
    let token = prop_oneof![any::<String>(), parts, three];
    try_out(CASES, &token, |token| {
        prop_assert_eq!(verify(&token), None);
        Ok(())
    });
}

/// Whatever the issuer signs, somebody comes of it only if it says who, as a text, and until when, as a time to come.
#[test]
fn a_signed_token_counts_for_what_it_says() {
    try_out(CASES, &claims(), |claims| {
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap();
        let Some(identity) = verify(&token) else { return Ok(()) };
        let user = claims["sub"].as_str().expect("only a text is a user");
        prop_assert_eq!(&*identity.user_id, user);
        prop_assert!(!user.is_empty() && user.len() <= 256 && !user.contains('\0'));
        prop_assert!(
            claims["exp"].as_f64().unwrap()
                > (SystemTime::now() - Duration::from_mins(2)).duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
        );
        prop_assert!(
            claims
                .get("nbf")
                .and_then(Value::as_f64)
                .is_none_or(|nbf| nbf < 120.0 + UNIX_EPOCH.elapsed().unwrap().as_secs_f64())
        );
        Ok(())
    });
}

/// A token that somebody has tampered with is refused, or it is the same token in another spelling.
#[test]
fn a_token_that_was_changed_is_nobody_else() {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<char>(), 0_u8..4), 1..4);
    let whole = sign(SECRET, "ann", Duration::from_hours(1)).unwrap();
    let is_ann = |token: &str| verify(token).is_none_or(|identity| &*identity.user_id == "ann");
    assert_eq!(verify(&whole).map(|identity| identity.user_id), Some("ann".into()));
    try_out(CASES, &changes, |changes| {
        let mut characters: Vec<char> = whole.chars().collect();
        for (at, character, how) in changes {
            let at = at.index(characters.len());
            match how {
                0 => characters[at] = character,
                1 => characters.insert(at, character),
                2 if characters.len() > 1 => drop(characters.remove(at)),
                2 => {}
                _ => characters.truncate(at.max(1)),
            }
        }
        let token: String = characters.into_iter().collect();
        prop_assert!(is_ann(&token), "{}", token);
        Ok(())
    });
}

/// With any header that somebody may invent, and signed as it says or not at all, but never by our secret.
#[test]
fn no_header_makes_up_for_the_signature() {
    let algorithm = prop::sample::select(vec!["none", "None", "HS256", "HS384", "RS256", "ES256", "EdDSA", ""]);
    let member = prop::sample::select(vec!["kid", "jku", "jwk", "x5c", "x5u", "crit", "typ", "b64"]);
    let members = prop::collection::vec((member, claim()), 0..4);
    let signature = prop::collection::vec(any::<u8>(), 0..64);
    try_out(CASES, &(algorithm, members, signature), |(algorithm, members, signature)| {
        use base64_url as encode;
        let mut header = Map::from_iter([("alg".to_owned(), json!(algorithm))]);
        header.extend(members.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let claims = json!({"sub": "ann", "exp": now() + 600});
        let token = format!(
            "{}.{}.{}",
            encode(Value::Object(header).to_string().as_bytes()),
            encode(claims.to_string().as_bytes()),
            encode(&signature)
        );
        prop_assert_eq!(verify(&token), None, "{}", token);
        Ok(())
    });
}

/// As a JWT is written: base64 for URLs, without padding.
fn base64_url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - three.len()));
        for digit in 0..=three.len() {
            text.push(char::from(ALPHABET[(bits >> (18 - 6 * digit) & 63) as usize]));
        }
    }
    text
}
