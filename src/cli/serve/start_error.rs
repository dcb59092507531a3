//! The failure of a server that could not start.

use arauto::ServerError;

use crate::cli::exit::{Failure, sysexits};

/// Returns the failure, with the exit code of its kind.
pub(in crate::cli) fn start_failed(error: ServerError) -> Failure {
    let code = match error {
        ServerError::Store(error) => return error.into(),
        ServerError::Bind(ref error) if error.is_of_the_configuration() => sysexits::CONFIG,
        ServerError::Bind(_) => sysexits::UNAVAILABLE,
        ServerError::System { .. } => sysexits::OSERR,
        ServerError::Folder(_) => sysexits::CANTCREAT,
        _ => sysexits::CONFIG,
    };
    Failure::new(code, error.to_string())
}
