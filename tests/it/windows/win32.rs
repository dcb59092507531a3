//! Win32 programs without arauto's protocol, on pipes of the raw dialect.
//!
//! They are those of tests/win32, in C; tests/windows.sh builds each for ANSI and for
//! UNICODE and says in `ARAUTO_WIN32` where they are.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use arauto::{Evidence, PublishError, SessionId};

use crate::support::{Fixture, arauto, block_on, finish, os, wait_until, watchdog};

/// How the programs were built, and the encoding that their text then has.
const BUILDS: [(&str, &str); 2] = [("ansi", "windows-1252"), ("unicode", "utf-16le")];

/// Exit codes of the programs.
const BUSY: i32 = 7;
const TIMED_OUT: i32 = 8;

/// A program of tests/win32 that runs.
struct Program {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Program {
    fn start(build: &str, name: &str, arguments: &[&str]) -> Program {
        Program::start_with(build, name, arguments, "")
    }

    /// Starts it with something to read.
    fn start_with(build: &str, name: &str, arguments: &[&str], input: &str) -> Program {
        let folder = std::env::var_os("ARAUTO_WIN32");
        let folder =
            folder.expect("ARAUTO_WIN32 says where the programs are: see tests/windows.sh");
        let program = PathBuf::from(folder)
            .join(build)
            .join(format!("{name}.exe"));
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = os::start_process(|| command.spawn()).expect("it has been built");
        let mut stdin = child.stdin.take().expect("it is piped");
        let _ = stdin.write_all(input.as_bytes()); // or it does not read to the end
        drop(stdin);
        let said = BufReader::new(child.stdout.take().expect("it is piped"));
        Program { child, said }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("it prints text");
        line.trim_end().to_owned()
    }

    /// Returns the rest of its output, and its exit code.
    fn end(mut self) -> (String, i32) {
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).expect("it prints text");
        let status = self.child.wait().expect("it can be waited for");
        (rest.replace("\r\n", "\n"), status.code().unwrap_or(-1))
    }
}

fn run(build: &str, name: &str, arguments: &[&str]) -> (String, i32) {
    Program::start(build, name, arguments).end()
}

fn raw(encoding: &str, more: &str) -> Fixture {
    Fixture::listening(&format!("?dialect=raw&encoding={encoding}{more}"), |_| {})
}

fn say(fixture: &Fixture, text: &'static str) -> Result<(), PublishError> {
    block_on(fixture.server.publish(text)).map(drop)
}

/// The number of the newest session there is.
fn newest(fixture: &Fixture) -> Option<SessionId> {
    let sessions = block_on(fixture.server.sessions());
    sessions.iter().map(|line| line.session).max()
}

#[test]
fn win32_readers_get_each_phrase_as_a_message_fim_last() {
    for (build, encoding) in BUILDS {
        let fixture = raw(encoding, "&direction=outbound");
        let pipe = os::path(fixture.endpoint());
        let unit = if build == "unicode" { 2 } else { 1 };
        // By messages, to the end of the pipe; and in byte mode, as a plain reader.
        let mut readers = [
            Program::start(build, "leitor", &["-m", "-e", "-b", "4", &pipe]),
            Program::start(build, "leitor", &[&pipe]),
        ];
        fixture.wait_for_sessions(2);
        say(&fixture, "bom dia").expect("the server runs");
        for reader in &mut readers {
            assert_eq!(reader.line(), format!("{} bom dia", 7 * unit));
        }
        say(&fixture, "ação €").expect("the server runs");
        for reader in &mut readers {
            assert_eq!(reader.line(), format!("{} ação €", 6 * unit));
        }
        fixture.begin_stop();
        for reader in readers {
            assert_eq!(reader.end(), (format!("{} fim\n", 3 * unit), 0), "{build}");
        }
        assert_eq!(fixture.report().exit, 0);
    }
}

#[test]
fn win32_second_reader_waits_for_the_single_instance() {
    for (build, encoding) in BUILDS {
        let fixture = raw(encoding, "&direction=outbound&max=1");
        let pipe = os::path(fixture.endpoint());
        let mut first = Program::start(build, "leitor", &["-m", &pipe]);
        fixture.wait_for_sessions(1);
        let before = newest(&fixture);
        let (_, code) = run(build, "busy", &["-r", &pipe]);
        assert_eq!(code, BUSY, "it does not wait");
        let (told, code) = run(build, "busy", &["-r", "-w", "200", &pipe]);
        assert_eq!(code, TIMED_OUT, "{told}");
        let mut second = Program::start(build, "leitor", &["-m", &pipe]);
        first.child.kill().expect("it runs");
        first.end();
        wait_until("the second session", || newest(&fixture) > before);
        say(&fixture, "só um").expect("the server runs");
        assert!(second.line().ends_with("só um"));
        fixture.begin_stop();
        assert_eq!(second.end().1, 0);
        assert_eq!(fixture.report().exit, 0);
    }
}

#[test]
fn win32_duplex_client_gets_the_bare_reply_and_nul() {
    for (build, encoding) in BUILDS {
        let fixture = raw(encoding, "");
        let pipe = os::path(fixture.endpoint());
        for how in [&["-t"][..], &["-n"], &[]] {
            let (said, code) = run(build, "pedir", &[how, &[&pipe, "olá, mundo"]].concat());
            assert_eq!(code, 0, "{said}");
            assert!(said.trim_end().ends_with("OLÁ, MUNDO"), "{said}");
            assert_eq!(said.contains("NUL"), how != ["-n"], "{said}");
        }
    }
}

#[test]
fn win32_handler_answers_like_the_example_server() {
    for (build, encoding) in BUILDS {
        let answer = "&handler=fixed:Default%20answer%20from%20server";
        let fixture = raw(encoding, answer);
        let (said, code) = run(build, "pedir", &[&os::path(fixture.endpoint()), "hello"]);
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("NUL: Default answer from server"), "{said}");
    }
}

#[test]
fn win32_message_of_100_000_bytes_arrives_whole() {
    for (build, encoding) in BUILDS {
        let fixture = raw(encoding, "");
        let pipe = os::path(fixture.endpoint());
        for size in ["2", "4094", "4096", "4098", "100000"] {
            let (said, code) = run(build, "grande", &["-z", &pipe, size]);
            assert_eq!(code, 0, "{size}: {said}");
        }
    }
}

#[test]
fn win32_200_vanished_clients_leave_nothing() {
    for (build, encoding) in BUILDS {
        let fixture = raw(encoding, "");
        let pipe = os::path(fixture.endpoint());
        let (said, code) = run(build, "somem", &[&pipe]);
        assert_eq!(code, 0, "{said}");
        assert!(said.contains(" 0 found none"), "{said}");
        let (said, code) = run(build, "pedir", &[&pipe, "ainda"]);
        assert_eq!(code, 0, "{said}");
        assert!(said.trim_end().ends_with("AINDA"), "{said}");
    }
}

#[test]
fn win32_unread_client_keeps_the_stop_in_its_deadline() {
    let options = "?dialect=raw&direction=outbound";
    let fixture = Fixture::listening(options, |config| {
        config.timeouts.drain = Duration::from_secs(2);
    });
    let pipe = os::path(fixture.endpoint());
    let mut silent = Program::start("ansi", "mudo", &["-r", &pipe]);
    assert_eq!(silent.line(), "open");
    fixture.wait_for_sessions(1);
    say(&fixture, "bom dia").expect("the server runs");
    fixture.begin_stop();
    let report = fixture.report();
    assert_eq!(report.exit, 3);
    let [session] = &report.sessions[..] else {
        panic!("one session: {report:?}");
    };
    assert!(session.evidence < Evidence::Read, "{session:?}");
    let (told, _) = silent.end();
    assert!(told.contains("by the server"), "it saw the end: {told}");
}

/// A pipe that no other test has.
fn fresh(what: &str) -> (String, String) {
    let name = format!("arauto-test-{what}-{}", std::process::id());
    (format!("pipe:{name}"), format!(r"\\.\pipe\{name}"))
}

/// Returns the output of a raw command of arauto's. Where no pipe is there yet it fails at once,
/// as a Win32 program would, and is tried again.
fn printed(arguments: &[&str]) -> String {
    let mut printed = None;
    wait_until("the pipe", || {
        let done = finish(&mut arauto(arguments), "");
        printed = (done.code == Some(0)).then_some(done.out);
        printed.is_some()
    });
    printed.expect("it was waited for").replace("\r\n", "\n")
}

#[test]
fn raw_leitor_and_pedir_use_win32_servers() {
    let _watchdog = watchdog();
    for (build, encoding) in BUILDS {
        let (endpoint, path) = fresh(&format!("escritor-{build}"));
        let lines = "bom dia\nação\nfim\n";
        let escritor = Program::start_with(build, "escritor", &[&path], lines);
        let raw = ["--raw", "--connect", &endpoint, "--encoding", encoding];
        let said = printed(&[&["leitor"], &raw[..]].concat());
        assert_eq!(said, "bom dia\nação\n", "{build}");
        assert_eq!(escritor.end().1, 0);

        let (endpoint, path) = fresh(&format!("servidor-{build}"));
        let mut servidor = Program::start(build, "servidor", &[&path]);
        let raw = ["--raw", "--connect", &endpoint, "--encoding", encoding];
        let said = printed(&[&["pedir", "--nul"], &raw[..], &["olá"]].concat());
        assert_eq!(said, "Default answer from server\n", "{build}");
        servidor.child.kill().expect("it serves for ever");
        servidor.end();
    }
}

#[test]
fn raw_escritor_serves_win32_readers() {
    let _watchdog = watchdog();
    for (build, encoding) in BUILDS {
        let (endpoint, path) = fresh(&format!("leitor-{build}"));
        let reader = Program::start(build, "leitor", &["-m", "-e", "-w", "50000", &path]);
        let raw = ["--raw", "--connect", &endpoint, "--encoding", encoding];
        let mut escritor = arauto(&[&["escritor"], &raw[..], &["bom dia", "ação"]].concat());
        finish(&mut escritor, "").expect_success();
        let unit = if build == "unicode" { 2 } else { 1 };
        let heard = format!(
            "{} bom dia\n{} ação\n{} fim\n",
            7 * unit,
            4 * unit,
            3 * unit
        );
        assert_eq!(reader.end(), (heard, 0), "{build}");
    }
}
