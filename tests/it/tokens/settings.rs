//! What a server must be told before it believes anybody.

use super::{ask, of, with_ann};
use crate::harness::{Issuer, SECRET, Server, refused, signer::Signer};
use jsonwebtoken::Algorithm;

#[tokio::test]
async fn a_server_needs_exactly_one_way_to_check_tokens() {
    let (secret, url) = (("ROWCAST_JWT_SECRET", SECRET), ("ROWCAST_JWKS_URL", "https://issuer.example/jwks.json"));
    for (settings, says) in [
        (&[][..], "nothing says which tokens to believe"),
        (&[("ROWCAST_JWT_SECRET", ""), ("ROWCAST_JWKS_URL", "")], "nothing says which tokens to believe"),
        (&[secret, url], "unset one of them"),
        (&[("ROWCAST_JWT_SECRET", "hunter2")], "at least 32"),
        (&[("ROWCAST_JWKS_URL", "http://issuer.example/key=hunter2")], "has to be https://"),
        (&[("ROWCAST_JWKS_URL", "issuer.example/key=hunter2")], "is not a URL"),
    ] {
        let said = refused(settings).await;
        assert!(said.contains(says) && !said.contains("hunter2") && !said.contains(SECRET), "{settings:?}: {said}");
        let named = settings.first().map_or("ROWCAST_JWT_SECRET", |(name, _)| name);
        assert!(said.contains(named), "{settings:?}: {said}");
    }
}

#[tokio::test]
async fn who_does_not_say_for_whom_tokens_are_is_warned() {
    let db = with_ann().await;
    let signer = Signer::new(Algorithm::EdDSA);
    let issuer = Issuer::start(&[signer.named("one")]).await;
    for (setting, other) in
        [("ROWCAST_JWT_AUDIENCE", "ROWCAST_JWT_ISSUER"), ("ROWCAST_JWT_ISSUER", "ROWCAST_JWT_AUDIENCE")]
    {
        let [secret, url] = of(&issuer);
        let server = Server::start_with(&db, &[secret, url, (setting, "us")]).await;
        assert!(server.log().contains(&format!("{other} is not set")), "{}", server.log());
        assert!(!server.log().contains(&format!("{setting} is not set")), "{}", server.log());
        server.stop().await;
    }
    let server = Server::start_with(&db, &of(&issuer)).await;
    assert_eq!(ask(&server, &signer.token("one", "ann")).await.status, 200);
    // The secret of before is no way in beside it.
    ask(&server, &crate::harness::token("ann")).await.is_refusal(401, "invalid_token", &[]);
    server.stop().await;
}
