//! A certificate with its chain and its key, from PEM files.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, RootCertStore};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use super::{Fingerprint, TlsError};
use crate::transport::system;

const CERTIFICATE: &str = "the certificate";
const KEY: &str = "the key";

/// Who somebody is, and can prove to be.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) fingerprint: Fingerprint,
    /// Why others may not take it today.
    pub(super) out_of_date: Option<String>,
}

impl Identity {
    pub(super) fn load(certificate: &Path, key: &Path) -> Result<Identity, TlsError> {
        let chain = certificates(CERTIFICATE, certificate)?;
        let fingerprint = Fingerprint::of(&chain[0]);
        let out_of_date = out_of_date(certificate, &chain[0])?;
        let signing = any_supported_type(&private_key(key)?)
            .map_err(|error| TlsError::file(KEY, key, error))?;
        let pair = CertifiedKey::new(chain, signing);
        match pair.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(_) => {
                return Err(TlsError::Mismatch {
                    certificate: certificate.to_owned(),
                    key: key.to_owned(),
                });
            }
        }
        Ok(Identity {
            key: Arc::new(pair),
            fingerprint,
            out_of_date,
        })
    }
}

/// A PEM file's certificates: one at least.
pub(super) fn certificates(
    what: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = fs::read(path).map_err(|error| TlsError::unread(what, path, &error))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let found = found.map_err(|error| TlsError::file(what, path, error))?;
    if found.is_empty() {
        return Err(TlsError::file(what, path, "there is no certificate in it"));
    }
    Ok(found)
}

/// A PEM file's certificates, as those who vouch for others.
pub(super) fn authorities(what: &'static str, path: &Path) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(what, path)? {
        roots
            .add(certificate)
            .map_err(|error| TlsError::file(what, path, error))?;
    }
    Ok(Arc::new(roots))
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let unread = |error| TlsError::unread(KEY, path, &error);
    let mut file = File::open(path).map_err(unread)?;
    if system::is_readable_by_others(&file).map_err(unread)? {
        return Err(TlsError::Exposed(path.to_owned()));
    }
    let mut pem = Vec::new();
    file.read_to_end(&mut pem).map_err(unread)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::file(KEY, path, "there is no private key in it"),
        other => TlsError::file(KEY, path, other),
    })
}

fn out_of_date(path: &Path, certificate: &[u8]) -> Result<Option<String>, TlsError> {
    let (_, parsed) = X509Certificate::from_der(certificate)
        .map_err(|error| TlsError::file(CERTIFICATE, path, error))?;
    let (from, to) = (parsed.validity().not_before, parsed.validity().not_after);
    let now = ASN1Time::now();
    Ok(if now < from {
        Some(format!("it holds from {from} on"))
    } else if now > to {
        Some(format!("it has expired on {to}"))
    } else {
        None
    })
}

/// The common name of a certificate's subject, where it has exactly one.
pub(super) fn common_name(certificate: &[u8]) -> Option<String> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let mut names = parsed.subject().iter_common_name();
    let name = names.next()?.as_str().ok()?;
    names.next().is_none().then(|| name.to_owned())
}
