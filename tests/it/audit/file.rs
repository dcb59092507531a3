//! The file: its mode, and what may not be one.

use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use super::Audited;
use crate::support::{
    CommandResult, NOBODY, arauto, by_shell, can_become_other_user, finish, json_lines, watchdog,
};

fn serve(audit: &Path, arguments: &[&str]) -> CommandResult {
    let mut command = arauto(&["serve", "--no-console", "--data", "none", "--audit"]);
    finish(command.arg(audit).args(arguments), "")
}

#[test]
fn audit_file_is_private_whatever_the_umask_is() {
    let _watchdog = watchdog();
    let lax = |command| by_shell("umask 0", command, "");
    let mut audited = Audited::with(&[], lax);
    let mode = std::fs::metadata(&audited.path)
        .expect("it is there")
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    audited.stop();
}

#[test]
fn path_that_cannot_be_an_audit_log_is_refused_before_the_start() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let [file, link, fifo, database, nowhere] =
        ["file", "link", "fifo", "arauto.db", "no/file"].map(|name| folder.path().join(name));
    std::fs::write(&file, "old\n").expect("the folder is ours");
    symlink(&file, &link).expect("the folder is ours");
    let made = Command::new("mkfifo").arg(&fifo).status();
    assert!(made.expect("there is mkfifo").success());
    for (path, naming) in [
        (&*link, "is a link"),
        (&fifo, "not a regular file"),
        (Path::new("/dev/full"), "not a regular file"),
        (folder.path(), "not a regular file"),
        (&database, "data folder"),
        (&nowhere, "No such file"),
    ] {
        let shown = path.display().to_string();
        serve(path, &[]).expect_failure(73, &["audit log", &shown, naming]);
        let mut check = arauto(&["check", "--data", "none", "--audit"]);
        let checked = finish(check.arg(path), "");
        assert_eq!(checked.code, Some(73), "{checked:?}");
    }
    assert_eq!(
        std::fs::read_to_string(&file).expect("it is there"),
        "old\n"
    );
    let report = file.display().to_string();
    serve(&file, &["--report", &report]).expect_failure(78, &["audit and report"]);
}

#[test]
fn file_of_another_user_is_refused() {
    if !can_become_other_user() {
        return;
    }
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("audit.jsonl");
    std::fs::write(&path, "").expect("the folder is ours");
    chown(&path, Some(NOBODY), None).expect("root may");
    serve(&path, &[]).expect_failure(73, &["belongs to the user with the uid 65534"]);
}

#[test]
fn audit_file_of_a_running_server_is_not_shared() {
    let _watchdog = watchdog();
    let mut audited = Audited::new();
    serve(&audited.path, &[]).expect_failure(73, &["another program writes to it"]);
    let records = audited.stop();
    assert_eq!(records.len(), 2, "{records:?}");
}

#[test]
fn next_server_appends_to_the_file() {
    let _watchdog = watchdog();
    let audited = Audited::new();
    let path = audited.path.clone();
    let folder = {
        audited.served.send_stop(crate::support::Stop::USUAL);
        audited.served.into_folder()
    };
    let shown = path.display().to_string();
    let served = crate::support::Served::within(folder, &["--no-console", "--audit", &shown]);
    served.send_stop(crate::support::Stop::USUAL);
    let _folder = served.into_folder();
    assert_eq!(
        super::events(&json_lines(&path)),
        ["start", "stop", "start", "stop"]
    );
}
