//! Certificates from PEM files.

use std::fs;
use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::TlsError;
use super::pem::{Wanted, problem_of};

/// Reads the certificates of a PEM file; it has at least one.
///
/// # Errors
/// The file cannot be read, or has no certificate; `what` names it in the error.
pub(super) fn certificates(
    what: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = fs::read(path).map_err(|error| TlsError::unread(what, path, &error))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let problem = match found {
        Ok(found) if !found.is_empty() => return Ok(found),
        Ok(_) => problem_of(&pem, Wanted::Certificate, None),
        Err(error) => problem_of(&pem, Wanted::Certificate, Some(&error.to_string())),
    };
    Err(TlsError::file(what, path, problem))
}
