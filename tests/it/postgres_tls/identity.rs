//! Who the client is: passwords that are bound to the encrypted channel, and certificates.

use super::{HOST, Stage, assert_refused, connect, identity, interceptor::intercept};
use crate::harness::{Authority, Issued, Role};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_bound_to_the_channel() {
    let stage = Stage::set(&["hostssl all all 127.0.0.0/8 scram-sha-256"]).await;
    let bound = stage.trusting_url("sslmode=verify-full&channel_binding=require");
    assert!(connect(&bound).await.unwrap().is_some());
    // Without a look at the certificate too: whoever ended TLS in between could not go on with the password.
    assert!(connect(&stage.url(HOST, "sslmode=require&channel_binding=require")).await.unwrap().is_some());
    assert!(connect(&stage.url(HOST, "sslmode=require&channel_binding=disable")).await.unwrap().is_some());
    let wrong = bound.replace("password=rowcast_test_server", "password=hunter2");
    assert_refused(&wrong, &["password authentication failed"]).await;

    stage.allow(&["host all all 127.0.0.0/8 scram-sha-256"]).await;
    let unencrypted = stage.url(HOST, "sslmode=disable&channel_binding=require");
    assert_refused(&unencrypted, &["did not use channel binding", "hint: "]).await;
    stage.allow(&["hostssl all all 127.0.0.0/8 password"]).await;
    assert_refused(&bound, &["did not use channel binding", "scram-sha-256"]).await;
}

/// Who does not look at the certificate is protected by the channel binding alone, and so by the proof that the server has the certificate's key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_in_between_is_found_out() {
    let stage = Stage::set(&["hostssl all all 127.0.0.0/8 scram-sha-256"]).await;
    let shown = stage.authority.issue("the server", &[HOST]);
    stage.present(&shown).await;
    let own = Authority::new("somebody else").issue("the server", &[HOST]);
    let through = |at: std::net::SocketAddr, parameters: &str| {
        let direct = format!("hostaddr={}", stage.address);
        stage.url(HOST, parameters).replace(&direct, &format!("hostaddr=127.0.0.1&port={}", at.port()))
    };
    let eve = intercept(&stage, &own.certificate, &own.key).await;
    assert!(connect(&through(eve, "sslmode=require&channel_binding=disable")).await.unwrap().is_some(), "she is there");
    assert_refused(&through(eve, "sslmode=require&channel_binding=require"), &["SCRAM channel binding check failed"])
        .await;
    let trusting = format!("sslmode=verify-ca&sslrootcert={}", stage.path("ca.crt").display());
    assert_refused(&through(eve, &trusting), &["UnknownIssuer"]).await;
    // With the server's certificate, which is no secret, but not its key. Of either version.
    for (shown, version) in [(shown, 3), (Issued::of_version_1(), 1)] {
        stage.present(&shown).await;
        let eve = intercept(&stage, &shown.certificate, &own.key).await;
        let url = through(eve, "sslmode=require&channel_binding=require");
        let said = connect(&url).await.expect_err("she got through");
        assert!(said.contains("BadSignature"), "version {version}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_shows_its_certificate() {
    let stage = Stage::set(&["hostssl all all 127.0.0.0/8 trust clientcert=verify-full"]).await;
    let directory = stage.postgres.directory();
    let url = stage.trusting_url("sslmode=verify-full");
    let (own, others) = (Role::Server.name(), Role::Reader.name());

    let shown = identity(directory, "client", &stage.authority.issue(own, &[]));
    assert!(connect(&format!("{url}&{shown}")).await.unwrap().is_some());
    assert_refused(&url, &["requires a valid client certificate", "sslcert and sslkey"]).await;
    let somebody = identity(directory, "somebody", &stage.authority.issue(others, &[]));
    assert_refused(&format!("{url}&{somebody}"), &["refused"]).await;
    let stranger = identity(directory, "stranger", &Authority::new("somebody else").issue(own, &[]));
    assert_refused(&format!("{url}&{stranger}"), &["UnknownCA", "hint: ", "ssl_ca_file"]).await;
}
