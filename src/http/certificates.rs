//! The certificate that we show, from files that may change while we run: certbot and its like replace them every few weeks.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// How often to look whether the files have changed.
const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// What we speak, the preferred one first.
const PROTOCOLS: [&[u8]; 2] = [super::tls::HTTP_2, b"http/1.1"];

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The certificate's file.
    #[error("{0} cannot be read, which --tls-cert or ROWCAST_TLS_CERT names as the certificate")]
    CertificateFile(PathBuf, #[source] io::Error),
    /// The key's file.
    #[error("{0} cannot be read, which --tls-key or ROWCAST_TLS_KEY names as the certificate's key")]
    KeyFile(PathBuf, #[source] io::Error),
    /// No certificate is in it.
    #[error(
        "{0} holds no certificate in PEM format; --tls-cert or ROWCAST_TLS_CERT names a chain, the server's own certificate first"
    )]
    NoCertificate(PathBuf),
    /// No key is in it.
    #[error(
        "{0} holds no private key in PEM format, or an encrypted one; --tls-key or ROWCAST_TLS_KEY names one without a passphrase"
    )]
    NoKey(PathBuf),
    /// They are of no use together. What the library says of it tells nothing of the key.
    #[error(
        "the certificate in {certificate} and the key in {key} cannot be used together: {why}; see ROWCAST_TLS_CERT and ROWCAST_TLS_KEY"
    )]
    Unfit {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong with them.
        why: rustls::Error,
    },
}

/// A certificate and its key, as last read.
pub struct Certificates {
    certificate: PathBuf,
    key: PathBuf,
    /// The whole of it is replaced, so that nobody resumes a session of an old certificate.
    current: ArcSwap<ServerConfig>,
    /// What was in the files at first.
    first: Fingerprint,
}

impl Certificates {
    /// Reads both files (PEM).
    ///
    /// # Errors
    /// When one of them cannot be read, or they do not belong together.
    pub fn load(certificate: PathBuf, key: PathBuf) -> Result<Self, Error> {
        let files = Files::read(&certificate, &key);
        let first = Fingerprint::of(&files);
        let current = ArcSwap::from_pointee(configure(&files?, &certificate, &key)?);
        Ok(Self { certificate, key, current, first })
    }

    /// What new connections are to be served with.
    pub(super) fn current(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }

    /// Reads the files again when they change, until `shutdown`: within seconds, or at once at SIGHUP. What cannot be used is logged, and what was there
    /// goes on.
    pub async fn watch(self: Arc<Self>, shutdown: CancellationToken) {
        let mut hangups = signal(SignalKind::hangup())
            .inspect_err(|error| error!(%error, "SIGHUP cannot be heard; certificates are looked at every few seconds all the same"))
            .ok();
        let mut seen = Some(self.first);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                () = hangup(hangups.as_mut()) => seen = None,
            }
            let certificates = Arc::clone(&self);
            let looked = tokio::task::spawn_blocking(move || certificates.look(seen)).await;
            // It may fail only because the runtime ends.
            let Ok(found) = looked else { return };
            seen = Some(found);
        }
    }

    /// Takes what is in the files, unless it is what was seen last. Returns what it saw.
    fn look(&self, seen: Option<Fingerprint>) -> Fingerprint {
        let files = Files::read(&self.certificate, &self.key);
        let found = Fingerprint::of(&files);
        if seen == Some(found) {
            return found;
        }
        match files.and_then(|files| configure(&files, &self.certificate, &self.key)) {
            Ok(config) => {
                self.current.store(Arc::new(config));
                info!(certificate = %self.certificate.display(), "new connections are served with the certificate as it is now");
            }
            Err(error) => {
                error!(
                    error = &error as &dyn std::error::Error,
                    "the certificate has changed and cannot be used: the one before it is kept"
                );
            }
        }
        found
    }
}

/// Never, where there is nothing to hear it with.
async fn hangup(hangups: Option<&mut Signal>) {
    let heard = match hangups {
        Some(hangups) => hangups.recv().await,
        None => None,
    };
    if heard.is_none() {
        std::future::pending::<()>().await;
    }
}

/// What is in the files.
#[derive(Hash)]
struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Files {
    fn read(certificate: &Path, key: &Path) -> Result<Self, Error> {
        Ok(Self {
            certificate: fs::read(certificate)
                .map_err(|error| Error::CertificateFile(certificate.to_owned(), error))?,
            key: fs::read(key).map_err(|error| Error::KeyFile(key.to_owned(), error))?,
        })
    }
}

/// Tells contents apart, and the reasons why there are none. Times of change would say little: the files are often links that are turned elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Fingerprint(u64);

impl Fingerprint {
    fn of(files: &Result<Files, Error>) -> Self {
        let mut hasher = DefaultHasher::new();
        files.as_ref().map_err(ToString::to_string).hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// The provider is named: the process may have another one as its default, or none.
fn configure(files: &Files, certificate: &Path, key: &Path) -> Result<ServerConfig, Error> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&files.certificate).filter_map(Result::ok).collect();
    if chain.is_empty() {
        return Err(Error::NoCertificate(certificate.to_owned()));
    }
    // The parser's own error would quote the file.
    let private = PrivateKeyDer::from_pem_slice(&files.key).map_err(|_| Error::NoKey(key.to_owned()))?;
    let unfit = |why| Error::Unfit { certificate: certificate.to_owned(), key: key.to_owned(), why };
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unfit)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(unfit)?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, generate_simple_self_signed};

    use super::*;

    fn pair() -> (String, String) {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (cert.pem(), signing_key.serialize_pem())
    }

    fn loaded(certificate: &str, key: &str) -> Result<ServerConfig, String> {
        let files = Files { certificate: certificate.into(), key: key.into() };
        configure(&files, Path::new("cert.pem"), Path::new("key.pem")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_pair_that_fits_is_taken() {
        let (certificate, key) = pair();
        let config = loaded(&certificate, &key).unwrap();
        assert_eq!(config.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
    }

    #[test]
    fn what_is_wrong_is_said_with_file_and_setting_and_without_the_key() {
        let ((certificate, key), (_, other)) = (pair(), pair());
        let torn = key.replace("-----END", "-----EN");
        for (certificate, key, expected) in [
            (&*certificate, &*other, ["cert.pem", "key.pem", "ROWCAST_TLS_KEY"]),
            (&certificate, &torn, ["key.pem", "no private key", "ROWCAST_TLS_KEY"]),
            (&certificate, "", ["key.pem", "no private key", "ROWCAST_TLS_KEY"]),
            (&certificate, &certificate, ["key.pem", "no private key", "ROWCAST_TLS_KEY"]),
            ("", &key, ["cert.pem", "no certificate", "ROWCAST_TLS_CERT"]),
            (&key, &key, ["cert.pem", "no certificate", "ROWCAST_TLS_CERT"]),
        ] {
            let error = loaded(certificate, key).unwrap_err();
            assert!(expected.iter().all(|part| error.contains(part)), "{error}");
            assert!(key.lines().filter(|line| line.len() > 8).all(|line| !error.contains(line)), "{error}");
        }
    }
}
