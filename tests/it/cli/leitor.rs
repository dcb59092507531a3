//! `arauto leitor` misses no broadcast across restarts of the server and of itself.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command};

use crate::support::{Served, Stop, finish, os, spawn, watchdog};

/// A leitor that runs; killed where the test forgets it.
struct Leitor {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Leitor {
    fn start(mut command: Command) -> Leitor {
        let mut child = spawn(os::can_get_stop_signals(&mut command));
        let lines = BufReader::new(child.stdout.take().expect("it is a pipe"));
        Leitor { child, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("it prints utf-8");
        assert!(line.ends_with('\n'), "it goes on: {line:?}");
        line.trim_end().to_owned()
    }

    /// The next message's text; what comes and goes is passed over.
    fn message(&mut self) -> String {
        loop {
            let line = self.line();
            // `SEQ USER: TEXT`; what is no message has a star for the user.
            if let Some((head, text)) = line.split_once(": ")
                && !head.contains('*')
            {
                return text.to_owned();
            }
        }
    }

    /// Ends it as Ctrl-C does.
    fn interrupt(mut self) {
        os::send_stop(self.child.id(), Stop::Interrupt);
        assert_eq!(self.child.wait().expect("it is a child").code(), Some(0));
    }
}

impl Drop for Leitor {
    fn drop(&mut self) {
        let _ = self.child.kill(); // or it has ended
        let _ = self.child.wait();
    }
}

fn leitor(served: &Served, arguments: &[&str]) -> Command {
    let mut command = served.command(&["leitor"]);
    command.env("ARAUTO_USER", "eva").args(arguments);
    command
}

fn publish(served: &Served, text: &str) {
    finish(&mut served.command(&["escritor", text]), "").expect_success();
}

#[test]
fn leitor_with_resume_misses_nothing_while_away() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let state = served.folder.path().join("state.json");
    let start = || Leitor::start(leitor(&served, &["--resume", &state.display().to_string()]));
    let first = start();
    crate::support::wait_until("the leitor is logged in", || state.exists());
    let mut first = first;
    publish(&served, "um");
    assert_eq!(first.message(), "um");
    first.interrupt();
    publish(&served, "dois");
    publish(&served, "três");
    let mut second = start();
    assert_eq!([second.message(), second.message()], ["dois", "três"]);
    drop(second); // kill -9
    publish(&served, "quatro");
    let mut third = start();
    // Broadcasts may have been printed but not stored in the resume file: they are printed again.
    let next = loop {
        let text = third.message();
        if text != "dois" && text != "três" {
            break text;
        }
    };
    assert_eq!(next, "quatro");
    third.interrupt();
    served.stop();
}

#[test]
fn leitor_reconnects_after_a_server_restart() {
    let _watchdog = watchdog();
    let served = Served::new(&[]);
    let mut reader = Leitor::start(leitor(&served, &[]));
    crate::support::wait_until("the leitor is there", || {
        finish(&mut served.command(&["who"]), "")
            .expect_success()
            .contains("eva")
    });
    publish(&served, "antes");
    assert_eq!(reader.message(), "antes");
    finish(&mut served.command(&["fim"]), "").expect_success();
    let served = Served::within(served.into_folder(), &[]);
    crate::support::wait_until("the leitor is back", || {
        finish(&mut served.command(&["who"]), "")
            .expect_success()
            .contains("eva")
    });
    publish(&served, "depois");
    assert_eq!(reader.message(), "depois");
    reader.interrupt();
    served.stop();
}

#[test]
fn leitor_json_lines_use_the_contracts_names() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let mut reader = Leitor::start(leitor(&served, &["--json"]));
    crate::support::wait_until("the leitor is there", || {
        finish(&mut served.command(&["who"]), "")
            .expect_success()
            .contains("eva")
    });
    publish(&served, "olá");
    let message = loop {
        let line: serde_json::Value = serde_json::from_str(&reader.line()).expect("it is json");
        if let Some(message) = line.get("message") {
            break message.clone();
        }
    };
    assert_eq!(
        (&message["from"], &message["body"]),
        (&"ana".into(), &"olá".into())
    );
    assert!(
        message["seq"].is_u64() && message["at"].is_u64(),
        "{message}"
    );
    reader.interrupt();
    served.stop();
}

#[test]
fn leitor_once_ends_with_its_session() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none"]);
    let mut reader = Leitor::start(leitor(&served, &["--once"]));
    crate::support::wait_until("the leitor is there", || {
        finish(&mut served.command(&["who"]), "")
            .expect_success()
            .contains("eva")
    });
    finish(&mut served.command(&["fim"]), "").expect_success();
    assert_eq!(served.wait(), Some(0));
    assert_eq!(reader.child.wait().expect("it is a child").code(), Some(0));
}
