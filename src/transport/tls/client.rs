//! The client's way in, and what went wrong there in words.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, Error};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::describe::{CertificateOwner, about};
use super::pinned::WrongFingerprint;
use super::{Tls, TlsTrust};
use crate::transport::PeerTimeouts;
use crate::transport::connect_fault::look_up;
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
    let name = ServerName::try_from(host.to_owned()).map_err(|error| {
        wrong(format!(
            "{host:?} is no name that a certificate could have: {error}"
        ))
    })?;
    let config = Arc::new(trust.client_config()?);
    let stream = TcpStream::connect(&look_up(host, port).await?[..]).await?;
    let stream = Tcp::new(stream, &PeerTimeouts::default());
    let shaken = TlsConnector::from(config).connect(name, stream);
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
    if let Some(Error::AlertReceived(
        AlertDescription::InternalError
        | AlertDescription::UserCanceled
        | AlertDescription::CloseNotify,
    )) = known
    {
        // It may go well another time.
        return io::Error::new(io::ErrorKind::ConnectionAborted, error);
    }
    match known.and_then(words) {
        Some(words) => wrong(words),
        None => error,
    }
}

/// Describes, in words, a TLS error between a server and its client.
pub(super) fn about_client(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(Error::InvalidCertificate(problem)) => about(problem, CertificateOwner::Client),
        _ => error.to_string(),
    }
}

fn words(error: &Error) -> Option<String> {
    Some(match error {
        Error::InvalidCertificate(problem) => about_certificate(problem),
        Error::InvalidMessage(_) => "it does not speak tls: is it a tcp: endpoint?".to_owned(),
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the server wants a client certificate: give --tls-cert and --tls-key".to_owned()
        }
        Error::AlertReceived(AlertDescription::CertificateExpired) => {
            "the server says that this client's certificate has expired, or is not valid yet: \
             renew --tls-cert, and look at the server's clock"
                .to_owned()
        }
        Error::AlertReceived(
            alert @ (AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateRevoked
            | AlertDescription::DecryptError),
        ) => format!(
            "the server does not take this client's certificate ({alert:?}): its \
             --tls-client-ca must vouch for --tls-cert, which must be no authority's own"
        ),
        _ => return None,
    })
}

fn about_certificate(problem: &CertificateError) -> String {
    if let CertificateError::Other(other) = problem
        && let Some(wrong) = other.0.downcast_ref::<WrongFingerprint>()
    {
        return wrong.to_string();
    }
    about(problem, CertificateOwner::Server)
}
