//! How much of a server's certificate is checked.

use rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{
        WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature, verify_tls13_signature_with_raw_key,
    },
    pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
    server::ParsedCertificate,
};
use x509_cert::{
    Certificate,
    der::{Decode, Encode},
};

/// The certificates that a server's has to come from.
#[derive(Clone, Debug)]
pub(super) struct Roots {
    store: RootCertStore,
    /// As they were given: a server's own certificate may be among them.
    certificates: Vec<CertificateDer<'static>>,
}

impl Roots {
    /// From those among these that can be read; none if that is none.
    pub(super) fn new(certificates: Vec<CertificateDer<'static>>) -> Option<Self> {
        let mut store = RootCertStore::empty();
        let (usable, _) = store.add_parsable_certificates(certificates.iter().cloned());
        (usable > 0).then_some(Self { store, certificates })
    }
}

/// Checks the certificate of a server against `roots` (none: not at all), and whether it is for the host that was asked for.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) roots: Option<Roots>,
    pub(super) names: bool,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(Roots { store, certificates }) = &self.roots else { return Ok(ServerCertVerified::assertion()) };
        let parsed = ParsedCertificate::try_from(certificate)?;
        // One that signed itself says that it is a CA, mostly, and those are refused as servers. Given by name, it is trusted.
        if !certificates.contains(certificate) {
            let algorithms = self.algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&parsed, store, intermediates, now, algorithms)?;
        }
        if self.names {
            verify_server_name(&parsed, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    /// Whoever the server is, it has the key of its certificate: channel binding rests on that.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms).or_else(|error| {
            // Without extensions `openssl x509 -req` makes certificates of version 1. They say too little to be verified, but have a key like any other.
            match public_key(certificate) {
                Some(key) if self.roots.is_none() => {
                    verify_tls13_signature_with_raw_key(message, &key, signature, &self.algorithms)
                }
                _ => Err(error),
            }
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn public_key(certificate: &CertificateDer<'_>) -> Option<SubjectPublicKeyInfoDer<'static>> {
    let certificate = Certificate::from_der(certificate).ok()?;
    certificate.tbs_certificate.subject_public_key_info.to_der().ok().map(Into::into)
}

/// What to do about a certificate that was refused.
pub(super) fn advice(error: &CertificateError) -> Option<&'static str> {
    Some(match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the server's certificate does not come from a CA in sslrootcert: give the file of the right one, \
             which hosted databases offer for download, or sslrootcert=system if a public CA signed it"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "connect by a host name that the certificate is for (its subjectAltName), or with sslmode=verify-ca \
             if everything this CA has signed may be trusted"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "renew the server's certificate, or set the clock of this machine right"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "set the clock of this machine right"
        }
        CertificateError::Other(_) | CertificateError::BadEncoding => {
            "the server's certificate has to be one of X.509 version 3 with a subjectAltName, and not that of a CA, \
             unless sslrootcert holds the very same one"
        }
        _ => return None,
    })
}
