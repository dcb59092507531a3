//! `arauto check`: what a server would start with, and what it would not start with.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{CertificateFiles, arauto, finish, os, watchdog};

/// Makes a command that checks a server in this folder.
fn check(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = arauto(&["check", "--listen"]);
    command.arg(os::endpoint(folder, "s").to_string());
    command.arg("--data").arg(folder.join("data"));
    command.args(arguments);
    command
}

/// Returns the level and the text of the finding about a subject.
#[track_caller]
fn finding(printed: &str, subject: &str) -> (String, String) {
    let findings = printed
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("json"));
    let found = findings
        .into_iter()
        .find(|finding| finding["subject"] == subject);
    let found = found.unwrap_or_else(|| panic!("nothing about {subject} in {printed}"));
    let text = |key: &str| found[key].as_str().expect("a text").to_owned();
    (text("level"), text("text"))
}

#[test]
fn check_of_a_server_that_would_start_is_ok_and_makes_nothing() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let report = folder.path().join("report.json");
    let mut command = check(folder.path(), &["--max-sessions", "10", "--report"]);
    command.arg(&report);
    let printed = finish(&mut command, "").expect_success();
    let subjects: Vec<_> = printed.lines().map(|line| &line[9..20]).collect();
    let expected = [
        "configurat",
        "endpoint  ",
        "data folder",
        "report    ",
        "descriptors",
    ];
    assert_eq!(subjects.len(), expected.len(), "{printed}");
    for (subject, expected) in subjects.iter().zip(expected) {
        assert!(subject.starts_with(expected.trim_end()), "{printed}");
    }
    assert!(
        printed.lines().all(|line| line.starts_with("ok ")),
        "{printed}"
    );
    let left: Vec<_> = folder.path().read_dir().expect("it is there").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn check_names_every_problem_and_ends_with_the_code_of_the_first() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    std::fs::write(folder.path().join("data"), "").expect("the folder is ours");
    let missing = folder.path().join("missing/report.json");
    let missing = missing.to_str().expect("it is UTF-8");
    let arguments = ["--json", "--report", missing, "--admin", "tls:localhost:1"];
    let result = finish(&mut check(folder.path(), &arguments), "");
    assert_eq!(result.code, Some(64), "{result:?}");
    for (subject, text) in [
        ("admin", "loopback"),
        ("data folder", "data"),
        ("report", "missing"),
    ] {
        let (level, found) = finding(&result.out, subject);
        assert_eq!(level, "error", "{found}");
        assert!(found.contains(text), "{found}");
    }
}

#[test]
fn check_of_a_wrong_configuration_fails_as_a_start_does() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let config = folder.path().join("arauto.toml");
    std::fs::write(&config, "max-sesions = 5\n").expect("the folder is ours");
    let mut command = check(folder.path(), &["--config"]);
    command.arg(&config);
    finish(&mut command, "").expect_failure(78, &["max-sesions", "max-sessions"]);
    let too_small = check(folder.path(), &["--log-bytes", "64KiB", "--json"]);
    let result = finish(&mut { too_small }, "");
    assert_eq!(result.code, Some(78), "{result:?}");
    assert_eq!(finding(&result.out, "configuration").0, "error");
}

#[test]
fn check_tells_how_long_a_certificate_is_valid() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let tls = folder.path().join("tls");
    for (days, level, text) in [
        ("90", "ok", "valid for 89 days"),
        ("10", "warning", "expires in 9 days"),
    ] {
        let mut init = arauto(&["tls", "init", "--force", "--days", days, "--folder"]);
        finish(init.arg(&tls), "").expect_success();
        let mut command = check(folder.path(), &["--json", "--listen", "tls:127.0.0.1:0"]);
        command.arg("--tls-cert").arg(tls.join("cert.pem"));
        command.arg("--tls-key").arg(tls.join("key.pem"));
        let printed = finish(&mut command, "").expect_success();
        let (found, words) = finding(&printed, "certificate");
        assert_eq!(found, level, "{words}");
        assert!(words.contains(text), "{words}");
    }
}

#[test]
fn check_of_a_certificate_without_its_key_is_an_error() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let files = CertificateFiles::of(folder.path(), &["localhost"]);
    let mut command = check(folder.path(), &["--json", "--listen", "tls:127.0.0.1:0"]);
    command.arg("--tls-cert").arg(&files.certificate);
    command
        .arg("--tls-key")
        .arg(folder.path().join("missing.pem"));
    let result = finish(&mut command, "");
    assert_eq!(result.code, Some(78), "{result:?}");
    let (level, text) = finding(&result.out, "certificate");
    assert_eq!(level, "error");
    assert!(text.contains("missing.pem"), "{text}");
}
