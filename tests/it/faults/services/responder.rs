//! A responder in a process of its own: this test's own binary.
//!
//! It writes each call to its log before it answers. The log is a file, which outlives a killed
//! process.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use arauto::{Call, CallError, Client, Endpoint};
use tokio::signal::unix::{SignalKind, signal};

use super::{SERVICE, reply_of};
use crate::support::{PASSWORD, Stop, block_on, os};

/// The most calls that it has in work.
pub(super) const LIMIT: u32 = 8;

/// The variables that make this test's own binary a responder.
const ENDPOINT: &str = "ARAUTO_TEST_ENDPOINT";
const LOG: &str = "ARAUTO_TEST_LOG";
const NUMBER: &str = "ARAUTO_TEST_NUMBER";

/// The lines that it prints.
const OFFERED: &str = "offered by session ";
const FULL: &str = "as many calls in work as may be";

/// A responder that runs.
pub(super) struct ResponderProcess {
    pub(super) number: usize,
    /// The number of its session.
    pub(super) session: u64,
    child: Child,
    log: PathBuf,
    /// At its end the process ends.
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl ResponderProcess {
    /// Starts a responder with its log in `folder`, and waits until the server has its offer.
    pub(super) fn start(endpoint: &Endpoint, folder: &Path, number: usize) -> ResponderProcess {
        let (_, module) = module_path!().split_once("::").expect("it is in a crate");
        let log = folder.join(format!("responder{number}"));
        let mut child =
            Command::new(std::env::current_exe().expect("the system knows what it runs"))
                .args(["--ignored", "--exact", "--nocapture"])
                .arg(format!("{module}::child_responder_answers_until_its_end"))
                .env(ENDPOINT, endpoint.to_string())
                .env(LOG, &log)
                .env(NUMBER, number.to_string())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("it has been run before");
        let stdin = child.stdin.take().expect("it is a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let mut responder = ResponderProcess {
            number,
            session: 0,
            child,
            log,
            stdin,
            stdout,
        };
        let session = responder.wait_for_line(OFFERED);
        responder.session = session.parse().expect("it is a number");
        responder
    }

    /// Waits for the line that has this text, and returns what follows it.
    fn wait_for_line(&mut self, text: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            let length = self.stdout.read_line(&mut line);
            assert_ne!(
                length.expect("it prints utf-8"),
                0,
                "the end instead of {text}"
            );
            if let Some((_, rest)) = line.split_once(text) {
                return rest.trim().to_owned();
            }
        }
    }

    /// Has it answer no further call, and waits until it has as many as its limit.
    pub(super) fn hold(&mut self) {
        self.stdin.write_all(b"hold\n").expect("it reads");
        self.wait_for_line(FULL);
    }

    pub(super) fn send_stop(&self) {
        os::send_stop(self.child.id(), Stop::Terminate);
    }

    pub(super) fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.wait();
    }

    pub(super) fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("it is a child")
    }

    /// Returns the calls that it got.
    pub(super) fn calls(&self) -> BTreeSet<String> {
        let log = std::fs::read_to_string(&self.log).expect("it writes utf-8");
        let lines: Vec<&str> = log.lines().collect();
        let calls: BTreeSet<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        assert_eq!(calls.len(), lines.len(), "it got each call once");
        calls
    }
}

impl Drop for ResponderProcess {
    fn drop(&mut self) {
        let _ = self.child.kill(); // or it has ended
        let _ = self.child.wait();
    }
}

/// The state of the child.
#[derive(Default)]
struct State {
    is_holding: bool,
    /// The calls of which it is not decided whether they are answered.
    undecided: u32,
}

impl State {
    fn note_full(&self) {
        if self.is_holding && self.undecided == LIMIT {
            println!("{FULL}");
        }
    }
}

/// Obeys the lines of stdin, and ends the process where nobody waits for it any more.
fn obey(state: &Mutex<State>) {
    for line in std::io::stdin().lines() {
        assert_eq!(line.expect("it is utf-8"), "hold");
        let mut state = state.lock().expect("nobody panics with it");
        state.is_holding = true;
        state.note_full();
    }
    std::process::exit(1);
}

/// Answers a call, unless all are to be held.
async fn answer(
    call: Call,
    number: usize,
    mut log: &File,
    state: &Mutex<State>,
) -> Result<String, CallError> {
    let lock = || state.lock().expect("nobody panics with it");
    let body = call.body.as_text().expect("it is text");
    log.write_all(format!("{body}\n").as_bytes())
        .expect("the folder is ours");
    lock().undecided += 1;
    lock().note_full();
    // Others begin meanwhile, so that several calls are in work.
    tokio::task::yield_now().await;
    let is_held = {
        let mut state = lock();
        state.undecided -= u32::from(!state.is_holding);
        state.is_holding
    };
    if is_held {
        std::future::pending::<()>().await;
    }
    Ok(reply_of(number, body))
}

#[test]
#[ignore = "tests run it as a responder that they end"]
fn child_responder_answers_until_its_end() {
    let [Ok(endpoint), Ok(log), Ok(number)] = [ENDPOINT, LOG, NUMBER].map(std::env::var) else {
        return;
    };
    let number = number.parse().expect("it is a number");
    let log = OpenOptions::new().append(true).create_new(true).open(log);
    let log = Arc::new(log.expect("no other responder has its number"));
    let state = Arc::<Mutex<State>>::default();
    let obeyed = Arc::clone(&state);
    std::thread::spawn(move || obey(&obeyed));
    block_on(async {
        let mut stop = signal(SignalKind::terminate()).expect("it may be handled");
        let builder = Client::builder(endpoint.parse().expect("it is an endpoint"));
        let connecting = builder.user("rui").password(PASSWORD).connect();
        let (client, events) = connecting.await.expect("the server is there");
        drop(events);
        let offer = client.offer(SERVICE, move |call| {
            let (log, state) = (Arc::clone(&log), Arc::clone(&state));
            async move { answer(call, number, &log, &state).await }
        });
        let responder = offer.limit(LIMIT).await.expect("it may");
        println!("{OFFERED}{}", client.who_am_i().session);
        stop.recv().await;
        responder.withdraw().await.expect("it is offered");
        client.fim().await.expect("it ends in order");
    });
}
