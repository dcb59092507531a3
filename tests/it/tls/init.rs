//! `arauto tls`, and the files that a server takes.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use arauto::Fingerprint;
use x509_parser::certificate::X509Certificate;
use x509_parser::pem::Pem;

use crate::support::{Authority, CertificateFiles, CommandResult, arauto, finish, watchdog};

fn init(folder: &Path, more: &[&str]) -> CommandResult {
    let mut command = arauto(&["tls", "init", "--folder"]);
    finish(command.arg(folder).args(more), "")
}

fn mode(path: &Path) -> u32 {
    let metadata = fs::metadata(path).expect("it is there");
    metadata.mode() & 0o777
}

#[test]
fn tls_init_makes_a_private_pair_and_prints_next_steps() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let pair = folder.path().join("a/tls");
    let said = init(&pair, &[]).expect_success();
    let (certificate, key) = (pair.join("cert.pem"), pair.join("key.pem"));
    assert_eq!([&pair, &key].map(|path| mode(path)), [0o700, 0o600]);
    let fingerprint = Fingerprint::of_file(&certificate).expect("it was just made");
    for said_so in [
        format!("\n{fingerprint}\n"),
        format!(
            "--tls-cert '{}' --tls-key '{}'",
            certificate.display(),
            key.display()
        ),
        format!("--tls-fingerprint {fingerprint}"),
    ] {
        assert!(said.contains(&said_so), "{said_so:?} is not in {said:?}");
    }
    let mut told = arauto(&["tls", "fingerprint"]);
    let told = finish(told.arg(&certificate), "").expect_success();
    assert_eq!(told, format!("{fingerprint}\n"));

    let before = fs::read(&key).expect("it is there");
    init(&pair, &[]).expect_failure(73, &["cert.pem", "--force"]);
    assert_eq!(fs::read(&key).expect("it is there"), before);
    init(&pair, &["--force"]).expect_success();
    assert_ne!(fs::read(&key).expect("it is there"), before);
    assert_ne!(Fingerprint::of_file(&certificate).ok(), Some(fingerprint));
}

#[test]
fn tls_init_uses_the_given_names_and_days() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let named = ["--name", "a.example", "--name", "192.0.2.7", "--days", "7"];
    init(folder.path(), &named).expect_success();
    let pem = fs::read(folder.path().join("cert.pem")).expect("it is there");
    let pem = Pem::iter_from_buffer(&pem)
        .next()
        .expect("one")
        .expect("it is pem");
    let certificate: X509Certificate<'_> = pem.parse_x509().expect("it is one");
    let names = certificate.subject_alternative_name().expect("it has them");
    let names = format!("{:?}", names.expect("it has them").value.general_names);
    assert!(
        names.contains("a.example") && names.contains("192, 0, 2, 7"),
        "{names}"
    );
    let validity = certificate.validity();
    let days = (validity.not_after.timestamp() - validity.not_before.timestamp()) / 86_400;
    assert_eq!(days, 8, "and the day before");
}

fn serve(arguments: &[&str]) -> CommandResult {
    let listen = ["serve", "--no-console", "--listen", "tls:127.0.0.1:0"];
    finish(arauto(&listen).args(arguments), "")
}

#[test]
fn server_without_a_certificate_names_tls_init() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let data = folder.path().display().to_string();
    let expected = folder.path().join("tls/cert.pem").display().to_string();
    serve(&["--data", &data]).expect_failure(78, &[&expected, "arauto tls init"]);
    serve(&["--data", "none"]).expect_failure(78, &["arauto tls init"]);
    serve(&["--data", &data, "--tls-cert", "x"]).expect_failure(78, &["tls-key"]);
}

#[test]
fn unusable_tls_file_is_named_with_the_problem() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let paper = CertificateFiles::of(folder.path(), &["localhost"]);
    let authority = Authority::new(folder.path());
    let other = authority.issue(folder.path(), &["ana"]);
    let refused = |certificate: &Path, key: &Path, naming: &[&str]| {
        let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
        serve(&[
            "--data",
            "none",
            "--tls-cert",
            &certificate,
            "--tls-key",
            &key,
        ])
        .expect_failure(78, naming);
    };
    refused(
        &paper.key,
        &paper.key,
        &["server.key", "no certificate in it"],
    );
    let private = |path: &Path| {
        fs::set_permissions(path, Permissions::from_mode(0o600)).expect("the file is ours");
    };
    private(&paper.certificate);
    let no_key = ["server.pem", "no private key in it"];
    refused(&paper.certificate, &paper.certificate, &no_key);
    let mismatch = ["ana.key", "server.pem", "is not that of"];
    refused(&paper.certificate, &other.key, &mismatch);
    let open = Permissions::from_mode(0o640);
    fs::set_permissions(&paper.key, open).expect("the file is ours");
    refused(&paper.certificate, &paper.key, &["server.key", "chmod 600"]);
}
