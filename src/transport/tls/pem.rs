//! Describes, in words, a PEM file that holds something else than was expected.
//!
//! A parser's error says where it stopped. A person wants to know which file was given by
//! mistake, or what to do to the right one.

/// The contents that a file is expected to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// At least one certificate.
    Certificate,
    /// One private key.
    Key,
}

const BEGIN: &str = "-----BEGIN ";

/// Why a file is not what it should be; `error` is the parser's, where it has one.
pub(super) fn problem_of(file: &[u8], wanted: Wanted, error: Option<&str>) -> String {
    let text = String::from_utf8_lossy(file);
    let labels: Vec<&str> = text.lines().filter_map(label).collect();
    let has = |part: &str| labels.iter().any(|label| label.contains(part));
    let what = match wanted {
        Wanted::Certificate => "certificate",
        Wanted::Key => "private key",
    };
    let decrypt = "it is encrypted, and arauto asks for no passphrase: decrypt it with `openssl \
                   pkey -in OLD -out NEW`, and let nobody else read NEW";
    let hint = match wanted {
        _ if file.is_empty() => return "the file is empty".to_owned(),
        _ if labels.is_empty() && file[0] == 0x30 => {
            let form = match wanted {
                Wanted::Certificate => "openssl x509 -inform der -in OLD -out NEW",
                Wanted::Key => "openssl pkey -inform der -in OLD -out NEW",
            };
            return format!("it is in DER form, and not in PEM: convert it with `{form}`");
        }
        _ if labels.is_empty() => {
            return format!("there is no {what} in it: it has no line that begins with {BEGIN}");
        }
        Wanted::Key if has("ENCRYPTED") || text.contains("Proc-Type: 4,ENCRYPTED") => {
            return decrypt.to_owned();
        }
        Wanted::Key if has("OPENSSH") => {
            "it is a key of OpenSSH: make another one, with `arauto tls init`".to_owned()
        }
        Wanted::Key if !has("PRIVATE KEY") && has("CERTIFICATE") => {
            "but a certificate: have the certificate's and the key's files been swapped?".to_owned()
        }
        Wanted::Certificate if has("TRUSTED CERTIFICATE") => {
            "but one in a form of OpenSSL's own: convert it with `openssl x509 -in OLD -out NEW`"
                .to_owned()
        }
        Wanted::Certificate if has("CERTIFICATE REQUEST") => {
            "but a request for one: have an authority sign it first".to_owned()
        }
        Wanted::Certificate if !has("CERTIFICATE") && has("PRIVATE KEY") => {
            "but a private key: have the certificate's and the key's files been swapped?".to_owned()
        }
        _ => match error {
            Some(error) => return format!("its PEM is damaged ({error}): get the file again"),
            None => format!("but {}", labels.join(", ")),
        },
    };
    format!("there is no {what} in it, {hint}")
}

/// Returns the label of the PEM section that this line begins, if it begins one.
fn label(line: &str) -> Option<&str> {
    line.trim().strip_prefix(BEGIN)?.strip_suffix("-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(label: &str) -> String {
        format!("{BEGIN}{label}-----\nAAAA\n-----END {label}-----\n")
    }

    #[test]
    fn wrong_kind_of_pem_file_is_named() {
        let both = section("CERTIFICATE") + &section("EC PARAMETERS");
        let old =
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES\n\nAAAA\n";
        for (file, wanted, says) in [
            ("", Wanted::Key, "empty"),
            ("bom dia", Wanted::Certificate, "no line that begins"),
            ("\x30\x02", Wanted::Certificate, "x509 -inform der"),
            ("\x30\x02", Wanted::Key, "pkey -inform der"),
            (&section("PRIVATE KEY"), Wanted::Certificate, "swapped"),
            (&section("EC PRIVATE KEY"), Wanted::Certificate, "swapped"),
            (&both, Wanted::Key, "swapped"),
            (
                &section("ENCRYPTED PRIVATE KEY"),
                Wanted::Key,
                "openssl pkey",
            ),
            (old, Wanted::Key, "openssl pkey"),
            (&section("OPENSSH PRIVATE KEY"), Wanted::Key, "OpenSSH"),
            (
                &section("CERTIFICATE REQUEST"),
                Wanted::Certificate,
                "sign it",
            ),
            (
                &section("TRUSTED CERTIFICATE"),
                Wanted::Certificate,
                "OpenSSL",
            ),
            (&section("X509 CRL"), Wanted::Certificate, "but X509 CRL"),
            (&section("PUBLIC KEY"), Wanted::Key, "but PUBLIC KEY"),
        ] {
            let problem = problem_of(file.as_bytes(), wanted, None);
            assert!(problem.contains(says), "{file:?}: {problem}");
        }
        let damaged = section("CERTIFICATE");
        let problem = problem_of(damaged.as_bytes(), Wanted::Certificate, Some("at 7"));
        assert!(problem.contains("damaged (at 7)"), "{problem}");
    }
}
