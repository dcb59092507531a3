//! A certificate's fingerprint: the SHA-256 of its DER.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::TlsError;
use super::pem_file::certificates;

const PREFIX: &str = "SHA256:";

/// A certificate's fingerprint, the SHA-256 of its DER, as in `SHA256:9f86d0…`.
///
/// Hexadecimal digits of either case are read, with colons between them or without, and
/// with the prefix or without.
///
/// ```
/// let text = "SHA256:".to_owned() + &"9f".repeat(32);
/// let fingerprint: arauto::Fingerprint = text.parse()?;
/// assert_eq!(fingerprint.to_string(), text);
/// assert_eq!(vec!["9F"; 32].join(":").parse(), Ok(fingerprint));
/// # Ok::<_, arauto::FingerprintError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

/// The error of a text that is not a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no fingerprint: it has 64 hexadecimal digits, as `arauto tls fingerprint` prints them"
)]
pub struct FingerprintError(String);

impl Fingerprint {
    pub(super) fn of(certificate: &[u8]) -> Fingerprint {
        Fingerprint(Sha256::digest(certificate).into())
    }

    /// Returns the fingerprint of the first certificate in a PEM file.
    ///
    /// # Errors
    /// The file cannot be read, or has no certificate.
    pub fn of_file(path: &Path) -> Result<Fingerprint, TlsError> {
        let chain = certificates("the certificate", path)?;
        Ok(Fingerprint::of(&chain[0]))
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| FingerprintError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Fingerprint> {
    let digits = match text.split_at_checked(PREFIX.len()) {
        Some((prefix, digits)) if prefix.eq_ignore_ascii_case(PREFIX) => digits,
        _ => text,
    };
    let digits: Vec<u8> = digits
        .chars()
        .filter(|digit| *digit != ':')
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    let bytes = bytes.try_into().ok().filter(|_| rest.is_empty())?;
    Some(Fingerprint(bytes))
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_fingerprint_is_named() {
        let digits = "0a".repeat(32);
        for text in [
            "",
            "SHA256:",
            "zz",
            &digits[1..],
            &format!("{digits}0"),
            &format!("{digits}0b"),
            "SHA512:00",
        ] {
            let error = text.parse::<Fingerprint>().expect_err(text).to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
        assert!(digits.parse::<Fingerprint>().is_ok());
    }
}
