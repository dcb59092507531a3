//! Classifies the I/O errors of connections by what they say, never by where they occur.
//!
//! Every read, write and accept of this crate goes through [`failure_of`]. The codes are in
//! a table for each system, and docs/shutdown.md shows both tables.

use std::io;

use super::{system, tls};
use crate::framing::{Failure, MessageTooLong};

/// Classifies an I/O error of a connection or of a listener.
pub fn failure_of(error: &io::Error) -> Failure {
    if let Some(code) = error.raw_os_error() {
        return system::failure_of_code(code);
    }
    let Some(inner) = error.get_ref() else {
        return Failure::of_kind(error.kind());
    };
    if let Some(of_tls) = inner.downcast_ref() {
        return tls::failure_of(of_tls);
    }
    if let Some(below) = inner.downcast_ref() {
        return failure_of(below);
    }
    match MessageTooLong::of(error) {
        Some(_) => Failure::MessageTooLong,
        None => Failure::of_kind(error.kind()),
    }
}

/// Returns whether nothing reaches the peer any more, by what the system `told`. If the system
/// fails to tell, the error decides.
pub(super) fn is_gone(told: io::Result<bool>) -> bool {
    told.unwrap_or_else(|error| failure_of(&error) == Failure::PeerGone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_error_is_classified_by_its_cause() {
        let cause = io::Error::from(io::ErrorKind::BrokenPipe);
        let wrapped = io::Error::other(cause);
        assert_eq!(failure_of(&wrapped), Failure::PeerGone);
        let plain = io::Error::other("no cause");
        assert_eq!(failure_of(&plain), Failure::OwnSide);
    }

    #[test]
    fn tls_error_is_the_peers_unless_made_locally() {
        let of =
            |error: rustls::Error| failure_of(&io::Error::new(io::ErrorKind::InvalidData, error));
        assert_eq!(of(rustls::Error::DecryptError), Failure::PeerGone);
        let alert = rustls::AlertDescription::BadRecordMac;
        assert_eq!(of(rustls::Error::AlertReceived(alert)), Failure::PeerGone);
        assert_eq!(of(rustls::Error::EncryptError), Failure::OwnSide);
        assert_eq!(of(rustls::Error::General(String::new())), Failure::OwnSide);
    }

    #[test]
    fn message_too_long_is_not_a_connection_failure() {
        let error = MessageTooLong { length: 7 }.into();
        assert_eq!(failure_of(&error), Failure::MessageTooLong);
    }

    #[test]
    fn handshake_timeout_is_the_peers_failure() {
        let error = io::Error::from(io::ErrorKind::TimedOut);
        assert_eq!(failure_of(&error), Failure::PeerGone);
    }
}
