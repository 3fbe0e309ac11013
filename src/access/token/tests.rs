#[path = "../../../tests/it/harness/signer.rs"]
#[allow(dead_code, reason = "the tests that need the rest of it are in tests/it")]
pub(super) mod signer;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use self::signer::in_seconds;
use super::*;

const SECRET: &str = "a secret of at least thirty-two bytes";
const HOUR: Duration = Duration::from_hours(1);

fn verifier(expected: Expected) -> Verifier {
    Verifier::new(Some(SECRET), None, expected, Arc::default()).unwrap()
}

fn encode(algorithm: Algorithm, claims: &Value) -> String {
    encode_with(&Header::new(algorithm), claims)
}

fn encode_with(header: &Header, claims: &Value) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

#[tokio::test]
async fn what_we_sign_we_believe() {
    let verifier = verifier(Expected::default());
    let identity = verifier.verify(&sign(SECRET, "ann", HOUR).unwrap()).await.unwrap();
    assert_eq!(&*identity.user_id, "ann");
    let left = Duration::try_from(identity.expires_at.duration_since(Timestamp::now())).unwrap();
    assert!(left <= HOUR && left > Duration::from_mins(59));
    assert!(verifier.is_ready());
}

#[tokio::test]
async fn refuses_what_proves_nothing() {
    let verifier = verifier(Expected::default());
    let later = in_seconds(3600);
    let none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4iLCJleHAiOjk5OTk5OTk5OTl9.";
    assert!(matches!(verifier.verify(none).await, Err(Error::Invalid(_))));
    let foreign = sign("another secret of thirty-two bytes or more", "ann", HOUR).unwrap();
    assert!(matches!(verifier.verify(&foreign).await, Err(Error::Invalid(_))));
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let token = encode(algorithm, &json!({"sub": "ann", "exp": later}));
        assert!(matches!(verifier.verify(&token).await, Err(Error::Invalid(_))), "{algorithm:?}");
    }
    let critical = Header { crit: Some(vec!["b64".into()]), ..Header::new(Algorithm::HS256) };
    let token = encode_with(&critical, &json!({"sub": "ann", "exp": later}));
    assert!(matches!(verifier.verify(&token).await, Err(Error::Invalid(_))), "an extension that we do not know");
    for claims in [
        json!({"sub": "ann"}),
        json!({"exp": later}),
        json!({"sub": 7, "exp": later}),
        json!({"sub": ["ann"], "exp": later}),
        json!({"sub": "ann", "exp": "never"}),
        json!({"sub": "ann", "exp": later.to_string()}),
        json!({"sub": "ann", "exp": -later}),
        json!({"sub": "ann", "exp": 1e300}),
        json!({"sub": "ann", "exp": null}),
        json!({"sub": "ann", "exp": later, "nbf": later}),
        json!({"sub": "ann", "exp": later, "nbf": "now"}),
    ] {
        let refused = verifier.verify(&encode(Algorithm::HS256, &claims)).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{claims}");
    }
    let expired = encode(Algorithm::HS256, &json!({"sub": "ann", "exp": in_seconds(-60)}));
    assert!(matches!(verifier.verify(&expired).await, Err(Error::Expired)));
    for nobody in ["", "a\0b", &"a".repeat(257)] {
        let token = encode(Algorithm::HS256, &json!({"sub": nobody, "exp": later}));
        assert!(matches!(verifier.verify(&token).await, Err(Error::Subject)), "{nobody}");
    }
    assert!(matches!(verifier.verify(&"a".repeat(MAX_TOKEN_BYTES + 1)).await, Err(Error::TooLarge)));
}

#[tokio::test]
async fn clocks_may_differ_by_seconds_and_times_have_fractions_and_no_end() {
    let verifier = verifier(Expected::default());
    for claims in [
        json!({"sub": "ann", "exp": in_seconds(-5)}),
        json!({"sub": "ann", "exp": in_seconds(3600), "nbf": in_seconds(5)}),
        json!({"sub": "ann", "exp": 4_102_444_800.5_f64}),
        json!({"sub": "ann", "exp": i64::MAX}),
    ] {
        let identity = verifier.verify(&encode(Algorithm::HS256, &claims)).await.unwrap();
        assert!(identity.expires_at <= moment(f64::MAX), "{claims}");
    }
}

#[tokio::test]
async fn issuer_and_audience_are_demanded_where_given() {
    let verifier = verifier(Expected { issuer: Some("us".into()), audience: Some("rowcast".into()) });
    let later = in_seconds(3600);
    let right = json!({"sub": "ann", "exp": later, "iss": "us", "aud": "rowcast"});
    assert!(verifier.verify(&encode(Algorithm::HS256, &right)).await.is_ok());
    assert!(verifier.verify(&sign_as(SECRET, "ann", HOUR, Some("us"), Some("rowcast")).unwrap()).await.is_ok());
    let mut several = right.clone();
    several["aud"] = json!(["another", "rowcast"]);
    assert!(verifier.verify(&encode(Algorithm::HS256, &several)).await.is_ok());
    for (claim, wrong) in [
        ("iss", json!("them")),
        ("iss", Value::Null),
        ("iss", json!(42)),
        ("aud", json!("x")),
        ("aud", json!("rowcast2")),
        ("aud", json!(42)),
        ("aud", json!([])),
        ("aud", json!(["x", "y"])),
        ("aud", json!({"rowcast": true})),
    ] {
        let mut claims = right.clone();
        claims[claim] = wrong;
        assert!(verifier.verify(&encode(Algorithm::HS256, &claims)).await.is_err(), "{claims}");
    }
    for claim in ["iss", "aud"] {
        let mut claims = right.clone();
        claims.as_object_mut().unwrap().remove(claim);
        assert!(verifier.verify(&encode(Algorithm::HS256, &claims)).await.is_err(), "{claims}");
    }
}

#[test]
fn tokens_are_checked_in_exactly_one_way() {
    let new = |secret, url| Verifier::new(secret, url, Expected::default(), Arc::default()).err();
    let url = Some("https://issuer.example/jwks.json");
    assert!(new(Some(SECRET), None).is_none() && new(None, url).is_none());
    assert!(new(Some(""), url).is_none(), "an empty setting is none");
    for neither in [new(None, None), new(Some(""), None), new(Some(""), Some(""))] {
        assert!(matches!(neither, Some(Misconfigured::Neither)));
    }
    assert!(matches!(new(Some(SECRET), url), Some(Misconfigured::Both)));
    assert!(matches!(new(Some("short"), None), Some(Misconfigured::WeakSecret(5))));
    assert!(matches!(sign("short", "ann", HOUR), Err(Misconfigured::WeakSecret(5))));
    for error in [Misconfigured::Neither, Misconfigured::Both] {
        let said = error.to_string();
        assert!(said.contains("ROWCAST_JWT_SECRET") && said.contains("ROWCAST_JWKS_URL"), "{said}");
    }
}
