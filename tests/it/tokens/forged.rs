//! The classic attacks on tokens, one after the other, on a server that believes an issuer; and the same on one with a secret.

use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use serde_json::{Value, json};

use super::{ask, of, with_ann};
use crate::harness::{
    Issuer, SECRET, Server,
    signer::{Signer, base64url, forge, in_seconds, pem},
};

const ISSUER: &str = "https://issuer.example/projects/7";
const AUDIENCE: &str = "project-7";

fn claims() -> Value {
    json!({"sub": "ann", "exp": in_seconds(3_600), "iss": ISSUER, "aud": AUDIENCE})
}

/// The good claims, but for one.
fn but(claim: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[claim] = value;
    claims
}

fn without(claim: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(claim);
    claims
}

fn unsigned(header: &str, claims: &Value, signature: &[u8]) -> String {
    let (header, claims) = (base64url(header.as_bytes()), base64url(claims.to_string().as_bytes()));
    format!("{header}.{claims}.{}", base64url(signature))
}

struct Stage {
    server: Server,
    issuer: Issuer,
    rsa: Signer,
    ec: Signer,
    begun: std::time::Instant,
    // Last: its server has to be gone before it is dropped.
    _db: crate::harness::Database,
}

impl Stage {
    async fn new() -> Self {
        let db = with_ann().await;
        let (rsa, ec) = (Signer::new(Algorithm::RS256), Signer::new(Algorithm::ES256));
        let issuer = Issuer::start(&[rsa.named("rsa"), ec.named("ec")]).await;
        let [secret, url] = of(&issuer);
        let expected = [("ROWCAST_JWT_ISSUER", ISSUER), ("ROWCAST_JWT_AUDIENCE", AUDIENCE)];
        let server = Server::start_with(&db, &[secret, url, expected[0], expected[1]]).await;
        let stage = Self { server, issuer, rsa, ec, begun: std::time::Instant::now(), _db: db };
        // Else all that follows might be refused for some other reason.
        stage.accepts(&stage.rsa, "rsa", &claims()).await;
        stage.accepts(&stage.ec, "ec", &claims()).await;
        stage
    }

    async fn accepts(&self, signer: &Signer, kid: &str, claims: &Value) {
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(signer.algorithm) };
        let answer = ask(&self.server, &signer.sign(&header, claims)).await;
        assert_eq!(answer.status, 200, "{claims}: {}", answer.body);
    }

    async fn refuses(&self, what: &str, token: &str) {
        self.refuses_with("invalid_token", what, token).await;
    }

    async fn refuses_with(&self, code: &str, what: &str, token: &str) {
        println!("{what}");
        ask(&self.server, token).await.is_refusal(401, code, &[token, "ann", ISSUER, AUDIENCE]);
    }

    fn by_ec(&self, claims: &Value) -> String {
        self.ec.sign(&Header { kid: Some("ec".to_owned()), ..Header::new(Algorithm::ES256) }, claims)
    }

    /// Whatever was tried, the issuer was not asked more often than it may be.
    async fn end(self) {
        let most = 1 + 5 + usize::try_from(self.begun.elapsed().as_secs() / 10).unwrap();
        assert!(self.issuer.asked() <= most, "{} requests", self.issuer.asked());
        self.server.stop().await;
    }
}

#[tokio::test]
async fn a_token_does_not_say_how_it_is_checked() {
    let stage = Stage::new().await;
    for none in ["none", "None", "NONE", "nOnE", "", " none", "null"] {
        for kid in [r#","kid":"ec""#, r#","kid":"rsa""#, ""] {
            let header = format!(r#"{{"alg":"{none}","typ":"JWT"{kid}}}"#);
            stage.refuses(&header, &unsigned(&header, &claims(), b"")).await;
            stage.refuses(&header, &forge(&header, &claims(), b"")).await;
        }
    }
    for alg in ["null", "[]", "[\"none\"]", "0", "{}", "true"] {
        let header = format!(r#"{{"alg":{alg},"kid":"ec"}}"#);
        stage.refuses(&header, &unsigned(&header, &claims(), b"")).await;
    }
    stage.refuses("no alg", &unsigned(r#"{"kid":"ec"}"#, &claims(), b"")).await;

    // A public key taken for a shared secret.
    let jwk = stage.rsa.named("rsa");
    let n = jwk["n"].as_str().unwrap();
    let [pkcs1, x509] = &stage.rsa.der;
    let (pkcs1_pem, x509_pem) = (pem("RSA PUBLIC KEY", pkcs1), pem("PUBLIC KEY", x509));
    for secret in [
        pkcs1,
        x509,
        pkcs1_pem.as_bytes(),
        x509_pem.as_bytes(),
        x509_pem.trim_end().as_bytes(),
        n.as_bytes(),
        jwk.to_string().as_bytes(),
        stage.ec.named("ec")["x"].as_str().unwrap().as_bytes(),
        b"",
    ] {
        for kid in [r#","kid":"rsa""#, r#","kid":"ec""#, ""] {
            let header = format!(r#"{{"alg":"HS256"{kid}}}"#);
            stage.refuses(&header, &forge(&header, &claims(), secret)).await;
        }
    }
    // The right key with another algorithm of its family, and the other way round.
    for (algorithm, kid) in [(Algorithm::RS384, "rsa"), (Algorithm::PS256, "rsa"), (Algorithm::RS256, "ec")] {
        let header = Header { kid: Some(kid.to_owned()), ..Header::new(algorithm) };
        stage.refuses(kid, &stage.rsa.sign(&header, &claims())).await;
    }
    let header = Header { kid: Some("rsa".to_owned()), ..Header::new(Algorithm::ES256) };
    stage.refuses("ec as rsa", &stage.ec.sign(&header, &claims())).await;
    stage.end().await;
}

#[tokio::test]
async fn a_token_does_not_bring_its_own_key() {
    let stage = Stage::new().await;
    let thief = Signer::new(Algorithm::ES256);
    let hideout = Issuer::start(&[thief.named("ec"), thief.named("thief")]).await;
    let url = Some(hideout.url().to_owned());
    let named = |kid: &str| Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::ES256) };
    let jwk: Jwk = serde_json::from_value(thief.named("ec")).unwrap();
    for header in [
        named("ec"),
        named("thief"),
        Header::new(Algorithm::ES256),
        Header { jku: url.clone(), ..named("ec") },
        Header { jku: url.clone(), ..named("thief") },
        Header { x5u: url.clone(), ..named("ec") },
        Header { x5c: Some(vec!["MIIB".to_owned()]), ..named("ec") },
        Header { jwk: Some(jwk), ..named("ec") },
        Header { kid: url.clone(), ..Header::new(Algorithm::ES256) },
    ] {
        stage.refuses(&format!("{header:?}"), &thief.sign(&header, &claims())).await;
    }
    assert_eq!(hideout.asked(), 0);

    // Names that mean something elsewhere.
    let long = "k".repeat(5_000);
    for kid in [
        "../../../../../../etc/passwd",
        "/dev/null",
        "ec' OR '1'='1",
        "'; DROP TABLE rowcast.tickets; --",
        "ec\u{0}",
        "ec\r\nX-Injected: yes",
        " ec",
        "EC",
        "",
        "*",
        "|id",
        &long,
    ] {
        stage.refuses(kid, &thief.sign(&named(kid), &claims())).await;
        stage.refuses(kid, &stage.ec.sign(&named(kid), &claims())).await;
    }
    for header in [
        r#"{"alg":"ES256","kid":"thief","kid":"ec"}"#,
        r#"{"alg":"none","kid":"ec","alg":"ES256"}"#,
        r#"{"alg":"ES256","kid":["ec"]}"#,
        r#"{"alg":"ES256","kid":7}"#,
        r#"{"alg":"ES256","kid":{"ec":1}}"#,
    ] {
        stage.refuses(header, &unsigned(header, &claims(), &[7; 64])).await;
    }
    // An extension that has to be understood, and is not.
    let critical = Header { crit: Some(vec!["exp".to_owned()]), ..named("ec") };
    stage.refuses("crit", &stage.ec.sign(&critical, &claims())).await;
    stage.end().await;
}

#[tokio::test]
async fn signatures_that_are_none() {
    let stage = Stage::new().await;
    // The order of the curve: as good as zero.
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&order[2 * at..2 * at + 2], 16).unwrap()).collect();
    let one: Vec<u8> = [vec![0; 31], vec![1]].concat();
    for (r, s) in
        [(vec![0; 32], vec![0; 32]), (order.clone(), order.clone()), (one.clone(), vec![0; 32]), (vec![0; 32], one)]
    {
        let header = r#"{"alg":"ES256","kid":"ec"}"#;
        stage.refuses("psychic", &unsigned(header, &claims(), &[r, s].concat())).await;
    }
    // The same in the encoding of certificates: SEQUENCE of two zeros.
    stage.refuses("DER", &unsigned(r#"{"alg":"ES256","kid":"ec"}"#, &claims(), &[0x30, 6, 2, 1, 0, 2, 1, 0])).await;
    for bytes in [vec![0; 256], vec![255; 256], vec![1], Vec::new()] {
        stage.refuses("RSA", &unsigned(r#"{"alg":"RS256","kid":"rsa"}"#, &claims(), &bytes)).await;
    }
    let good = stage.by_ec(&claims());
    let parts: Vec<&str> = good.split('.').collect();
    let others = stage.by_ec(&but("sub", json!("somebody")));
    let others: Vec<&str> = others.split('.').collect();
    for token in [
        format!("{}.{}.{}", parts[0], others[1], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], others[2]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{good}."),
        format!("{good}.{}", parts[2]),
        format!(".{good}"),
        good[..good.len() - 4].to_owned(),
        good[4..].to_owned(),
        format!("{good}=="),
        good.replace('.', " "),
        "..".to_owned(),
        ".".to_owned(),
        "a".to_owned(),
        "%00.%00.%00".to_owned(),
        "bm90IGpzb24.bm90IGpzb24.bm90IGpzb24".to_owned(),
        base64url(good.as_bytes()),
        format!("{}.{}.{}", base64url(b"\xff\xfe"), parts[1], parts[2]),
        format!("{}.{}.{}", base64url(&[b'['; 3_000]), parts[1], parts[2]),
    ] {
        stage.refuses(&token, &token).await;
    }
    let oversized = stage.by_ec(&but("filling", json!("x".repeat(8_000))));
    stage.refuses("oversized", &oversized).await;
    stage.end().await;
}

#[tokio::test]
async fn claims_that_are_wrong() {
    let stage = Stage::new().await;
    stage.accepts(&stage.ec, "ec", &but("aud", json!(["another", AUDIENCE]))).await;
    stage.accepts(&stage.ec, "ec", &but("exp", json!(i64::MAX))).await;
    for wrong in [
        but("aud", json!("project-8")),
        but("aud", json!("project-7:anon")),
        but("aud", json!(["project-8", "project-9"])),
        but("aud", json!([])),
        but("aud", json!(7)),
        but("aud", json!({AUDIENCE: true})),
        but("aud", json!(null)),
        without("aud"),
        but("iss", json!("https://issuer.example/projects/8")),
        but("iss", json!("https://issuer.example/projects/7/")),
        but("iss", json!(7)),
        but("iss", json!(null)),
        without("iss"),
        without("sub"),
        but("sub", json!(null)),
        but("sub", json!(7)),
        but("sub", json!(["ann"])),
        but("sub", json!("")),
        but("sub", json!("ann\0")),
        but("sub", json!("a".repeat(300))),
        without("exp"),
        but("exp", json!(null)),
        but("exp", json!(-1)),
        but("exp", json!(in_seconds(3_600).to_string())),
        but("exp", json!([in_seconds(3_600)])),
        but("exp", json!(1e300)),
        but("exp", json!(true)),
        but("nbf", json!(in_seconds(3_600))),
        but("nbf", json!("never")),
        but("nbf", json!(-1)),
    ] {
        stage.refuses(&wrong.to_string(), &stage.by_ec(&wrong)).await;
    }
    for expired in [in_seconds(-60), 0, 1] {
        let token = stage.by_ec(&but("exp", json!(expired)));
        stage.refuses_with("token_expired", &expired.to_string(), &token).await;
    }
    stage.end().await;
}

#[tokio::test]
async fn a_server_with_a_secret_takes_nothing_else() {
    let db = with_ann().await;
    let server = Server::start(&db).await;
    let claims = json!({"sub": "ann", "exp": in_seconds(60)});
    assert_eq!(ask(&server, &forge(r#"{"alg":"HS256"}"#, &claims, SECRET.as_bytes())).await.status, 200);
    let signer = Signer::new(Algorithm::RS256);
    let hs512 =
        jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims, &EncodingKey::from_secret(SECRET.as_bytes()));
    for token in [
        unsigned(r#"{"alg":"none"}"#, &claims, b""),
        forge(r#"{"alg":"none"}"#, &claims, SECRET.as_bytes()),
        forge(r#"{"alg":"hs256"}"#, &claims, SECRET.as_bytes()),
        forge(r#"{"alg":"RS256"}"#, &claims, SECRET.as_bytes()),
        forge(r#"{"alg":"HS256","crit":["exp"]}"#, &claims, SECRET.as_bytes()),
        forge(r#"{"alg":"HS256"}"#, &claims, b""),
        forge(r#"{"alg":"HS256"}"#, &claims, SECRET.to_uppercase().as_bytes()),
        signer.token("one", "ann"),
        hs512.unwrap(),
    ] {
        ask(&server, &token).await.is_refusal(401, "invalid_token", &[&token, SECRET]);
    }
    server.stop().await;
}
