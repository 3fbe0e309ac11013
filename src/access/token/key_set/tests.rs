use jsonwebtoken::Header;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::access::token::tests::signer::{Signer, in_seconds};

fn sign(signer: &Signer, algorithm: Algorithm) -> String {
    signer.sign(&Header::new(algorithm), &json!({"sub": "ann", "exp": in_seconds(3_600)}))
}

fn read(keys: &[Value]) -> Result<KeySet, Unusable> {
    KeySet::read(json!({ "keys": keys }).to_string().as_bytes(), &Expected::default())
}

fn one(found: Found) -> Arc<Key> {
    match found {
        Found::One(key) => key,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_algorithm_is_the_keys_own_or_that_of_its_kind() {
    for (algorithm, also) in [
        (
            Algorithm::RS256,
            &[Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384, Algorithm::PS512][..],
        ),
        (Algorithm::ES256, &[]),
        (Algorithm::ES384, &[]),
        (Algorithm::EdDSA, &[]),
    ] {
        let pair = Signer::new(algorithm);
        let by_kind = one(read(&[pair.public(json!({}))]).unwrap().find(None, algorithm));
        assert_eq!(&*by_kind.verify(&sign(&pair, algorithm)).unwrap().user_id, "ann");
        for &named in also {
            let set = read(&[pair.public(json!({"alg": format!("{named:?}")}))]).unwrap();
            assert!(one(set.find(None, named)).verify(&sign(&pair, named)).is_ok(), "{named:?}");
            assert!(matches!(set.find(None, algorithm), Found::Unknown), "{named:?}, not {algorithm:?}");
            assert!(by_kind.verify(&sign(&pair, named)).is_err(), "{algorithm:?}, not {named:?}");
        }
    }
    let pair = Signer::new(Algorithm::EdDSA);
    assert!(read(&[pair.public(json!({"alg": "Ed25519"}))]).is_ok());
}

#[test]
fn keys_that_are_for_something_else_are_left_out() {
    let (ec, rsa) = (Signer::new(Algorithm::ES256), Signer::new(Algorithm::RS256));
    for useless in [
        ec.public(json!({"use": "enc"})),
        ec.public(json!({"use": 7})),
        ec.public(json!({"key_ops": ["sign"]})),
        ec.public(json!({"key_ops": []})),
        ec.public(json!({"crv": "secp256k1"})),
        ec.public(json!({"crv": "P-521"})),
        ec.public(json!({"crv": "P-384", "alg": "ES256"})),
        ec.public(json!({"alg": "ES384"})),
        ec.public(json!({"alg": "none"})),
        ec.public(json!({"alg": "HS256"})),
        ec.public(json!({"alg": "RS256"})),
        ec.public(json!({"kty": "RSA"})),
        ec.public(json!({"x": null})),
        ec.public(json!({"x": "not base64url!"})),
        // Somebody publishes the private half too: everybody can sign.
        ec.public(json!({"d": "AAAA"})),
        rsa.public(json!({"alg": "RSA-OAEP"})),
        rsa.public(json!({"kty": "oct", "k": "c2VjcmV0"})),
        json!({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}),
        json!({"kty": "OKP", "crv": "X25519", "x": "AAAA"}),
        json!("a string"),
        json!(null),
        json!({}),
    ] {
        assert_eq!(read(std::slice::from_ref(&useless)).err(), Some(Unusable::NoKey), "{useless}");
        // It takes no other with it.
        assert_eq!(read(&[useless.clone(), ec.public(json!({"use": "sig"}))]).unwrap().len(), 1, "{useless}");
    }
    assert!(read(&[ec.public(json!({"key_ops": ["verify"], "use": "sig", "alg": "ES256", "x5c": 7}))]).is_ok());
}

#[test]
fn what_is_no_set_is_none() {
    for json in ["", "null", "[]", "{}", r#"{"keys": {}}"#, "<html>", r#"{"keys": [{"kty": "EC""#, "\u{feff}{}"] {
        assert_eq!(KeySet::read(json.as_bytes(), &Expected::default()).err(), Some(Unusable::NotASet), "{json}");
    }
    assert_eq!(KeySet::read(b"{\"keys\": []}", &Expected::default()).err(), Some(Unusable::NoKey));
}

#[test]
fn a_token_gets_a_key_only_where_it_could_be_no_other() {
    let pairs = [Signer::new(Algorithm::ES256), Signer::new(Algorithm::ES256), Signer::new(Algorithm::EdDSA)];
    let set = read(&[
        pairs[0].public(json!({"kid": "one"})),
        pairs[1].public(json!({"kid": "two"})),
        pairs[2].public(json!({"kid": "three"})),
        pairs[0].public(json!({"kid": "twice"})),
        pairs[1].public(json!({"kid": "twice"})),
    ])
    .unwrap();
    assert!(one(set.find(Some("two"), Algorithm::ES256)).verify(&sign(&pairs[1], Algorithm::ES256)).is_ok());
    assert!(one(set.find(Some("two"), Algorithm::ES256)).verify(&sign(&pairs[0], Algorithm::ES256)).is_err());
    assert!(one(set.find(None, Algorithm::EdDSA)).verify(&sign(&pairs[2], Algorithm::EdDSA)).is_ok(), "the only one");
    for (kid, algorithm) in [
        (None, Algorithm::ES256),
        (Some("twice"), Algorithm::ES256),
        (Some("three"), Algorithm::ES256),
        (Some("one"), Algorithm::HS256),
    ] {
        assert!(matches!(set.find(kid, algorithm), Found::Refused), "{kid:?} {algorithm:?}");
    }
    for (kid, algorithm) in [(Some("four"), Algorithm::ES256), (Some(""), Algorithm::ES256), (None, Algorithm::RS256)] {
        assert!(matches!(set.find(kid, algorithm), Found::Unknown), "{kid:?} {algorithm:?}");
    }
    let nameless = read(&[pairs[0].public(json!({}))]).unwrap();
    assert!(matches!(nameless.find(Some("one"), Algorithm::ES256), Found::Unknown), "a name is a name");
}

/// A member of a published key: what may be there, and what may not.
fn member() -> impl Strategy<Value = Value> {
    let known = [
        "RSA",
        "EC",
        "OKP",
        "oct",
        "sig",
        "enc",
        "verify",
        "sign",
        "RS256",
        "ES256",
        "EdDSA",
        "none",
        "HS256",
        "P-256",
        "P-384",
        "Ed25519",
        "AQAB",
        "",
        "AAAA",
        "____",
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "=",
        "x y",
        "ä",
    ];
    prop_oneof![
        6 => prop::sample::select(known.to_vec()).prop_map(Value::from),
        1 => prop::collection::vec(prop::sample::select(known.to_vec()), 0..4).prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
        1 => prop::sample::select(vec![json!(null), json!(true), json!(65_537), json!({}), json!([[]])]),
        1 => (1_usize..3_000).prop_map(|length| json!("A".repeat(length))),
    ]
}

proptest! {
    /// Whatever an issuer publishes: it is read or refused, no key in it is for a shared secret or for signing, and none is taken without saying what it is.
    #[test]
    fn any_document_is_a_set_of_public_keys_or_none(
        keys in prop::collection::vec(
            prop::collection::btree_map(prop::sample::select(vec!["kty", "kid", "use", "key_ops", "alg", "crv", "n", "e", "x", "y", "d", "k"]), member(), 0..9),
            0..4,
        ),
        junk in prop::collection::vec(any::<u8>(), 0..200),
        cut in any::<prop::sample::Index>(),
    ) {
        let document = json!({ "keys": keys }).to_string();
        let _ = KeySet::read(&junk, &Expected::default());
        prop_assert!(KeySet::read(&document.as_bytes()[..cut.index(document.len())], &Expected::default()).is_err());
        if let Ok(set) = KeySet::read(document.as_bytes(), &Expected::default()) {
            let usable = keys.iter().filter(|key| {
                key.get("kty").is_some_and(|kind| ["RSA", "EC", "OKP"].iter().any(|known| kind == known)) && key.get("d").is_none_or(Value::is_null)
            });
            prop_assert!(set.len() <= usable.count(), "{}", document);
            for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                prop_assert!(!matches!(set.find(None, algorithm), Found::One(_)), "{}", document);
            }
        }
    }
}
