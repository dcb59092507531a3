//! The password's prompt, at a terminal.

use std::os::unix::process::ExitStatusExt;

use crate::support::os;
use crate::support::{PASSWORD, Served, Stop, TerminalSession, run_by, wait_until, watchdog};

fn asked(served: &Served, arguments: &[&str]) -> TerminalSession {
    let mut command = served.command(arguments);
    command.env_remove("ARAUTO_PASSWORD");
    TerminalSession::start(command)
}

/// It asks, and does not show what is typed.
fn wait_for_prompt(terminal: &TerminalSession) {
    terminal.wait_for("password of ana");
    assert!(!terminal.echoes(), "{}", terminal.shown());
}

#[test]
fn typed_password_is_hidden_and_the_echo_restored() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let mut terminal = asked(&served, &["who"]);
    wait_for_prompt(&terminal);
    terminal.type_keys(&format!("{PASSWORD}\n"));
    wait_until("the echo is on again", || terminal.echoes());
    let (status, shown) = terminal.end();
    assert!(status.success(), "{shown}");
    assert!(
        shown.contains("ana\r\n") && !shown.contains(PASSWORD),
        "{shown}"
    );
    served.stop();
}

#[test]
fn ctrl_c_at_the_prompt_ends_the_command_with_the_echo_on() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let mut terminal = asked(&served, &["who"]);
    wait_for_prompt(&terminal);
    terminal.type_keys("segr\u{3}");
    wait_until("the echo is on again", || terminal.echoes());
    let (status, _) = terminal.end();
    assert_eq!(
        status.signal(),
        Some(2),
        "a shell sees that it was interrupted"
    );
    served.stop();
}

#[test]
fn signal_at_the_prompt_ends_the_command_with_the_echo_on() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let terminal = asked(&served, &["who"]);
    wait_for_prompt(&terminal);
    os::send_stop(terminal.child.id(), Stop::Terminate);
    wait_until("the echo is on again", || terminal.echoes());
    let (status, _) = terminal.end();
    assert_eq!(status.signal(), Some(15));
    served.stop();
}

#[test]
fn command_suspended_at_the_prompt_asks_again_on_resume() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    // Only a shell with job control lets a process be stopped (setpgid(2)).
    let mut command = served.command(&["who"]);
    command.env_remove("ARAUTO_PASSWORD");
    let script = "set -m; \"$0\" \"$@\"; echo stopped $?; fg";
    let command = run_by(&["bash", "-c", script], command);
    let mut terminal = TerminalSession::start(command);
    wait_for_prompt(&terminal);
    terminal.type_keys("\u{1a}");
    terminal.wait_for("stopped 148");
    wait_until("it asks again", || {
        terminal.shown().matches("password of ana").count() == 2 && !terminal.echoes()
    });
    terminal.type_keys(&format!("{PASSWORD}\n"));
    let (status, shown) = terminal.end();
    assert!(status.success() && shown.contains("ana\r\n"), "{shown}");
    served.stop();
}

#[test]
fn command_with_a_pipe_for_stdin_prompts_at_the_terminal() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let mut command = served.command(&["pedir"]);
    command.env_remove("ARAUTO_PASSWORD");
    let command = run_by(&["sh", "-c", "seq 3 | \"$0\" \"$@\" >\"$OUT\""], command);
    let replies = served.folder.path().join("replies");
    let mut command = command;
    command.env("OUT", &replies);
    let mut terminal = TerminalSession::start(command);
    wait_for_prompt(&terminal);
    terminal.type_keys(&format!("{PASSWORD}\n"));
    let (status, shown) = terminal.end();
    assert!(status.success(), "{shown}");
    let replies = std::fs::read_to_string(&replies).expect("it is redirected there");
    assert_eq!(replies, "1\n2\n3\n");
    served.stop();
}

#[test]
fn prompt_at_end_of_file_exits_77() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let mut terminal = asked(&served, &["who"]);
    wait_for_prompt(&terminal);
    terminal.type_keys("\u{4}");
    let (status, shown) = terminal.end();
    assert_eq!(status.code(), Some(77), "{shown}");
    served.stop();
}
