//! What each `sslmode` accepts. Where there is a psql on this machine, libpq has to agree.

use super::{HOST, Stage, assert_refused, connect};
use crate::harness::{Authority, Issued};
use futures_util::future::join_all;
use tokio::process::Command;

const MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// What comes of an attempt to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Plain,
    Encrypted,
    Refused,
}

use Outcome::{Encrypted, Plain, Refused};

async fn outcome(url: &str) -> Outcome {
    match connect(url).await {
        Ok(Some(_)) => Encrypted,
        Ok(None) => Plain,
        Err(_) => Refused,
    }
}

/// What libpq makes of the same URL, if it is there.
async fn libpq(url: &str) -> Option<Outcome> {
    let mut psql = Command::new("psql");
    psql.args(["-XAtc", "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", url]);
    let output = psql.output().await.ok()?;
    Some(match (output.status.success(), output.stdout.as_slice()) {
        (true, b"t\n") => Encrypted,
        (true, b"f\n") => Plain,
        (false, _) => Refused,
        (true, other) => panic!("psql says {other:?}"),
    })
}

/// That each mode has this outcome with the host and root certificate given.
async fn assert_outcomes(stage: &Stage, host: &str, root: &str, expected: [Outcome; 6]) {
    join_all(MODES.into_iter().zip(expected).map(async |(mode, expected)| {
        let url = stage.url(host, &format!("sslmode={mode}&sslrootcert={}", stage.path(root).display()));
        let (ours, theirs) = tokio::join!(outcome(&url), libpq(&url));
        assert_eq!((ours, theirs.unwrap_or(expected)), (expected, expected), "{mode}, {host}, {root}");
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mode_accepts_what_libpq_accepts() {
    let stage = Stage::set(&["host all all 127.0.0.0/8 trust"]).await;
    std::fs::write(stage.path("other.crt"), Authority::new("somebody else").certificate()).unwrap();
    let elsewhere = "db.example";
    assert_outcomes(&stage, HOST, "ca.crt", [Plain, Plain, Encrypted, Encrypted, Encrypted, Encrypted]).await;
    assert_outcomes(&stage, HOST, "other.crt", [Plain, Plain, Plain, Refused, Refused, Refused]).await;
    assert_outcomes(&stage, elsewhere, "ca.crt", [Plain, Plain, Encrypted, Encrypted, Encrypted, Refused]).await;

    stage.allow(&["hostssl all all 127.0.0.0/8 trust"]).await;
    assert_outcomes(&stage, HOST, "ca.crt", [Refused, Encrypted, Encrypted, Encrypted, Encrypted, Encrypted]).await;
    assert_outcomes(&stage, HOST, "other.crt", [Refused; 6]).await;

    stage.allow(&["hostnossl all all 127.0.0.0/8 trust"]).await;
    assert_outcomes(&stage, HOST, "ca.crt", [Plain, Plain, Plain, Refused, Refused, Refused]).await;

    stage.allow(&["host all all 127.0.0.0/8 trust"]).await;
    stage.alter("ssl", "off").await;
    assert_outcomes(&stage, HOST, "ca.crt", [Plain, Plain, Plain, Refused, Refused, Refused]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_refused_is_told_what_to_do() {
    let stage = Stage::set(&["hostssl all all 127.0.0.0/8 trust"]).await;
    let other = stage.path("other.crt");
    std::fs::write(&other, Authority::new("somebody else").certificate()).unwrap();
    let untrusted = stage.url(HOST, &format!("sslrootcert={}&sslmode=", other.display()));

    assert_refused(&stage.url(HOST, "sslmode=disable"), &["no encryption", "hint: ", "sslmode=require"]).await;
    for mode in ["allow", "prefer", "require", "verify-full"] {
        let expected = ["UnknownIssuer", "hint: ", "sslrootcert=system"];
        assert_refused(&format!("{untrusted}{mode}"), &expected).await;
    }
    let elsewhere = stage.trusting_url("sslmode=verify-full").replace(&format!("host={HOST}"), "host=db.example");
    assert_refused(&elsewhere, &["db.example", HOST, "hint: ", "subjectAltName", "sslmode=verify-ca"]).await;

    stage.alter("ssl", "off").await;
    let expected = ["server does not support TLS", "hint: switch `ssl` on", "sslmode=prefer"];
    assert_refused(&stage.trusting_url("sslmode=verify-full"), &expected).await;
}

/// Addresses and IPv4 in certificates, keywords in place of a URL, several hosts, certificates that signed themselves, and no certificate to trust at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_found_and_recognized_in_every_notation() {
    let stage = Stage::set(&["hostssl all all 127.0.0.0/8 trust"]).await;
    let address = stage.address.to_string();
    assert_eq!(outcome(&stage.url(HOST, "sslmode=require")).await, Encrypted);
    assert_eq!(outcome(&stage.url(HOST, "ssl=true")).await, Encrypted);

    let version: String = stage.superuser.query_one("SHOW server_version_num", &[]).await.unwrap().get(0);
    let direct = if version.parse::<u32>().unwrap() >= 170_000 { Encrypted } else { Refused };
    assert_eq!(outcome(&stage.trusting_url("sslmode=verify-full&sslnegotiation=direct")).await, direct);

    let root = stage.path("ca.crt");
    let root = root.display();
    let by_address = format!("postgres://rowcast_test_server@{address}/app?sslmode=verify-full&sslrootcert={root}");
    assert_refused(&by_address, &[&address, "subjectAltName"]).await;
    stage.present(&stage.authority.issue("the server", &[HOST, &address])).await;
    assert_eq!(outcome(&by_address).await, Encrypted);
    let keywords = format!(
        "host = '{HOST}' hostaddr={address} user=rowcast_test_server dbname=app sslmode='verify-full' sslrootcert = '{root}'"
    );
    assert_eq!(outcome(&keywords).await, Encrypted);
    // Nobody is at the first, and the second has another name.
    let several = format!(
        "postgres://rowcast_test_server@127.0.0.1:1,db.example,{HOST}/app?hostaddr=127.0.0.1,{address},{address}&sslmode=verify-full&sslrootcert={root}"
    );
    assert_eq!(outcome(&several).await, Encrypted);
    // A socket needs no TLS and has none, whatever is demanded elsewhere.
    let socket = stage.postgres.socket().display();
    let mixed = format!(
        "postgresql:///app?host=127.0.0.1,{socket}&port=1,5432&user=rowcast_test_server&sslmode=verify-full&sslrootcert={root}"
    );
    assert_eq!(outcome(&mixed).await, Plain);

    stage.present(&Issued::of_version_1()).await;
    assert_eq!(outcome(&stage.url(HOST, "sslmode=require")).await, Encrypted);
    assert_refused(&stage.trusting_url("sslmode=verify-ca"), &["hint: ", "X.509 version 3"]).await;

    let own = Issued::by_itself(HOST);
    stage.present(&own).await;
    assert_refused(&stage.trusting_url("sslmode=verify-ca"), &["hint: "]).await;
    own.write(stage.postgres.directory(), "own");
    let pinned = stage.url(HOST, &format!("sslmode=verify-full&sslrootcert={}", stage.path("own.crt").display()));
    assert_eq!(outcome(&pinned).await, Encrypted);
    assert_refused(&pinned.replace(&format!("host={HOST}"), "host=db.example"), &["subjectAltName"]).await;
}
