//! A certificate with its chain and its key, from PEM files.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::{self, PemObject};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, RootCertStore};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::{FromDer, X509Version};
use x509_parser::time::ASN1Time;

use super::describe::{CertificateOwner, OLD_VERSION, about};
use super::pem::{Wanted, problem_of};
use super::pem_file::certificates;
use super::{Fingerprint, TlsError};
use crate::transport::system;

const CERTIFICATE: &str = "the certificate";
const KEY: &str = "the key";

/// A certificate chain and its private key.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) fingerprint: Fingerprint,
    /// The time from which and until which the certificate is valid.
    pub(super) valid: (SystemTime, SystemTime),
    /// The reasons why clients may refuse the certificate, each a clause.
    pub(super) doubts: Vec<String>,
}

impl Identity {
    pub(super) fn load(certificate: &Path, key: &Path) -> Result<Identity, TlsError> {
        let chain = certificates(CERTIFICATE, certificate)?;
        let fingerprint = Fingerprint::of(&chain[0]);
        let Validity { valid, doubts } = validity(certificate, &chain[0])?;
        let signing = any_supported_type(&private_key(key)?).map_err(|error| {
            let problem = format!(
                "TLS cannot use it ({error}): take an RSA key of 2048 to 8192 bits, an ECDSA key \
                 on P-256 or P-384, or an Ed25519 key"
            );
            TlsError::file(KEY, key, problem)
        })?;
        let pair = CertifiedKey::new(chain, signing);
        match pair.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(rustls::Error::InconsistentKeys(_)) => {
                return Err(TlsError::Mismatch {
                    certificate: certificate.to_owned(),
                    key: key.to_owned(),
                });
            }
            Err(error) => return Err(TlsError::file(CERTIFICATE, certificate, unusable(&error))),
        }
        Ok(Identity {
            key: Arc::new(pair),
            fingerprint,
            valid,
            doubts,
        })
    }
}

/// Describes TLS's error about a certificate from a file.
fn unusable(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(problem) => about(problem, CertificateOwner::Own),
        other => other.to_string(),
    }
}

/// Reads the certificates of a PEM file as trusted authorities.
pub(super) fn authorities(what: &'static str, path: &Path) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    for (number, certificate) in (1..).zip(certificates(what, path)?) {
        roots.add(certificate).map_err(|error| {
            let problem = format!(
                "of the certificates in it number {number}: {}",
                unusable(&error)
            );
            TlsError::file(what, path, problem)
        })?;
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
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| {
        let problem = match error {
            pem::Error::NoItemsFound => problem_of(&pem, Wanted::Key, None),
            other => problem_of(&pem, Wanted::Key, Some(&other.to_string())),
        };
        TlsError::file(KEY, path, problem)
    })
}

/// When a certificate is valid, and why clients may refuse it.
struct Validity {
    valid: (SystemTime, SystemTime),
    doubts: Vec<String>,
}

/// Returns when a certificate that can be used is valid, and the reasons why clients may refuse it.
///
/// # Errors
/// The certificate cannot be used.
fn validity(path: &Path, certificate: &[u8]) -> Result<Validity, TlsError> {
    let wrong = |problem: String| TlsError::file(CERTIFICATE, path, problem);
    let (_, parsed) = X509Certificate::from_der(certificate)
        .map_err(|error| wrong(format!("it is damaged ({error}): get the file again")))?;
    if parsed.version() != X509Version::V3 {
        return Err(wrong(format!("it {OLD_VERSION}")));
    }
    let (from, to) = (parsed.validity().not_before, parsed.validity().not_after);
    let now = ASN1Time::now();
    let mut doubts = Vec::new();
    if now < from {
        doubts.push(format!("it holds from {from} on"));
    } else if now > to {
        doubts.push(format!("it has expired on {to}"));
    }
    if parsed.is_ca() {
        doubts.push("it is an authority's own (CA:TRUE)".to_owned());
    }
    Ok(Validity {
        valid: (system_time(from), system_time(to)),
        doubts,
    })
}

/// Returns the time of a certificate; one before 1970 becomes 1970.
fn system_time(time: ASN1Time) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(time.timestamp()).unwrap_or(0))
}

/// Returns the common name of a certificate's subject, if it has exactly one.
pub(super) fn common_name(certificate: &[u8]) -> Option<String> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let mut names = parsed.subject().iter_common_name();
    let name = names.next()?.as_str().ok()?;
    names.next().is_none().then(|| name.to_owned())
}
