//! The server's own outputs are closed, full or unread.
//!
//! They are for people: they change neither the result of a stop nor its duration.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use arauto::SessionRecord;
use rustix::fs::{CWD, FileType, Mode, OFlags, fcntl_setfl, mknodat};

use crate::support::{Served, Stop, by_shell, watchdog};

/// A server with these redirections, that says much to its log.
fn redirected(arguments: &[&str], redirections: &str) -> Served {
    let folder = tempfile::tempdir().expect("a folder can be made");
    Served::with_command(folder, arguments, |command| {
        let mut command = by_shell("export ARAUTO_LOG=debug", command, redirections);
        command.env_remove("ARAUTO_LOG");
        command
    })
}

/// A client connects, publishes and gets `stopping`; the stop is clean.
fn serves_and_stops(mut served: Served) {
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    for id in 1..=200 {
        ana.publish(id, "bom dia");
        ana.skip_to("published");
    }
    served.send_stop(Stop::USUAL);
    ana.skip_to("stopping");
    let closing = ana.skip_to("closing");
    assert_eq!(closing.num("accepted"), 200);
    ana.expect_end();
    drop(ana);
    assert_eq!(served.wait(), Some(0));
    let report = served.report();
    assert_eq!((report.exit, report.head.0), (0, 201));
    assert!(report.sessions.iter().all(SessionRecord::is_whole));
}

/// A pipe with a name, and both of its ends.
fn pipe(path: &Path) -> File {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("the folder is ours");
    let both = OpenOptions::new().read(true).write(true).open(path);
    both.expect("it has been made")
}

/// A named pipe that is full and not read while this value lives.
fn full_pipe(path: &Path) -> File {
    let mut pipe = pipe(path);
    fcntl_setfl(&pipe, OFlags::NONBLOCK).expect("it is a pipe");
    let mut piece = 1 << 16;
    while piece > 0 {
        if pipe.write(&vec![b'.'; piece]).is_err() {
            piece /= 2;
        }
    }
    pipe
}

#[test]
fn closed_outputs_change_no_exit_code() {
    let _watchdog = watchdog();
    for redirections in ["2>&-", ">&-", "<&- >&- 2>&-"] {
        serves_and_stops(redirected(
            &["--no-console", "--data", "none"],
            redirections,
        ));
    }
}

#[test]
fn failing_outputs_change_no_exit_code() {
    let _watchdog = watchdog();
    for redirections in ["2>/dev/full", ">/dev/full 2>/dev/full"] {
        serves_and_stops(redirected(&["--console", "--data", "none"], redirections));
    }
}

#[test]
fn log_pipe_without_a_reader_changes_no_exit_code() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("pipe");
    let ends = pipe(&path);
    let redirection = format!("2>{}", path.display());
    let served = redirected(&["--no-console", "--data", "none"], &redirection);
    drop(ends);
    serves_and_stops(served);
}

#[test]
fn unread_outputs_delay_nothing() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("pipe");
    let _full = full_pipe(&path);
    for redirections in ["2>PIPE", ">PIPE", ">PIPE 2>PIPE"] {
        let redirections = redirections.replace("PIPE", &path.display().to_string());
        serves_and_stops(redirected(&["--console", "--data", "none"], &redirections));
    }
}

/// The exit code of a server whose report cannot be written.
fn without_report(redirections: &str) -> Option<i32> {
    let mut served = redirected(&["--no-console", "--data", "none"], redirections);
    let report = served.folder.path().join("report.json");
    std::fs::create_dir(&report).expect("nothing is there yet");
    served.send_stop(Stop::USUAL);
    served.wait()
}

#[test]
fn unwritten_report_shows_in_the_exit_code() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("pipe");
    let _full = full_pipe(&path);
    let stuck = format!("2>{}", path.display());
    for redirections in ["", "2>&-", "2>/dev/full", &stuck] {
        assert_eq!(without_report(redirections), Some(73), "{redirections}");
    }
}
