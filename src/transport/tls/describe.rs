//! Describes, in words, what TLS finds wrong with a certificate, and what to do about it.

use rustls::CertificateError;

/// The side whose certificate has the problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CertificateOwner {
    /// The server's, as a client sees it.
    Server,
    /// The client's, as a server sees it.
    Client,
    /// The one in this process's own file.
    Own,
}

impl CertificateOwner {
    fn name(self) -> &'static str {
        match self {
            CertificateOwner::Server => "the server's certificate",
            CertificateOwner::Client => "the client's certificate",
            CertificateOwner::Own => "it",
        }
    }

    /// Returns how a client can connect without another certificate.
    fn or_pin(self) -> &'static str {
        match self {
            CertificateOwner::Server => ", or pin it with --tls-fingerprint",
            CertificateOwner::Client | CertificateOwner::Own => "",
        }
    }
}

/// Describes what is wrong, on what, and what to do. The error of a pinned certificate is
/// not described here.
pub(super) fn about(problem: &CertificateError, whose: CertificateOwner) -> String {
    let (it, or_pin) = (whose.name(), whose.or_pin());
    match problem {
        // A root that only has the issuer's name is found by its key to be another.
        CertificateError::UnknownIssuer
        | CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            match whose {
                CertificateOwner::Server => format!(
                    "{it} was issued by an authority that is not trusted here: pin it with \
                     --tls-fingerprint, or name its authority with --tls-ca"
                ),
                CertificateOwner::Client | CertificateOwner::Own => format!(
                    "{it} was issued by an authority that is not trusted here: --tls-client-ca must \
                     vouch for it"
                ),
            }
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("{it} is for another name ({problem}): connect by a name that it has{or_pin}")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("{it} has expired ({problem}): renew it there{or_pin}")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("{it} is not valid yet ({problem}): set the clocks of both machines{or_pin}")
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            format!("{it} is for another purpose ({problem}): make one for this end of TLS{or_pin}")
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. } => format!(
            "{it} is signed by an algorithm that is not supported here ({problem}): have it \
             signed with ECDSA or RSA and SHA-256{or_pin}"
        ),
        CertificateError::BadEncoding => {
            format!("{it} is damaged: get it again, or make another with `arauto tls init`")
        }
        // webpki's errors that rustls has no name for.
        CertificateError::Other(other) => match other.0.to_string().as_str() {
            "CaUsedAsEndEntity" => format!(
                "{it} is an authority's own (CA:TRUE), which signs others and cannot identify a \
                 server or a client: make one for the machine, as `arauto tls init` does{or_pin}"
            ),
            "UnsupportedCertVersion" => format!("{it} {OLD_VERSION}"),
            name => format!("{it} cannot be used ({name}): make another, with `arauto tls init`"),
        },
        _ => format!("{it} cannot be used: {problem}"),
    }
}

/// The description of a certificate whose X.509 version is not 3, and the remedy.
pub(super) const OLD_VERSION: &str = "is of another X.509 version than 3, which alone can be used: \
                                      make another, with `arauto tls init` or with extensions";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::OtherError;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Named(&'static str);

    #[test]
    fn error_shows_no_type_name() {
        let other = |name| CertificateError::Other(OtherError(Arc::new(Named(name))));
        for (problem, says) in [
            (other("CaUsedAsEndEntity"), "CA:TRUE"),
            (other("UnsupportedCertVersion"), "version"),
            (
                other("NameConstraintViolation"),
                "(NameConstraintViolation)",
            ),
            (CertificateError::Expired, "expired"),
            (CertificateError::NotValidYet, "clocks"),
            (CertificateError::NotValidForName, "another name"),
            (CertificateError::UnknownIssuer, "trusted"),
            (CertificateError::BadEncoding, "damaged"),
            (CertificateError::InvalidPurpose, "purpose"),
        ] {
            for whose in [
                CertificateOwner::Server,
                CertificateOwner::Client,
                CertificateOwner::Own,
            ] {
                let words = about(&problem, whose);
                assert!(words.contains(says) && !words.contains("Other"), "{words}");
            }
        }
    }
}
