//! Clients that send nothing outlive the server's idle timeout.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Child;
use std::time::{Duration, Instant};

use crate::support::{Served, finish, spawn, wait_until, watchdog};

const IDLE: Duration = Duration::from_secs(1);

/// A child that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill(); // or it has ended
        let _ = self.0.wait();
    }
}

fn served() -> Served {
    Served::new(&["--data", "none", "--idle-timeout", "1s"])
}

fn is_there(served: &Served, user: &str) -> bool {
    let there = finish(&mut served.command(&["who"]), "").expect_success();
    there.lines().any(|line| line == user)
}

fn let_the_timeout_pass() {
    let began = Instant::now();
    wait_until("the idle timeout has passed", || began.elapsed() > IDLE * 4);
}

#[test]
fn welcome_names_the_idle_timeout() {
    let _watchdog = watchdog();
    let served = served();
    let mut client = served.connected();
    assert_eq!(client.expect("welcome").num("idle_timeout"), 1_000);
    drop(client);
    served.stop();
}

#[test]
fn silent_leitor_and_escritor_keep_their_sessions() {
    let _watchdog = watchdog();
    let served = served();
    let mut command = served.command(&["leitor", "--once"]);
    let mut leitor = Running(spawn(command.env("ARAUTO_USER", "eva")));
    let mut command = served.command(&["escritor"]);
    let mut escritor = Running(spawn(command.env("ARAUTO_USER", "rui")));
    for user in ["eva", "rui"] {
        wait_until("it has logged in", || is_there(&served, user));
    }
    let_the_timeout_pass();

    let mut stdin = escritor.0.stdin.take().expect("it is a pipe");
    stdin.write_all(b"bom dia\nfim\n").expect("it reads");
    assert_eq!(escritor.0.wait().expect("it is a child").code(), Some(0));
    let stdout = leitor.0.stdout.take().expect("it is a pipe");
    let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
    let heard = lines.find(|line| line.ends_with("rui: bom dia"));
    assert!(heard.is_some(), "the session went on");
    drop(leitor);
    served.stop();
}

#[test]
fn leitor_whose_output_nobody_reads_keeps_its_session() {
    let _watchdog = watchdog();
    let served = served();
    let mut command = served.command(&["leitor", "--once"]);
    let mut leitor = Running(spawn(command.env("ARAUTO_USER", "eva")));
    wait_until("it has logged in", || is_there(&served, "eva"));
    // More than its stdout's pipe and all queues on the way to it hold.
    let (count, line) = (4000, "x".repeat(1000));
    let lines = format!("{line}\n").repeat(count);
    finish(&mut served.command(&["escritor"]), &lines).expect_success();
    let_the_timeout_pass();

    assert!(is_there(&served, "eva"));
    let mut stdout = leitor.0.stdout.take().expect("it is a pipe");
    let reading = std::thread::spawn(move || {
        let mut all = String::new();
        stdout.read_to_string(&mut all).map(|_| all)
    });
    served.stop();
    let all = reading.join().expect("it does not panic");
    let all = all.expect("it prints text");
    let heard = all.lines().filter(|heard| heard.ends_with(&line)).count();
    assert_eq!(heard, count);
    assert_eq!(leitor.0.wait().expect("it is a child").code(), Some(0));
}
