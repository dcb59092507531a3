//! The worked examples of docs/services.md do what the page shows.

use std::process::{Command, Stdio};

use crate::support::page_commands::{Running, Shell, blocks, commands, printed_lines, section};
use crate::support::{wait_until, watchdog};

/// The service that a command offers.
fn offered(command: &str) -> &str {
    let mut words = command.split(' ');
    words.nth(4).expect("it is behind the user")
}

fn wait_until_offered(shell: &Shell, service: &str) {
    let ask = format!("arauto pedir --user eva --service {service} olá");
    wait_until("the service is offered", || {
        !shell.run(&ask).1.contains("(unavailable)")
    });
}

fn serve(shell: &Shell, command: &str) -> Running {
    let server = shell.start(0, command);
    wait_until("the server listens", || shell.run("arauto who").0);
    server
}

#[test]
fn worked_example_of_the_page_does_what_it_shows() {
    let _watchdog = watchdog();
    let shell = Shell::new();
    let all = commands(&section("services.md", "Two shells"));
    assert!(all.len() > 6, "{}", all.len());
    let mut running = Vec::new();
    for (number, shown) in all.iter().enumerate() {
        let command = &*shown.command;
        if command.starts_with("arauto serve") {
            running.push(serve(&shell, command));
        } else if command.starts_with("arauto offer") {
            running.push(shell.start(number, command));
            wait_until_offered(&shell, offered(command));
        } else {
            let (_, printed) = shell.run(command);
            assert_eq!(printed_lines(&printed), shown.lines, "{command}");
        }
    }
}

/// Returns the Python that has what the tests need, if it is there.
fn python() -> Option<String> {
    let python = std::env::var("ARAUTO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut check = Command::new(&python);
    check.args([
        "-c",
        "import cbor2, sys; sys.exit(sys.version_info < (3, 11))",
    ]);
    let check = check.stderr(Stdio::null()).status();
    if check.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    let required = std::env::var_os("ARAUTO_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    assert!(!required, "the page's example needs python3 with cbor2");
    eprintln!("SKIPPED: the page's example needs python3 with cbor2");
    None
}

#[test]
fn python_programs_of_the_page_answer() {
    let _watchdog = watchdog();
    let Some(python) = python() else { return };
    let programs = blocks(&section("services.md", "In Python"), "python");
    assert_eq!(programs.len(), 2);
    for (number, source) in programs.iter().enumerate() {
        let shell = Shell::new();
        let _server = serve(&shell, "arauto serve --no-console --data none");
        let path = shell.folder.path().join("backwards.py");
        std::fs::write(path, source).expect("the folder is ours");
        let command = match number {
            0 => {
                let offers = blocks(&section("services.md", "In Python"), "sh");
                offers[0].replace("python3", &python)
            }
            _ => format!("{python} backwards.py arauto/arauto.sock"),
        };
        let _responder = shell.start(1, &command);
        wait_until_offered(&shell, "backwards");
        let (_, printed) = shell.run("arauto pedir --user ana --service backwards olá roma");
        assert_eq!(printed, "álo\namor\n", "{source}");
    }
}
