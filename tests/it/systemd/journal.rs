//! The log where stderr is the journal: `JOURNAL_STREAM` names its stream (systemd.exec(5)).

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Served, Stop, arauto, watchdog};

/// Returns the value of `JOURNAL_STREAM` for a stderr that is this file.
fn stream_of(path: &Path) -> String {
    let found = std::fs::metadata(path).expect("it is there");
    format!("{}:{}", found.dev(), found.ino())
}

/// Returns the log of a server that has started and stopped.
fn log(arguments: &[&str], stream: impl FnOnce(&Path) -> String) -> String {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let log = folder.path().join("log");
    let mut server = Served::with_command(folder, arguments, |mut command: Command| {
        command.env("JOURNAL_STREAM", stream(&log));
        command
    });
    server.send_stop(Stop::USUAL);
    assert_eq!(server.wait(), Some(0), "{}", server.log());
    server.log()
}

/// Returns the record with this message.
#[track_caller]
fn record<'a>(log: &'a str, message: &str) -> &'a str {
    let found = log.lines().find(|line| line.contains(message));
    found.unwrap_or_else(|| panic!("{message} is not in {log}"))
}

#[test]
fn records_for_the_journal_begin_with_their_priority() {
    let _watchdog = watchdog();
    let log = log(&[], stream_of);
    assert!(
        record(&log, "listening").starts_with("<6>listening endpoint=unix:"),
        "{log}"
    );
    let without_prefix = log.lines().find(|line| !line.starts_with('<'));
    assert_eq!(without_prefix, None);
}

#[test]
fn json_records_for_the_journal_begin_with_their_priority() {
    let _watchdog = watchdog();
    let log = log(&["--log", "json"], stream_of);
    let json = record(&log, "listening")
        .strip_prefix("<6>")
        .expect("it has a priority");
    let json: serde_json::Value = serde_json::from_str(json).expect("it is json");
    assert_eq!(json["level"], "INFO");
    assert_eq!(json.get("timestamp"), None, "the journal has it");
}

#[test]
fn stderr_that_is_not_the_journal_has_records_with_times() {
    let _watchdog = watchdog();
    let log = log(&[], |path| {
        stream_of(path.parent().expect("it is in a folder"))
    });
    assert!(record(&log, "listening").starts_with("20"), "{log}");
}

#[test]
fn error_of_a_command_has_its_priority_in_the_journal() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("log");
    let log = std::fs::File::create(&path).expect("the folder is ours");
    let mut command = arauto(&["serve", "--no-console", "--listen", "systemd:"]);
    command
        .env("JOURNAL_STREAM", stream_of(&path))
        .stdin(Stdio::null())
        .stderr(log);
    let ended = command.status().expect("the binary is built");
    assert_eq!(ended.code(), Some(64));
    let log = std::fs::read_to_string(path).expect("it is there");
    assert!(log.starts_with("<3>arauto: "), "{log}");
}
