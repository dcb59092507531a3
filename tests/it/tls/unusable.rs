//! Certificates and keys that cannot be used: each error says what is wrong, with which file,
//! and what to do.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use arauto::{Client, TlsConfig, Trust};
use tempfile::TempDir;

use super::Secured;
use crate::support::{CommandResult, arauto, block_on, finish, watchdog};

/// Copies the file into a folder of this test. No other user may read the copy.
fn copy(folder: &TempDir, name: &str) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls/files");
    let to = folder.path().join(name);
    fs::copy(from.join(name), &to).expect("it is there");
    fs::set_permissions(&to, Permissions::from_mode(0o600)).expect("it is ours");
    to
}

fn serve(certificate: &Path, key: &Path) -> CommandResult {
    let mut serve = arauto(&["serve", "--listen", "tls:127.0.0.1:0", "--data", "none"]);
    serve.arg("--tls-cert").arg(certificate);
    finish(serve.arg("--tls-key").arg(key), "")
}

fn shows_no_type(done: &CommandResult) {
    for word in [
        "Other",
        "InvalidCharacter",
        "UnsupportedCertVersion",
        "Error(",
    ] {
        assert!(!done.err.contains(word), "{}", done.err);
    }
}

#[test]
fn unusable_trust_file_is_named_with_problem_and_remedy() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = |name: &str| copy(&folder, name);
    let (ca, ca_key) = (file("ca.pem"), file("ca.key"));
    let text = folder.path().join("text.pem");
    fs::write(&text, "bom dia\n").expect("the folder is ours");
    fs::set_permissions(&text, Permissions::from_mode(0o600)).expect("it is ours");
    let here = folder.path().to_path_buf();
    let cases: [(PathBuf, PathBuf, &[&str]); 12] = [
        (
            file("v1.pem"),
            file("v1.key"),
            &["v1.pem", "X.509 version", "arauto tls init"],
        ),
        (
            ca.clone(),
            file("encrypted.key"),
            &["encrypted.key", "openssl pkey"],
        ),
        (
            ca.clone(),
            file("encrypted-old.key"),
            &["encrypted-old.key", "openssl pkey"],
        ),
        (
            ca.clone(),
            file("v1.key"),
            &["ca.pem", "v1.key", "made together"],
        ),
        (
            file("secp256k1.pem"),
            file("secp256k1.key"),
            &["secp256k1.key", "P-256"],
        ),
        (
            ca_key.clone(),
            ca.clone(),
            &["ca.key", "private key", "swapped"],
        ),
        (
            ca.clone(),
            ca.clone(),
            &["ca.pem", "no private key", "swapped"],
        ),
        (file("v1.csr"), ca_key.clone(), &["v1.csr", "sign it"]),
        (
            text.clone(),
            ca_key.clone(),
            &["text.pem", "no certificate in it"],
        ),
        (ca.clone(), text, &["text.pem", "no private key in it"]),
        (here.clone(), ca_key.clone(), &["it is a folder"]),
        (here.join("nenhum"), ca_key, &["nenhum", "arauto tls init"]),
    ];
    for (certificate, key, naming) in cases {
        let done = serve(&certificate, &key);
        done.expect_failure(78, naming);
        shows_no_type(&done);
    }
}

#[test]
fn client_names_an_authority_that_is_shown_as_a_server() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (certificate, key) = (copy(&folder, "ca.pem"), copy(&folder, "ca.key"));
    let secured = Secured::with("", |_, config| {
        config.tls = Some(TlsConfig::new(&certificate, &key));
    });
    let trust = Trust::authorities(&certificate).expect("it is one");
    let refused = block_on(Client::connect_with(secured.endpoint(), &trust));
    let error = refused
        .map(drop)
        .expect_err("no server may show it")
        .to_string();
    for says in ["CA:TRUE", "arauto tls init", "--tls-fingerprint"] {
        assert!(error.contains(says), "{error}");
    }
    assert!(!error.contains("Other"), "{error}");
    secured.finish();
}

#[test]
fn server_warns_of_a_certificate_that_clients_refuse() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (certificate, key) = (copy(&folder, "ca.pem"), copy(&folder, "ca.key"));
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    let served = crate::support::Served::new(&[
        "--listen",
        "tls:127.0.0.1:0",
        "--tls-cert",
        &certificate,
        "--tls-key",
        &key,
    ]);
    let log = served.log();
    assert!(
        log.contains("CA:TRUE") && log.contains("refuse this certificate"),
        "{log}"
    );
    served.stop();
}
