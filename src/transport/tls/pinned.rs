//! Trust in one certificate, whatever its name, its dates or its issuer.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};

use super::Fingerprint;

/// Accepts the certificate with this fingerprint and no other. The handshake's signature proves
/// that the server has the certificate's key, and is verified as always.
#[derive(Debug)]
pub(super) struct Pinned {
    pub(super) expected: Fingerprint,
    pub(super) provider: Arc<CryptoProvider>,
}

/// The server has shown another certificate.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error(
    "the server's certificate is another one: expected {expected}, seen {seen}; it was renewed, \
     or this is not your server: compare with `arauto tls fingerprint` there"
)]
pub(super) struct WrongFingerprint {
    expected: Fingerprint,
    seen: Fingerprint,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let (expected, seen) = (self.expected, Fingerprint::of(end_entity));
        if seen == expected {
            return Ok(ServerCertVerified::assertion());
        }
        let wrong = OtherError(Arc::new(WrongFingerprint { expected, seen }));
        Err(Error::InvalidCertificate(CertificateError::Other(wrong)))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
