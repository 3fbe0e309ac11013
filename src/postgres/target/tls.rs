//! TLS as libpq would have it for the same parameters.
//!
//! Files are read anew for each connection, so that certificates may be renewed while a server runs.

use std::{
    io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
};

use rustls::{
    ClientConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio_postgres::{
    Socket,
    config::{ChannelBinding, SslMode, SslNegotiation},
    tls::{MakeTlsConnect, TlsConnect},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    Error,
    parameters::{Given, Parameters},
    verifier::{Roots, Verifier},
};

/// What a client says first where it does without Postgres' own negotiation.
const PROTOCOL: &[u8] = b"postgresql";

/// How much of TLS is asked for, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mode {
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// Every one of them, by its name.
const MODES: [(&str, Mode); 6] = [
    ("disable", Mode::Disable),
    ("allow", Mode::Allow),
    ("prefer", Mode::Prefer),
    ("require", Mode::Require),
    ("verify-ca", Mode::VerifyCa),
    ("verify-full", Mode::VerifyFull),
];

impl Mode {
    /// What to try, in turn, at each address.
    pub(super) fn ways(self) -> &'static [SslMode] {
        match self {
            Self::Disable => &[SslMode::Disable],
            Self::Allow => &[SslMode::Disable, SslMode::Require],
            Self::Prefer => &[SslMode::Prefer, SslMode::Disable],
            Self::Require | Self::VerifyCa | Self::VerifyFull => &[SslMode::Require],
        }
    }
}

/// A file, and what named it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    setting: &'static str,
    path: PathBuf,
}

/// The certificates to trust.
#[derive(Clone, Debug)]
enum Trust {
    Nothing,
    /// Those of the system, read once: there are many.
    System(Arc<Roots>),
    File(File),
}

/// All that was asked for.
#[derive(Debug)]
pub(super) struct Tls {
    pub(super) mode: Mode,
    pub(super) negotiation: SslNegotiation,
    pub(super) channel_binding: ChannelBinding,
    trust: Trust,
    /// The client's certificate, and its key.
    identity: Option<(File, File)>,
}

impl Tls {
    /// As the parameters say; what they leave out is looked for below `home`.
    pub(super) fn new(parameters: &Parameters, home: Option<&Path>) -> Result<Self, Error> {
        let system = parameters.get("sslrootcert").filter(|given| given.value == "system");
        let mode = match parameters.get("sslmode") {
            Some(given) => choose(given, &MODES).ok_or(Error::Mode(given.name))?,
            None if system.is_some() => Mode::VerifyFull,
            None => Mode::Prefer,
        };
        let negotiation = match parameters.get("sslnegotiation") {
            Some(given) => choose(given, &[("postgres", SslNegotiation::Postgres), ("direct", SslNegotiation::Direct)])
                .ok_or(Error::Negotiation(given.name))?,
            None => SslNegotiation::Postgres,
        };
        let bindings = [
            ("disable", ChannelBinding::Disable),
            ("prefer", ChannelBinding::Prefer),
            ("require", ChannelBinding::Require),
        ];
        let channel_binding = match parameters.get("channel_binding") {
            Some(given) => choose(given, &bindings).ok_or(Error::ChannelBinding(given.name))?,
            None => ChannelBinding::Prefer,
        };
        if negotiation == SslNegotiation::Direct && mode < Mode::Require {
            return Err(Error::WeakDirect);
        }
        if mode == Mode::Disable {
            let (trust, identity) = (Trust::Nothing, None);
            return Ok(Self { mode, negotiation, channel_binding, trust, identity });
        }
        let trust = match (system, file(parameters, home, "sslrootcert", "root.crt")) {
            (Some(_), _) if mode < Mode::VerifyFull => return Err(Error::WeakSystem),
            (Some(_), _) => Trust::System(Arc::new(system_roots()?)),
            (None, Some(file)) => Trust::File(file),
            (None, None) if mode < Mode::VerifyCa => Trust::Nothing,
            (None, None) => return Err(Error::NoRoots),
        };
        let identity = match file(parameters, home, "sslcert", "postgresql.crt") {
            Some(certificate) => {
                Some((certificate, file(parameters, home, "sslkey", "postgresql.key").ok_or(Error::NoKeyGiven)?))
            }
            None => None,
        };
        let tls = Self { mode, negotiation, channel_binding, trust, identity };
        // So that what is wrong with the files is told at once.
        tls.client_config()?;
        Ok(tls)
    }

    /// How to open a connection.
    fn client_config(&self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let roots = match &self.trust {
            Trust::Nothing => None,
            Trust::System(roots) => Some(Roots::clone(roots)),
            Trust::File(file) => Some(Roots::new(file.certificates()?).ok_or_else(|| file.holds("certificate"))?),
        };
        let verifier = Verifier {
            roots,
            names: self.mode == Mode::VerifyFull,
            algorithms: provider.signature_verification_algorithms,
        };
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(Error::Setup)?.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match &self.identity {
            Some((certificate, key)) => builder
                .with_client_auth_cert(certificate.certificates()?, key.private_key()?)
                .map_err(|error| Error::Identity(certificate.path.clone(), key.path.clone(), error))?,
            None => builder.with_no_client_auth(),
        };
        if self.negotiation == SslNegotiation::Direct {
            config.alpn_protocols = vec![PROTOCOL.into()];
        }
        Ok(config)
    }
}

fn choose<T: Copy>(given: &Given, values: &[(&str, T)]) -> Option<T> {
    values.iter().find(|(name, _)| *name == given.value).map(|&(_, value)| value)
}

/// The file that was named, or the one that libpq looks for in `~/.postgresql`, if that is there.
fn file(parameters: &Parameters, home: Option<&Path>, keyword: &'static str, default: &str) -> Option<File> {
    if let Some(Given { name, value }) = parameters.get(keyword).filter(|given| !given.value.is_empty()) {
        return Some(File { setting: name, path: value.into() });
    }
    let path = home?.join(".postgresql").join(default);
    path.exists().then_some(File { setting: keyword, path })
}

fn system_roots() -> Result<Roots, Error> {
    // Those that cannot be read are missed by whoever needs them.
    Roots::new(rustls_native_certs::load_native_certs().certs).ok_or(Error::NoSystemRoots)
}

impl File {
    fn read(&self) -> Result<Vec<u8>, Error> {
        std::fs::read(&self.path).map_err(|error| Error::Unreadable(self.setting, self.path.clone(), error))
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, Error> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.read()?).collect();
        certificates.ok().filter(|found| !found.is_empty()).ok_or_else(|| self.holds("certificate"))
    }

    fn private_key(&self) -> Result<PrivateKeyDer<'static>, Error> {
        PrivateKeyDer::from_pem_slice(&self.read()?).map_err(|_| self.holds("private key"))
    }

    /// Not what it should.
    fn holds(&self, missing: &'static str) -> Error {
        Error::Holds { setting: self.setting, path: self.path.clone(), missing }
    }
}

/// Makes TLS for tokio-postgres; without any, for a connection that is to have none.
#[derive(Clone)]
pub(in crate::postgres) struct Connector(pub(super) Option<Arc<Tls>>);

type Rustls = <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect;

/// Encrypted bytes.
pub(in crate::postgres) type Stream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// What is about to be made on one connection.
pub(in crate::postgres) struct Handshake(Option<Rustls>);

/// Why it was not.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(in crate::postgres) struct Failed(pub(super) io::Error);

impl MakeTlsConnect<Socket> for Connector {
    type Stream = Stream;
    type TlsConnect = Handshake;
    type Error = Error;

    fn make_tls_connect(&mut self, host: &str) -> Result<Handshake, Error> {
        let Some(tls) = &self.0 else { return Ok(Handshake(None)) };
        let mut rustls = MakeRustlsConnect::new(tls.client_config()?);
        let Ok(rustls) = MakeTlsConnect::<Socket>::make_tls_connect(&mut rustls, host);
        Ok(Handshake(Some(rustls)))
    }
}

impl TlsConnect<Socket> for Handshake {
    type Stream = Stream;
    type Error = Failed;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, Failed>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move {
            match self.0 {
                Some(rustls) => rustls.connect(socket).await.map_err(Failed),
                None => Err(Failed(io::Error::other("this connection is to have no TLS"))),
            }
        })
    }
}

#[cfg(test)]
mod tests;
