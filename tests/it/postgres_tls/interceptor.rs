//! Somebody in between, who poses as the server to the client and as the client to the server.

use std::{net::SocketAddr, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    sign::{CertifiedKey, SingleCertAndKey},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::{HOST, SSL_REQUEST, Stage};

/// How a server agrees to TLS.
const AGREED: u8 = b'S';

/// Begins to intercept, with this certificate and this key, whether they belong together or not. Where it listens.
pub(super) async fn intercept(stage: &Stage, certificate: &str, key: &str) -> SocketAddr {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let shown = CertifiedKey::new(vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()], key);
    let server =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let server = server.with_no_client_auth().with_cert_resolver(Arc::new(SingleCertAndKey::from(shown)));
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(stage.authority.certificate().as_bytes()).unwrap()).unwrap();
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let client = client.with_root_certificates(roots).with_no_client_auth();
    let (acceptor, connector) = (TlsAcceptor::from(Arc::new(server)), TlsConnector::from(Arc::new(client)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, postgres) = (listener.local_addr().unwrap(), SocketAddr::from((stage.address, 5432)));
    tokio::spawn(async move {
        while let Ok((victim, _)) = listener.accept().await {
            let (acceptor, connector) = (acceptor.clone(), connector.clone());
            // The victim tells how it went.
            tokio::spawn(async move { pass_on(victim, &acceptor, postgres, &connector).await.ok() });
        }
    });
    address
}

async fn pass_on(
    mut victim: TcpStream,
    acceptor: &TlsAcceptor,
    postgres: SocketAddr,
    connector: &TlsConnector,
) -> std::io::Result<()> {
    victim.read_exact(&mut SSL_REQUEST.clone()).await?;
    victim.write_all(&[AGREED]).await?;
    let mut victim = acceptor.accept(victim).await?;
    let mut postgres = TcpStream::connect(postgres).await?;
    postgres.write_all(&SSL_REQUEST).await?;
    assert_eq!(postgres.read_u8().await?, AGREED);
    let mut postgres = connector.connect(ServerName::try_from(HOST).unwrap(), postgres).await?;
    copy_bidirectional(&mut victim, &mut postgres).await.map(|_| ())
}
