//! Errors of TLS in words that tell a person what to do.

use std::io;

use rustls::{AlertDescription, CertificateError, Error};

use super::describe::{CertificateOwner, about};
use super::pinned::WrongFingerprint;

/// Returns the error of a peer that is not the one that is meant.
pub(super) fn wrong(problem: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

/// Returns the error with what to do about it.
pub(super) fn in_words(error: io::Error) -> io::Error {
    let known = error.get_ref().and_then(|inner| inner.downcast_ref());
    if let Some(Error::AlertReceived(
        AlertDescription::InternalError
        | AlertDescription::UserCanceled
        | AlertDescription::CloseNotify,
    )) = known
    {
        // The handshake may succeed another time.
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
