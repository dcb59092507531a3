//! A terminal gets no character that it would obey, from any command.

use std::process::Command;

use super::serve_with_console;
use crate::support::{Served, TerminalSession, arauto, finish, run_by, watchdog};

/// Of each kind one: C0, DEL, C1, bidirectional, separators, no width, a tag.
const HOSTILE: &str = "a\u{1b}]0;x\u{7}\u{7f}\u{85}\u{9b}31m\u{ad}\u{202e}\u{2066}\u{2028}\u{2029}\
                       \u{200b}\u{feff}\u{e0041}b";

/// Allows only the control characters that end lines, which commands write themselves.
fn assert_harmless(what: &str, shown: &str) {
    let is_layout = |c: char| matches!(c, '\r' | '\n' | '\t');
    let obeyed: Vec<char> = HOSTILE
        .chars()
        .filter(|c| !c.is_ascii_alphanumeric() && !matches!(c, ']' | ';'))
        .filter(|c| shown.contains(*c))
        .collect();
    assert!(obeyed.is_empty(), "{what}: {obeyed:?} in {shown:?}");
    let controls: Vec<char> = shown
        .chars()
        .filter(|c| c.is_control() && !is_layout(*c))
        .collect();
    assert!(controls.is_empty(), "{what}: {controls:?} in {shown:?}");
}

/// Returns the text that the command shows at a terminal.
fn shown(command: Command) -> String {
    TerminalSession::start(command).end().1
}

/// A report with hostile characters in every text that comes from users.
fn hostile_report(served: &Served) -> String {
    let path = served.folder.path().join("hostile.json");
    let session = serde_json::json!({
        "session": 1, "user": HOSTILE, "endpoint": HOSTILE, "reason": HOSTILE, "accepted": 1,
        "answered": 1, "refused": 0, "cut": 1, "sent": 1, "acked": 0, "missing": [], "gaps": [],
        "evidence": "read",
    });
    let finished = std::fs::read_to_string(served.folder.path().join("report.json"));
    let mut report: serde_json::Value =
        serde_json::from_str(&finished.expect("the server has stopped")).expect("it is json");
    let mut known = report["sessions"][0].clone();
    if let (Some(known), Some(session)) = (known.as_object_mut(), session.as_object()) {
        for name in ["user", "endpoint", "reason"] {
            known.insert(name.to_owned(), session[name].clone());
        }
    }
    report["sessions"] = serde_json::json!([known]);
    report["stream"] = HOSTILE.into();
    report["head"] = 1.into();
    std::fs::write(&path, report.to_string()).expect("it is ours");
    path.display().to_string()
}

#[test]
fn subcommand_at_a_terminal_shows_no_hostile_character() {
    let _watchdog = watchdog();
    let mut served = Served::new(&[]);
    let state = served.folder.path().join("state").display().to_string();
    // A place in the stream first, so that what follows is replayed.
    let mut reader = served.command(&["leitor", "--resume", &state]);
    reader.env("ARAUTO_USER", "eva");
    let mut reader = crate::support::spawn(&mut reader);
    crate::support::wait_until("it has a place in the stream", || {
        std::fs::read(&state).is_ok_and(|state| !state.is_empty())
    });
    reader.kill().expect("it runs");
    reader.wait().expect("it is a child");
    finish(&mut served.command(&["escritor", HOSTILE]), "").expect_success();

    for arguments in [
        &["pedir", HOSTILE][..],
        &["who"],
        &["sessions"],
        &["sessions", "--json"],
    ] {
        assert_harmless(&arguments.join(" "), &shown(served.command(arguments)));
    }
    for json in [&[][..], &["--json"]] {
        let copy = format!("{state}-{}", json.len());
        std::fs::copy(&state, &copy).expect("it is ours");
        let mut leitor = served.command(&["leitor", "--resume", &copy]);
        leitor.env("ARAUTO_USER", "eva").args(json);
        let terminal = TerminalSession::start(leitor);
        terminal.wait_for("31m");
        assert_harmless("leitor", &terminal.shown());
        if json.is_empty() {
            terminal.wait_for(r"\u{202e}");
        } else {
            terminal.wait_for(r"\u202e");
            terminal.wait_for(r"\udb40\udc41");
        }
    }
    for arguments in [&["list"][..], &["list", "--json"], &["add", HOSTILE]] {
        assert_harmless("users", &shown(served.users(arguments)));
    }
    assert_harmless(
        "an error",
        &shown(served.command(&["who", "--user", HOSTILE])),
    );
    assert_harmless("wrong arguments", &shown(served.command(&[HOSTILE])));

    finish(&mut served.command(&["fim"]), "").expect_success();
    assert_eq!(served.wait(), Some(0), "{}", served.log());
    let report = hostile_report(&served);
    for arguments in [
        &["report", &report][..],
        &["report", &report, "--all"],
        &["explain", "1", "--report", &report],
        &["explain", "1", "--json", "--report", &report],
        &["report", &report, "--svg", "-"],
        &["report", &report, "--html", "-"],
    ] {
        assert_harmless(&arguments.join(" "), &shown(arauto(arguments)));
    }
}

#[test]
fn raw_command_at_a_terminal_shows_no_hostile_character() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let endpoint = format!("unix:{}", folder.path().join("raw.sock").display());
    let mut said = arauto(&["escritor", "--raw", "--connect", &endpoint, HOSTILE]);
    let mut speaker = crate::support::spawn(&mut said);
    crate::support::wait_until("it listens", || folder.path().join("raw.sock").exists());
    let leitor = arauto(&["leitor", "--raw", "--connect", &endpoint]);
    let text = shown(leitor);
    assert!(text.contains(r"\u{202e}"), "{text:?}");
    assert_harmless("leitor --raw", &text);
    speaker.wait().expect("it is a child");

    let duplex = format!("unix:{}", folder.path().join("ask.sock").display());
    let listen = format!("{duplex}?dialect=raw&direction=duplex&handler=echo");
    let served = Served::new(&["--data", "none", "--listen", &listen]);
    let pedir = arauto(&["pedir", "--raw", "--connect", &duplex, HOSTILE]);
    let text = shown(pedir);
    assert!(text.contains(r"\u{202e}"), "{text:?}");
    assert_harmless("pedir --raw", &text);
    served.stop();
}

#[test]
fn console_and_log_at_a_terminal_show_no_hostile_character() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (serve, endpoint) = serve_with_console(folder.path());
    // Without a line editor, whose own sequences move the cursor.
    let serve = run_by(
        &["sh", "-c", "exec \"$0\" \"$@\" </dev/null 2>/dev/null"],
        serve,
    );
    let terminal = TerminalSession::start(serve);
    crate::support::wait_until("it listens", || folder.path().join("s.sock").exists());
    let mut say = arauto(&["escritor", "--user", "ana", "--connect", &endpoint, HOSTILE]);
    finish(&mut say, "").expect_success();
    terminal.wait_for(r"\u{202e}");
    assert_harmless("the console", &terminal.shown());
    let mut fim = arauto(&["fim", "--user", "ana", "--connect", &endpoint]);
    finish(&mut fim, "").expect_success();
    assert_harmless("the console", &terminal.end().1);
}

#[test]
fn command_into_a_pipe_prints_bodies_unescaped() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let ask = format!("unix:{}", folder.path().join("ask.sock").display());
    let listen = format!("{ask}?handler=echo");
    let served = Served::new(&["--data", "none", "--listen", &listen]);
    let mut pedir = served.command(&["pedir", "--connect", &ask, HOSTILE]);
    assert_eq!(
        finish(&mut pedir, "").expect_success(),
        format!("{HOSTILE}\n")
    );
    served.stop();
}
