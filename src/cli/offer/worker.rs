//! `arauto offer --lines`: one process answers all calls, a line in, a line out.
//!
//! Invariants:
//! - one call at a time has the process, so the next line that it prints is that call's;
//! - a process whose line did not come, or that printed more, is killed: its next line would be the
//!   answer to another call;
//! - starts behind a failure wait, longer each time until a call is answered.

use std::process::Stdio;
use std::time::{Duration, Instant};

use arauto::{Backoff, Body, Call, CallError, CallReply};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::Mutex;
use tokio::time::{sleep_until, timeout};

use super::command::{not_started, too_long};
use super::process::{GroupProcess, Program};
use crate::cli::input::body;

/// How long the process has to end once its input is closed.
const FAREWELL: Duration = Duration::from_secs(2);

/// A process that answers calls by lines. It is started again where needed.
pub(super) struct LineWorker {
    program: Program,
    /// The longest line, in bytes.
    longest: usize,
    slot: Mutex<Slot>,
}

/// The place of the process.
#[derive(Default)]
struct Slot {
    process: Option<LineProcess>,
    backoff: Backoff,
    /// No process is started before.
    not_before: Option<Instant>,
}

impl LineWorker {
    /// Starts the process.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn start(program: Program, longest: usize) -> Result<LineWorker, CallError> {
        let slot = Slot {
            process: Some(LineProcess::start(&program)?),
            ..Slot::default()
        };
        Ok(LineWorker {
            program,
            longest,
            slot: Mutex::new(slot),
        })
    }

    /// Answers a call. Cancel safety: the process is killed if it has the call.
    pub(super) async fn answer(&self, call: &Call) -> Result<CallReply, CallError> {
        let line = line_of(&call.body)?;
        let mut slot = self.slot.lock().await;
        let mut process = slot.ready(&self.program).await?;
        match process.exchange(&line, self.longest).await {
            Ok(reply) => {
                slot.backoff.reset();
                slot.not_before = None;
                slot.process = Some(process);
                Ok(CallReply::new(body(reply)))
            }
            Err(error) => {
                slot.note_failure();
                Err(error)
            }
        }
    }

    /// Kills the process.
    pub(super) async fn kill(&self) {
        let process = self.slot.lock().await.process.take();
        drop(process);
    }

    /// Closes the input of the process, and waits for its end for a moment.
    pub(super) async fn finish(&self) {
        if let Some(process) = self.slot.lock().await.process.take() {
            let _ = timeout(FAREWELL, process.finish()).await; // it is killed then
        }
    }
}

impl Slot {
    /// Returns the process, or a new one.
    async fn ready(&mut self, program: &Program) -> Result<LineProcess, CallError> {
        if let Some(mut process) = self.process.take() {
            if process.is_in_step() {
                return Ok(process);
            }
            self.note_failure();
        }
        if let Some(at) = self.not_before {
            sleep_until(at.into()).await;
        }
        let started = LineProcess::start(program);
        if started.is_err() {
            self.note_failure();
        }
        started
    }

    /// Notes that the process has ended or was not started.
    fn note_failure(&mut self) {
        let wait = self.backoff.next_wait(None).unwrap_or_default();
        self.not_before = Some(Instant::now() + wait);
    }
}

/// One process.
struct LineProcess {
    process: GroupProcess,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl LineProcess {
    fn start(program: &Program) -> Result<LineProcess, CallError> {
        let mut command = program.command();
        command.stderr(Stdio::inherit());
        let mut process = GroupProcess::start(&mut command).map_err(|error| not_started(&error))?;
        let child = process.child();
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            let problem = "the program has no pipes";
            return Err(CallError::new("not-started", problem));
        };
        Ok(LineProcess {
            process,
            stdin,
            stdout: BufReader::new(stdout),
        })
    }

    /// Whether the process runs, and has printed nothing unasked.
    fn is_in_step(&mut self) -> bool {
        matches!(self.process.child().try_wait(), Ok(None)) && self.stdout.buffer().is_empty()
    }

    /// Sends a line and reads the next one.
    async fn exchange(&mut self, line: &[u8], longest: usize) -> Result<Vec<u8>, CallError> {
        let LineProcess { stdin, stdout, .. } = self;
        let writing = async {
            stdin.write_all(line).await?;
            stdin.flush().await
        };
        // At the same time: the process may print before it has read the whole line.
        let (written, reply) = tokio::join!(writing, read_line(stdout, longest));
        let reply = reply?;
        written.map_err(|_| ended())?;
        Ok(reply)
    }

    async fn finish(self) {
        let LineProcess {
            mut process,
            stdin,
            stdout,
        } = self;
        drop((stdin, stdout));
        let _ = process.child().wait().await; // its exit code means nothing now
    }
}

/// Returns the body as a line, with its line feed.
fn line_of(body: &Body<'_>) -> Result<Vec<u8>, CallError> {
    let mut line = body.as_bytes().to_vec();
    if line.contains(&b'\n') {
        let problem = "the request has more than one line";
        return Err(CallError::new("not-a-line", problem));
    }
    line.push(b'\n');
    Ok(line)
}

/// Reads a line, and takes off its ending.
async fn read_line(
    output: &mut (impl AsyncBufRead + Unpin),
    longest: usize,
) -> Result<Vec<u8>, CallError> {
    let mut line = Vec::new();
    loop {
        let part = output.fill_buf().await.map_err(|_| ended())?;
        if part.is_empty() {
            return Err(ended());
        }
        let end = part.iter().position(|byte| *byte == b'\n');
        line.extend_from_slice(&part[..end.unwrap_or(part.len())]);
        let used = end.map_or(part.len(), |end| end + 1);
        output.consume(used);
        let is_over = end.is_some();
        if is_over && line.last() == Some(&b'\r') {
            line.pop();
        }
        if line.len() > longest {
            return Err(too_long(longest));
        }
        if is_over {
            return Ok(line);
        }
    }
}

fn ended() -> CallError {
    CallError::new("ended", "the program ended before it answered")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(output: &[u8], longest: usize) -> Result<Vec<u8>, String> {
        let mut output = BufReader::with_capacity(4, output);
        let line = read_line(&mut output, longest).await;
        line.map_err(|error| error.code().to_owned())
    }

    #[tokio::test]
    async fn line_is_read_without_its_ending_and_within_its_limit() {
        assert_eq!(
            read(b"resposta\r\nmais\n", 8).await,
            Ok(b"resposta".to_vec())
        );
        assert_eq!(read(b"\n", 8).await, Ok(Vec::new()));
        let code = |code: &str| Err(code.to_owned());
        assert_eq!(read(b"respostas\n", 8).await, code("output-too-long"));
        assert_eq!(read(&[b'x'; 10_000], 8).await, code("output-too-long"));
        assert_eq!(read(b"resp", 8).await, code("ended"));
    }

    #[test]
    fn body_of_two_lines_is_no_line() {
        assert_eq!(line_of(&Body::text("um")), Ok(b"um\n".to_vec()));
        let error = line_of(&Body::text("um\ndois")).expect_err("it has two");
        assert_eq!(error.code(), "not-a-line");
    }
}
