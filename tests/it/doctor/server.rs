//! A running server, from outside.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{Examination, attached, examine_at, run, run_with};
use crate::harness::{Database, Role, Server, tls::Identity};

async fn examine(db: &Database, server: &str) -> Examination {
    examine_at(&db.url_as(Role::Superuser), &["--server", server]).await
}

#[tokio::test]
async fn all_is_well_and_the_server_is_gone() {
    let db = Database::new().await;
    attached(&db).await;
    let superuser = db.connect_as(Role::Superuser).await;
    superuser.batch_execute("INSERT INTO rowcast.memberships VALUES ('ann', 'o1', 'admin')").await.unwrap();
    let mut server = Server::start(&db).await;
    let examination = examine(&db, &server.url()).await;
    let wrong: Vec<_> = examination.findings.iter().filter(|finding| finding["level"] != "ok").collect();
    assert!(wrong.is_empty() && examination.code == Some(0), "{wrong:?}");
    for code in rowcast::cli::doctor_codes() {
        assert_eq!(examination.level(code), "ok");
    }
    let told = run(&db.url_as(Role::Superuser), &["--server", &server.url()]).await;
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("ok      server_ready") && told.ends_with("all is well\n"), "{told}");

    server.terminate().await;
    let examination = examine(&db, &server.url()).await;
    assert_eq!((examination.level("server_live"), examination.code), ("problem", Some(2)));
    assert!(examination.one("server_live").1.contains("cannot connect"));
    server.restart().await;
    assert_eq!(examine(&db, &server.url()).await.level("server_live"), "ok");
    server.stop().await;
}

#[tokio::test]
async fn figures_that_are_elsewhere_are_not_judged() {
    let db = Database::new().await;
    let server = Server::start_with(&db, &[("ROWCAST_METRICS_ADDR", "off")]).await;
    let examination = examine(&db, &server.url()).await;
    assert_eq!(examination.one("server_tailer"), ("unknown", "GET /metrics answers 404: its figures are elsewhere"));
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_speaks_tls_has_to_show_a_certificate_that_is_believed() {
    let db = Database::new().await;
    let identity = Identity::new();
    let server = Server::start_with(&db, &identity.settings()).await;
    let (url, server_url) = (db.url_as(Role::Superuser), server.url());
    let arguments = ["--json", "--server", &server_url];
    let known = [("SSL_CERT_FILE", identity.certificate.as_str())];
    let examination = Examination::read(&run_with(&url, &arguments, &known).await);
    assert_eq!((examination.level("server_live"), examination.level("server_tailer")), ("ok", "ok"));

    let stranger = Identity::new();
    let other = [("SSL_CERT_FILE", stranger.certificate.as_str())];
    let examination = Examination::read(&run_with(&url, &arguments, &other).await);
    let (level, said) = examination.one("server_live");
    assert!(level == "problem" && said.contains("no TLS with 127.0.0.1"), "{said}");
    server.stop().await;
}

/// Answers each path like a server that is in trouble.
async fn troubled(listener: TcpListener) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).await.unwrap();
        let request = String::from_utf8_lossy(&request[..length]).into_owned();
        let (status, body) = match request.split(' ').nth(1) {
            Some("/livez") => ("200 OK", String::new()),
            Some("/metrics") => {
                let figures = "rowcast_listener_age_seconds 3600.5\nrowcast_tailer_age_seconds 77\n\
                               rowcast_delivery_lag_seconds_sum 500\nrowcast_delivery_lag_seconds_count 100\n\
                               rowcast_build_info{version=\"0.0.1\"} 1\n# EOF\n";
                ("200 OK", figures.to_owned())
            }
            _ => ("503 Service Unavailable", "{}".to_owned()),
        };
        let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_in_trouble() {
    let db = Database::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answering = tokio::spawn(troubled(listener));
    let examination = examine(&db, &url).await;
    answering.abort();
    assert_eq!(examination.one("server_ready"), ("problem", "GET /readyz answers 503"));
    for (code, said) in [
        ("server_version", "the server runs rowcast 0.0.1"),
        ("server_listener", "not even itself, for 3600.5 s"),
        ("server_tailer", "has not read the outbox for 77.0 s"),
        ("server_lag", "took on average 5.0 s"),
    ] {
        let (level, what) = examination.one(code);
        assert!(level == "warning" && what.contains(said), "{code}: {what}");
    }
}
