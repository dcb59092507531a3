//! The client's way in, and what went wrong there in words.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, Error};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::pinned::WrongFingerprint;
use super::{Tls, TlsTrust};
use crate::transport::tcp::Tcp;

/// What the handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connects, and finds out whether it is the server that is meant.
///
/// # Errors
/// Nobody listens there; or, with a kind of `InvalidData`, it is somebody else, or does not
/// speak TLS.
pub(in crate::transport) async fn connect(
    host: &str,
    port: u16,
    trust: &TlsTrust,
) -> io::Result<Tls> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| wrong(format!("{host:?} is no name that a certificate could have")))?;
    let config = Arc::new(trust.client_config()?);
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    let shaken = TlsConnector::from(config).connect(name, Tcp::new(stream));
    match tokio::time::timeout(PATIENCE, shaken).await {
        Ok(Ok(stream)) => Ok(Tls::opened(stream.into())),
        Ok(Err(error)) => Err(in_words(error)),
        Err(_) => {
            let problem = format!("it has not shaken hands in {PATIENCE:?}: is it tls?");
            Err(io::Error::new(io::ErrorKind::TimedOut, problem))
        }
    }
}

fn wrong(problem: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

/// The same error, with a way out.
pub(super) fn in_words(error: io::Error) -> io::Error {
    let known = error.get_ref().and_then(|inner| inner.downcast_ref());
    match known.and_then(words) {
        Some(words) => wrong(words),
        None => error,
    }
}

fn words(error: &Error) -> Option<String> {
    Some(match error {
        Error::InvalidCertificate(problem) => about_certificate(problem),
        Error::InvalidMessage(_) => "it does not speak tls: is it a tcp: endpoint?".to_owned(),
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the server wants a client certificate: give --tls-cert and --tls-key".to_owned()
        }
        Error::AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::DecryptError,
        ) => "the server does not take this client's certificate: its --tls-client-ca must \
              vouch for --tls-cert"
            .to_owned(),
        _ => return None,
    })
}

fn about_certificate(problem: &CertificateError) -> String {
    match problem {
        CertificateError::Other(other) => match other.0.downcast_ref::<WrongFingerprint>() {
            Some(wrong) => wrong.to_string(),
            None => format!("the server's certificate: {problem}"),
        },
        // A root that only has the issuer's name is found by its key to be another.
        CertificateError::UnknownIssuer
        | CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "the server's certificate is by nobody who is trusted here: pin it with \
             --tls-fingerprint, or name who vouches for it with --tls-ca"
                .to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!(
                "the server's certificate is for another name ({problem}): connect by a name \
                 that it has, or pin it with --tls-fingerprint"
            )
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => format!(
            "the server's certificate has expired ({problem}): renew it there, or pin it with \
             --tls-fingerprint"
        ),
        _ => format!("the server's certificate: {problem}"),
    }
}
