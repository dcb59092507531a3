//! `--raw`: the commands at both ends of pipes of other programs.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{CommandResult, arauto, finish, spawn, wait_until, watchdog};

/// A folder with a socket of some kind in it.
struct Place {
    folder: tempfile::TempDir,
    kind: &'static str,
}

impl Place {
    fn new(kind: &'static str) -> Place {
        let folder = tempfile::tempdir().expect("a folder can be made");
        Place { folder, kind }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("s.sock")
    }

    fn endpoint(&self, options: &str) -> String {
        format!("{}:{}{options}", self.kind, self.path().display())
    }

    fn command(&self, command: &str, options: &str) -> Command {
        arauto(&[command, "--raw", "--connect", &self.endpoint(options)])
    }
}

/// Starts a command that listens, with this to read, and waits until it does.
fn listening(place: &Place, command: &mut Command, input: &str) -> Child {
    let mut child = spawn(command);
    let mut stdin = child.stdin.take().expect("it is a pipe");
    stdin.write_all(input.as_bytes()).expect("it reads");
    wait_until("it listens", || place.path().exists());
    child
}

fn done(child: Child) -> CommandResult {
    let output = child.wait_with_output().expect("it is a child");
    let text = |bytes| String::from_utf8(bytes).expect("it prints utf-8");
    CommandResult {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

fn socat(arguments: &[&str]) -> Command {
    let mut command = Command::new("socat");
    command.args(arguments);
    command
}

fn address(place: &Place, how: &str) -> String {
    let kind = match place.kind {
        "seqpacket" => ",socktype=5",
        _ => "",
    };
    format!("UNIX-{how}:{}{kind}", place.path().display())
}

#[test]
fn raw_escritor_waits_for_a_reader_that_gets_everything() {
    let _watchdog = watchdog();
    for kind in ["unix", "seqpacket"] {
        for options in ["", "?max=1&encoding=utf-16le"] {
            let place = Place::new(kind);
            let phrases = "bom dia\nolá straße\n\nfim\nnot this\n";
            let mut command = place.command("escritor", options);
            let mut escritor = listening(&place, &mut command, phrases);
            assert!(escritor.try_wait().expect("it is a child").is_none());
            let leitor = finish(&mut place.command("leitor", options), "");
            assert_eq!(
                leitor.expect_success(),
                "bom dia\nolá straße\n\n",
                "{kind}{options}"
            );
            done(escritor).expect_success();
            assert!(!place.path().exists());
        }
    }
}

#[test]
fn raw_escritor_ends_at_end_of_input_or_of_arguments() {
    let _watchdog = watchdog();
    let place = Place::new("unix");
    let mut command = place.command("escritor", "");
    command.args(["um", "dois"]);
    let escritor = listening(&place, &mut command, "");
    let leitor = finish(&mut place.command("leitor", ""), "");
    assert_eq!(leitor.expect_success(), "um\ndois\n");
    done(escritor).expect_success();
}

#[test]
fn raw_escritor_sends_the_same_to_many_readers() {
    let _watchdog = watchdog();
    let place = Place::new("seqpacket");
    let mut command = place.command("escritor", "");
    let mut escritor = spawn(&mut command);
    wait_until("it listens", || place.path().exists());
    let mut stdin = escritor.stdin.take().expect("it is a pipe");
    let are_there = AtomicBool::new(false);
    let readers: Vec<_> = std::thread::scope(|scope| {
        // Until each has heard something, one may not be there yet.
        let calling = scope.spawn(|| {
            while !are_there.load(Ordering::Relaxed) {
                stdin.write_all(b"are you there?\n").expect("it reads");
                std::thread::park_timeout(Duration::from_millis(5));
            }
        });
        let readers = (0..3).map(|_| {
            let mut reader = spawn(&mut place.command("leitor", ""));
            let mut lines = BufReader::new(reader.stdout.take().expect("it is a pipe"));
            let mut line = String::new();
            lines.read_line(&mut line).expect("it prints utf-8");
            assert_eq!(line, "are you there?\n");
            (reader, lines)
        });
        let readers = readers.collect();
        are_there.store(true, Ordering::Relaxed);
        calling.join().expect("it reads");
        readers
    });
    stdin.write_all(b"bom dia\nfim\n").expect("it reads");
    for (mut reader, mut lines) in readers {
        let mut rest = String::new();
        lines.read_to_string(&mut rest).expect("it prints utf-8");
        assert!(rest.ends_with("bom dia\n"), "{rest}");
        assert_eq!(reader.wait().expect("it is a child").code(), Some(0));
    }
    done(escritor).expect_success();
}

#[test]
fn slow_reader_of_a_raw_escritor_misses_nothing() {
    let _watchdog = watchdog();
    let place = Place::new("unix");
    let mut escritor = spawn(&mut place.command("escritor", "?max=1"));
    wait_until("it listens", || place.path().exists());
    let mut stdin = escritor.stdin.take().expect("it is a pipe");
    // More than the log, the sockets and the pipe can hold together.
    let written = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&written);
    let writer = std::thread::spawn(move || {
        let lines = format!("{}\n", "x".repeat(999)).repeat(100);
        for number in 1..=1000 {
            stdin.write_all(lines.as_bytes()).expect("it reads");
            counted.store(number, Ordering::Relaxed);
        }
    });
    let mut leitor = spawn(&mut place.command("leitor", ""));
    // It is read from only when the writer has stood still for longer than a server
    // would wait for a slow reader.
    let (mut last, mut since) = (0, Instant::now());
    wait_until("the writer waits", || {
        let now = written.load(Ordering::Relaxed);
        if now != last {
            (last, since) = (now, Instant::now());
        }
        now > 0 && since.elapsed() > Duration::from_millis(1500)
    });
    assert!(last < 1000, "it has to wait");
    let mut heard = 0;
    let mut stdout = leitor.stdout.take().expect("it is a pipe");
    let mut buffer = vec![0; 1 << 20];
    loop {
        let length = stdout.read(&mut buffer).expect("it is a pipe");
        if length == 0 {
            break;
        }
        heard += length;
    }
    writer.join().expect("all was read");
    assert_eq!(heard, 100_000 * 1000);
    assert_eq!(leitor.wait().expect("it is a child").code(), Some(0));
    done(escritor).expect_success();
}

#[test]
fn raw_escritor_ends_cleanly_at_ctrl_c() {
    let _watchdog = watchdog();
    let place = Place::new("unix");
    let mut escritor = spawn(&mut place.command("escritor", ""));
    wait_until("it listens", || place.path().exists());
    let mut stdin = escritor.stdin.take().expect("it is a pipe");
    let mut leitor = spawn(&mut place.command("leitor", ""));
    let mut lines = BufReader::new(leitor.stdout.take().expect("it is a pipe"));
    stdin.write_all(b"um\n").expect("it reads");
    let mut line = String::new();
    lines.read_line(&mut line).expect("it prints utf-8");
    assert_eq!(line, "um\n");
    let pid = i32::try_from(escritor.id()).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("it has an id"), Signal::INT).expect("it runs");
    done(escritor).expect_success();
    assert_eq!(leitor.wait().expect("it is a child").code(), Some(0));
}

#[test]
fn raw_leitor_reads_from_another_programs_server() {
    let _watchdog = watchdog();
    for (kind, said, heard) in [
        ("unix", "bom dia\nolá\nfim\nnot this\n", "bom dia\nolá\n"),
        (
            "unix",
            "bom dia\nwithout an end",
            "bom dia\nwithout an end\n",
        ),
        ("seqpacket", "one message", "one message\n"),
    ] {
        let place = Place::new(kind);
        let mut server = spawn(&mut socat(&["-u", "-", &address(&place, "LISTEN")]));
        wait_until("it listens", || place.path().exists());
        let mut stdin = server.stdin.take().expect("it is a pipe");
        stdin.write_all(said.as_bytes()).expect("it reads");
        drop(stdin);
        let leitor = finish(&mut place.command("leitor", ""), "");
        assert_eq!(leitor.expect_success(), heard);
        server.wait().expect("it is a child");
    }
}

#[test]
fn raw_escritor_serves_another_programs_reader() {
    let _watchdog = watchdog();
    for kind in ["unix", "seqpacket"] {
        let place = Place::new(kind);
        let mut command = place.command("escritor", "");
        let escritor = listening(&place, &mut command, "bom dia\n");
        // Its input is over at once: it reads on all the same.
        let connect = address(&place, "CONNECT");
        let mut reader = socat(&["-t", "60", "STDIO,ignoreeof", &connect]);
        let reader = finish(reader.stdin(Stdio::null()), "");
        let lines = match kind {
            "unix" => "bom dia\nfim\n",
            _ => "bom diafim",
        };
        assert_eq!(reader.expect_success(), lines);
        done(escritor).expect_success();
    }
}

#[test]
fn raw_pedir_asks_arauto_and_another_programs_server() {
    let _watchdog = watchdog();
    for kind in ["unix", "seqpacket"] {
        let place = Place::new(kind);
        let listen = place.endpoint("?dialect=raw");
        let mut served = arauto(&[
            "serve",
            "--no-console",
            "--data",
            "none",
            "--listen",
            &listen,
        ]);
        let mut served = spawn(served.stderr(Stdio::null()));
        wait_until("it listens", || place.path().exists());
        let asked = finish(&mut place.command("pedir", ""), "olá\nstraße\n\n");
        assert_eq!(asked.expect_success(), "OLÁ\nSTRASSE\n\n");
        let mut with_nul = place.command("pedir", "?dialect=raw&encoding=utf-8");
        let asked = finish(with_nul.args(["--nul", "bom dia", "fim", "not this"]), "");
        assert_eq!(asked.expect_success(), "BOM DIA\n");
        let pid = i32::try_from(served.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("it has an id"), Signal::TERM).expect("it runs");
        assert_eq!(served.wait().expect("it is a child").code(), Some(0));
    }
    let place = Place::new("unix");
    let listen = address(&place, "LISTEN");
    let mut server = spawn(&mut socat(&[&listen, "SYSTEM:sed -u s/^/ouvi-/"]));
    wait_until("it listens", || place.path().exists());
    let asked = finish(&mut place.command("pedir", ""), "um\ndois\n");
    assert_eq!(asked.expect_success(), "ouvi-um\nouvi-dois\n");
    server.wait().expect("it is a child");
}

#[test]
fn flag_that_conflicts_with_raw_is_refused() {
    let place = Place::new("unix");
    let path: &Path = &place.path();
    let nobody = finish(&mut place.command("leitor", ""), "");
    nobody.expect_failure(69, &[&path.display().to_string()]);
    let outbound = finish(&mut place.command("pedir", "?direction=outbound"), "");
    outbound.expect_failure(64, &["direction=outbound"]);
    let terminator = finish(&mut place.command("escritor", "?terminator=nul"), "");
    terminator.expect_failure(64, &["terminator=nul"]);
    let json = finish(place.command("leitor", "").arg("--json"), "");
    json.expect_failure(64, &["--json", "--raw"]);
    let encoding = finish(&mut arauto(&["leitor", "--encoding", "utf-8"]), "");
    encoding.expect_failure(64, &["--raw"]);
    let unknown = finish(
        place.command("leitor", "").args(["--encoding", "latin1"]),
        "",
    );
    unknown.expect_failure(64, &["latin1", "utf-16le"]);
    let cbor = finish(
        &mut arauto(&["leitor", "--connect", "pipe:x?dialect=raw"]),
        "",
    );
    cbor.expect_failure(64, &["--raw"]);
}
