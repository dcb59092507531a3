//! Files that are written whole, for each kind of file at their path.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use arauto::Report;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::serve_with_console;
use crate::support::{Served, arauto, by_shell, finish, spawn, watchdog};

/// Makes a command of a server that writes this report.
fn serve(folder: &Path, report: &Path) -> Command {
    let (mut command, _) = serve_with_console(folder);
    command.arg("--report").arg(report);
    command
}

fn read(path: &Path) -> Report {
    let text = fs::read_to_string(path).expect("it is written");
    serde_json::from_str(&text).expect("it is a report")
}

#[test]
fn report_to_a_device_leaves_the_device() {
    let _watchdog = watchdog();
    let temp = tempfile::tempdir().expect("a folder can be made");
    let link = temp.path().join("link");
    symlink("/dev/null", &link).expect("it is ours");
    for device in [Path::new("/dev/null"), &link] {
        let done = finish(&mut serve(temp.path(), device), "fim\n");
        done.expect_success();
    }
    let full = finish(&mut serve(temp.path(), Path::new("/dev/full")), "fim\n");
    full.expect_failure(73, &["/dev/full", "No space"]);
    for device in ["/dev/null", "/dev/full"] {
        let found = fs::metadata(device).expect("it is still there");
        assert!(found.file_type().is_char_device(), "{device}");
    }
    assert!(
        fs::symlink_metadata(&link)
            .expect("it is there")
            .is_symlink()
    );
}

#[test]
fn report_to_stdout_is_printed_to_any_kind_of_file() {
    let _watchdog = watchdog();
    let temp = tempfile::tempdir().expect("a folder can be made");
    for stdout in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        let done = finish(&mut serve(temp.path(), Path::new(stdout)), "fim\n");
        let printed = done.expect_success();
        let at = printed.find("{\n").expect("it is printed");
        let report: Report = serde_json::from_str(&printed[at..]).expect("it is a report");
        assert_eq!(report.exit, 0);
    }
    // To a file it is added at its place, and the file stays the one that it was.
    let file = temp.path().join("out");
    fs::write(&file, "before\n").expect("it is ours");
    let number = fs::metadata(&file).expect("it is there").ino();
    let command = serve(temp.path(), Path::new("/dev/stdout"));
    let redirected = format!(">>{}", file.display());
    finish(&mut by_shell("true", command, &redirected), "fim\n").expect_success();
    let text = fs::read_to_string(&file).expect("it is text");
    assert!(
        text.starts_with("before\n") && text.contains("\"exit\": 0"),
        "{text}"
    );
    assert_eq!(fs::metadata(&file).expect("it is there").ino(), number);
}

#[test]
fn report_follows_links_and_keeps_mode_and_owner() {
    let _watchdog = watchdog();
    let temp = tempfile::tempdir().expect("a folder can be made");
    let (target, link) = (temp.path().join("target"), temp.path().join("link"));
    symlink("target", &link).expect("it is ours");
    // It leads nowhere yet: the file that it names is made, for its owner alone.
    finish(&mut serve(temp.path(), &link), "fim\n").expect_success();
    assert_eq!(read(&target).exit, 0);
    let found = fs::metadata(&target).expect("it is there");
    assert_eq!(found.mode() & 0o777, 0o600);
    assert!(
        fs::symlink_metadata(&link)
            .expect("it is there")
            .is_symlink()
    );

    fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).expect("it is ours");
    let may_give_away = std::os::unix::fs::chown(&target, Some(4242), Some(4343)).is_ok();
    fs::write(&target, "old").expect("it is ours");
    finish(&mut serve(temp.path(), &link), "fim\n").expect_success();
    assert_eq!(read(&target).exit, 0);
    let found = fs::metadata(&target).expect("it is there");
    assert_eq!(found.mode() & 0o777, 0o644);
    if may_give_away {
        assert_eq!((found.uid(), found.gid()), (4242, 4343));
    }
    let left: Vec<_> = fs::read_dir(temp.path()).expect("it is ours").collect();
    assert_eq!(left.len(), 2, "no temporary file is left: {left:?}");
}

#[test]
fn target_that_cannot_hold_a_report_is_refused_at_start() {
    let _watchdog = watchdog();
    let temp = tempfile::tempdir().expect("a folder can be made");
    let socket = temp.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("it is ours");
    let dead = temp.path().join("dead");
    symlink("no-folder/file", &dead).expect("it is ours");
    let round = temp.path().join("round");
    symlink("round", &round).expect("it is ours");
    for path in [
        temp.path().to_owned(),
        temp.path().join("new/"),
        temp.path().join("no-folder/file"),
        "/dev/fd/99".into(),
        temp.path().join("arauto.db"),
        temp.path().join("data/arauto.db-wal"),
        temp.path().join("data/arauto.lock"),
        socket,
        dead,
        round,
    ] {
        // No input, so that one that starts would never end.
        let done = finish(serve(temp.path(), &path).stdin(Stdio::null()), "");
        done.expect_failure(73, &[&path.display().to_string()]);
    }
}

#[test]
fn fifo_gets_the_report_and_no_reader_delays_nothing() {
    let _watchdog = watchdog();
    let temp = tempfile::tempdir().expect("a folder can be made");
    let fifo = temp.path().join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("it is ours");
    finish(&mut serve(temp.path(), &fifo), "fim\n").expect_failure(73, &["fifo", "no reader"]);

    let reader = Command::new("cat")
        .arg(&fifo)
        .stdout(Stdio::piped())
        .spawn();
    let reader = reader.expect("cat(1) is there");
    finish(&mut serve(temp.path(), &fifo), "fim\n").expect_success();
    let read = reader.wait_with_output().expect("it is a child");
    let report: Report = serde_json::from_slice(&read.stdout).expect("it is a report");
    assert_eq!(report.exit, 0);

    // One that reads nothing: the report is longer than a pipe holds.
    let filler = format!("head -c 65536 /dev/zero >{}; true", fifo.display());
    let mut stuck = Command::new("sh");
    stuck.args([
        "-c",
        &format!("exec 9<>{}; {filler}; echo full; read x", fifo.display()),
    ]);
    let mut stuck = spawn(&mut stuck);
    let mut told = [0; 5];
    let stdout = stuck.stdout.as_mut().expect("it is a pipe");
    std::io::Read::read_exact(stdout, &mut told).expect("it fills the pipe");
    finish(&mut serve(temp.path(), &fifo), "fim\n").expect_failure(73, &["does not read"]);
    stuck.kill().expect("it runs");
    stuck.wait().expect("it is a child");
    assert!(
        fs::metadata(&fifo)
            .expect("it is there")
            .file_type()
            .is_fifo()
    );
}

#[test]
fn pictures_follow_the_same_file_rules_as_reports() {
    let _watchdog = watchdog();
    let temp = tempfile::tempdir().expect("a folder can be made");
    let report = temp.path().join("report.json");
    finish(&mut serve(temp.path(), &report), "fim\n").expect_success();
    let (target, link) = (temp.path().join("target"), temp.path().join("link"));
    symlink("target", &link).expect("it is ours");
    for (flag, holds) in [("--svg", "<svg"), ("--html", "<html")] {
        let draw = |out: &Path| {
            let mut command = arauto(&["report"]);
            finish(command.arg(&report).arg(flag).arg(out), "")
        };
        draw(&link).expect_success();
        assert!(
            fs::read_to_string(&target)
                .expect("it is written")
                .contains(holds)
        );
        draw(Path::new("/dev/null")).expect_success();
        draw(Path::new("/dev/full")).expect_failure(73, &["/dev/full"]);
        draw(temp.path()).expect_failure(73, &["folder"]);
        assert!(
            draw(Path::new("/dev/stdout"))
                .expect_success()
                .contains(holds)
        );
    }
    assert!(
        fs::metadata("/dev/null")
            .expect("it is there")
            .file_type()
            .is_char_device()
    );
}

#[test]
fn certificate_is_never_written_readable_by_others() {
    let _watchdog = watchdog();
    let temp = tempfile::tempdir().expect("a folder can be made");
    let key = temp.path().join("key.pem");
    fs::write(&key, "old").expect("it is ours");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("it is ours");
    let mut init = arauto(&["tls", "init", "--force", "--folder"]);
    finish(init.arg(temp.path()), "").expect_success();
    assert_eq!(
        fs::metadata(&key).expect("it is there").mode() & 0o777,
        0o600
    );
    let mut init = arauto(&["tls", "init", "--force", "--folder"]);
    init.arg(temp.path());
    let mut full = by_shell("true", init, ">/dev/full");
    finish(&mut full, "").expect_failure(74, &["No space", "are written"]);
}

#[test]
fn resume_file_is_synced_before_it_replaces_the_old_one() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let (state, trace) = (
        served.folder.path().join("state"),
        served.folder.path().join("trace"),
    );
    let mut leitor = served.command(&["leitor", "--once", "--resume"]);
    leitor.arg(&state);
    if Command::new("strace").arg("-V").output().is_err() {
        eprintln!("SKIPPED: the order of system calls, as strace(1) is not here");
        return;
    }
    let calls = "trace=fsync,fdatasync,rename,renameat,renameat2";
    let output = trace.display().to_string();
    let mut leitor = crate::support::run_by(&["strace", "-f", "-e", calls, "-o", &output], leitor);
    let leitor = spawn(&mut leitor);
    crate::support::wait_until("it has a place in the stream", || state.exists());
    finish(&mut served.command(&["fim"]), "").expect_success();
    leitor.wait_with_output().expect("it is a child");
    let text = fs::read_to_string(&trace).expect("strace writes it");
    let kinds: Vec<&str> = text
        .lines()
        .filter_map(|line| {
            ["fsync(", "fdatasync(", "rename"]
                .into_iter()
                .find(|call| line.contains(call))
        })
        .collect();
    assert!(kinds.len() >= 3, "{text}");
    assert_eq!(
        kinds[..3],
        ["fsync(", "rename", "fsync("],
        "file, name, folder: {text}"
    );
}

#[test]
fn resume_file_on_a_device_stores_nothing() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none"]);
    let leitor = spawn(&mut served.command(&["leitor", "--once", "--resume", "/dev/null"]));
    crate::support::wait_until("it is there", || {
        let mut who = served.command(&["who"]);
        finish(who.env("ARAUTO_USER", "rui"), "")
            .expect_success()
            .contains("ana")
    });
    finish(&mut served.command(&["fim"]), "").expect_success();
    let done = leitor.wait_with_output().expect("it is a child");
    assert!(done.status.success(), "{done:?}");
    assert_eq!(served.wait(), Some(0));
    assert!(
        fs::metadata("/dev/null")
            .expect("it is there")
            .file_type()
            .is_char_device()
    );
    let mut folder = served.command(&["leitor", "--resume"]);
    finish(folder.arg(served.folder.path()), "").expect_failure(73, &["folder"]);
}
