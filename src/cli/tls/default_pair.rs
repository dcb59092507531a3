//! The server's own certificate, and what to say where a certificate cannot be used.

use super::pair::Pair;
use crate::cli::exit::{Failure, sysexits};
use crate::cli::os;

/// Returns the files of the certificate and the key in the default data folder.
pub(super) fn default_pair() -> Pair {
    Pair::of_data(&os::default_data_folder())
}

/// Returns the failure of a certificate or a key that cannot be used.
pub(super) fn unusable(error: &arauto::TlsError) -> Failure {
    Failure::new(sysexits::CONFIG, error.to_string())
}
