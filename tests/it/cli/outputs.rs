//! Output that cannot be written is never lost silently, in any command.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{CommandResult, Served, arauto, by_shell, finish, run_by, watchdog};

fn with_stdout(command: Command, redirection: &str) -> CommandResult {
    finish(&mut by_shell("true", command, redirection), "")
}

/// Runs a command after the reader of its stdout has gone. Returns its exit code and stderr.
fn without_reader(mut command: Command) -> (Option<i32>, String) {
    let (reader, writer) = std::io::pipe().expect("there are descriptors");
    drop(reader);
    let done = command.stdin(Stdio::null()).stdout(writer).output();
    let done = done.expect("the binary is built");
    (
        done.status.code(),
        String::from_utf8_lossy(&done.stderr).into_owned(),
    )
}

#[test]
fn full_stdout_of_any_command_exits_74() {
    let _watchdog = watchdog();
    let mut served = Served::new(&[]);
    for arguments in [
        &["pedir", "a"][..],
        &["escritor", "--verbose", "a"],
        &["who"],
        &["sessions"],
        &["sessions", "--json"],
    ] {
        let done = with_stdout(served.command(arguments), ">/dev/full");
        done.expect_failure(74, &["stdout", "No space"]);
    }
    for arguments in [&["list"][..], &["list", "--json"]] {
        let done = with_stdout(served.users(arguments), ">/dev/full");
        done.expect_failure(74, &["stdout", "No space"]);
    }
    finish(&mut served.command(&["fim"]), "").expect_success();
    assert_eq!(served.wait(), Some(0));
    let report = served
        .folder
        .path()
        .join("report.json")
        .display()
        .to_string();
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["serve", "--help"],
        &["report", &report],
        &["report", &report, "--svg", "-"],
        &["explain", "1", "--report", &report],
        &["serve", "--print-config"],
        &["serve", "--print-config=default"],
        &["completions", "bash"],
        &["man"],
        &["demo"],
    ] {
        let done = with_stdout(arauto(arguments), ">/dev/full");
        done.expect_failure(74, &["stdout", "No space"]);
    }
}

#[test]
fn closed_or_read_only_stdout_of_any_command_exits_74() {
    let _watchdog = watchdog();
    let served = Served::new(&[]);
    for redirection in [">&-", "1</dev/null", ">&- 2>&-"] {
        let commands = [
            arauto(&["--help"]),
            arauto(&["--version"]),
            served.command(&["who"]),
            served.command(&["pedir", "a"]),
            served.command(&["escritor", "--verbose", "a"]),
            served.users(&["list"]),
        ];
        for command in commands {
            let shown = format!("{command:?} {redirection}");
            let done = with_stdout(command, redirection);
            assert_eq!(done.code, Some(74), "{shown}: {done:?}");
        }
    }
    served.stop();
}

#[test]
fn filter_whose_reader_has_gone_ends_as_by_sigpipe() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    for arguments in [&["who"][..], &["sessions"], &["pedir", "a"]] {
        let ended = without_reader(served.command(arguments));
        assert_eq!(ended, (Some(141), String::new()), "{arguments:?}");
    }
    assert_eq!(
        without_reader(arauto(&["--help"])),
        (Some(141), String::new())
    );
    served.stop();
}

#[test]
fn escritor_whose_reader_has_gone_reports_what_it_published() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let mut reader = served.unauthenticated();
    reader.log_in("eva");
    let script = "seq 50000 | { \"$0\" \"$@\"; echo $? >&3; } 3>&2 | head -n 1";
    let mut command = run_by(&["sh", "-c", script], served.command(&["escritor", "-v"]));
    let done = finish(&mut command, "");
    assert!(done.err.ends_with("74\n"), "{done:?}");
    // The count that it reports is the count that the others received.
    let heard = reader.until("left");
    let published = heard.iter().filter(|frame| frame.is("message")).count();
    assert!((1..50_000).contains(&published), "{published}");
    assert!(
        done.err.contains(&format!(
            "; {published} messages are confirmed as published"
        )),
        "{published}: {done:?}"
    );
    drop(reader);
    served.stop();
}

#[test]
fn full_or_closed_stderr_changes_no_exit_code() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    for redirection in ["2>/dev/full", "2>&-", "<&- 2>&-", "<&- 2>/dev/full"] {
        let fine = with_stdout(served.command(&["who"]), redirection);
        assert_eq!(fine.code, Some(0), "{redirection}: {fine:?}");
        let wrong = with_stdout(served.command(&["who", "--user", "a b"]), redirection);
        assert_eq!(wrong.code, Some(64), "{redirection}: {wrong:?}");
        let usage = with_stdout(arauto(&["nada"]), redirection);
        assert_eq!(usage.code, Some(64), "{redirection}: {usage:?}");
    }
    let mut fim = by_shell("true", served.command(&["fim"]), "2>/dev/full");
    finish(&mut fim, "").expect_success();
}

/// Calls that would go past what bounds, checks and escapes, and the files that may make
/// them.
const GUARDED: [(&str, &[&str]); 8] = [
    ("println!(", &[]),
    ("eprintln!(", &[]),
    (
        "io::stdout()",
        &[
            "output.rs",
            "mod.rs",
            "os/unix/stdout.rs",
            "os/unix/target.rs",
            "os/windows/stdout.rs",
        ],
    ),
    (
        "io::stderr()",
        &[
            "exit.rs",
            "mod.rs",
            "screen.rs",
            "logs/mod.rs",
            "os/unix/target.rs",
        ],
    ),
    ("fs::write(", &[]),
    ("File::create(", &["man/mod.rs"]),
    (
        "read_to_string(",
        &[
            "bench/bench_server.rs",
            "bench/process.rs",
            "os/unix/mod.rs",
        ],
    ),
    (".lines().next()", &[]),
];

fn guarded_calls(path: &str, source: &str) -> Vec<String> {
    let code = source.split("mod tests {").next().unwrap_or_default();
    let breaks = |(call, files): &(&str, &[&str])| code.contains(call) && !files.contains(&path);
    let found = GUARDED.iter().filter(|guarded| breaks(guarded));
    found.map(|(call, _)| format!("{path}: {call}")).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("the sources are there").path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn commands_use_only_the_writer_and_the_bounded_readers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli");
    let mut found = Vec::new();
    sources(&root, &mut found);
    assert!(found.len() > 50, "these are the sources");
    let wrong: Vec<String> = found
        .iter()
        .flat_map(|path| {
            let source = std::fs::read_to_string(path).expect("a source is text");
            let path = path.strip_prefix(&root).expect("it is below");
            guarded_calls(&path.display().to_string(), &source)
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(guarded_calls("who.rs", "println!(\"a\");").len(), 1);
}
