//! The bodies that a command sends: its arguments, or the lines of stdin.
//!
//! A thread reads stdin and passes lines on in batches. A batch is passed on when it is full, or
//! when the next line is not there yet. The lines that wait to be sent are bounded in bytes.

use std::io::{self, BufReader};
use std::thread;

use arauto::Body;
use tokio::sync::mpsc;

use super::bounded::{LineError, Lines};
use super::exit::{Failure, sysexits};

/// Batches that may wait to be sent.
const QUEUE: usize = 4;

/// A batch is passed on when it has this many bytes.
const BATCH: usize = 64 << 10;

type Batch = Result<Vec<Vec<u8>>, LineError>;

/// The bodies to send, in order.
pub(super) struct Input {
    source: Source,
    number: u64,
}

enum Source {
    Arguments(std::vec::IntoIter<String>),
    Lines {
        batches: mpsc::Receiver<Batch>,
        ready: std::vec::IntoIter<Vec<u8>>,
    },
}

impl Input {
    /// Creates an input of the arguments, or without arguments of the lines of stdin. A line may
    /// have `longest` bytes.
    ///
    /// # Errors
    /// The thread that reads stdin cannot be started.
    pub(super) fn new(arguments: Vec<String>, longest: usize) -> Result<Input, Failure> {
        let source = match arguments.is_empty() {
            false => Source::Arguments(arguments.into_iter()),
            true => lines(longest)?,
        };
        Ok(Input { source, number: 0 })
    }

    /// Returns the next body: text, or bytes if a line is not UTF-8. `None`: the end.
    ///
    /// # Errors
    /// Stdin cannot be read, or a line is too long.
    pub(super) async fn next(&mut self) -> Result<Option<Body<'static>>, Failure> {
        let next = match &mut self.source {
            Source::Arguments(arguments) => arguments.next().map(Body::from),
            Source::Lines { batches, ready } => loop {
                if let Some(line) = ready.next() {
                    break Some(body(line));
                }
                match batches.recv().await {
                    None => break None,
                    Some(Ok(batch)) => *ready = batch.into_iter(),
                    Some(Err(error)) => return Err(read_failed(&error)),
                }
            },
        };
        self.number += u64::from(next.is_some());
        Ok(next)
    }

    /// Returns the next body if it is there already.
    pub(super) fn next_ready(&mut self) -> Option<Body<'static>> {
        let next = match &mut self.source {
            Source::Arguments(arguments) => arguments.next().map(Body::from),
            Source::Lines { ready, .. } => ready.next().map(body),
        };
        self.number += u64::from(next.is_some());
        next
    }

    /// Returns the position of the last body, for error messages about it.
    pub(super) fn position(&self) -> String {
        match self.source {
            Source::Arguments(_) => format!("argument {}", self.number),
            Source::Lines { .. } => format!("line {}", self.number),
        }
    }
}

fn read_failed(error: &LineError) -> Failure {
    match error {
        LineError::Io(error) => {
            let message = format!("cannot read stdin: {error}");
            Failure::new(sysexits::NOINPUT, message)
        }
        LineError::TooLong { .. } => {
            let message = format!("stdin: {error}, the server's limit");
            Failure::new(sysexits::DATAERR, message)
        }
    }
}

fn lines(longest: usize) -> Result<Source, Failure> {
    let (sender, batches) = mpsc::channel(QUEUE);
    thread::Builder::new()
        .name("arauto-stdin".to_owned())
        .spawn(move || read(longest, &sender))
        .map_err(|error| {
            let message = format!("cannot start a thread to read stdin: {error}");
            Failure::new(sysexits::OSERR, message)
        })?;
    Ok(Source::Lines {
        batches,
        ready: Vec::new().into_iter(),
    })
}

fn read(longest: usize, sender: &mpsc::Sender<Batch>) {
    let input = BufReader::with_capacity(BATCH, io::stdin().lock());
    // One byte more: a carriage return at the end is not a part of the body.
    let mut lines = Lines::new(input, longest.saturating_add(1));
    let mut number = 0;
    loop {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let end = loop {
            number += 1;
            match next(&mut lines, number, longest) {
                Ok(Some(line)) => {
                    bytes += line.len();
                    batch.push(line);
                }
                Ok(None) => break Some(None),
                Err(error) => break Some(Some(error)),
            }
            if bytes >= BATCH || !lines.has_next() {
                break None;
            }
        };
        if !batch.is_empty() && sender.blocking_send(Ok(batch)).is_err() {
            return; // the receiver has gone
        }
        match end {
            None => {}
            Some(None) => return,
            Some(Some(error)) => {
                let _ = sender.blocking_send(Err(error)); // the receiver may have gone
                return;
            }
        }
    }
}

fn next<R: io::BufRead>(
    lines: &mut Lines<R>,
    number: u64,
    limit: usize,
) -> Result<Option<Vec<u8>>, LineError> {
    let too_long = LineError::TooLong { number, limit };
    match lines.next() {
        Ok(Some(mut line)) => {
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            match line.len() > limit {
                true => Err(too_long),
                false => Ok(Some(line)),
            }
        }
        Err(LineError::TooLong { .. }) => Err(too_long),
        other => other,
    }
}

/// Returns a body: text, or bytes if they are not UTF-8.
pub(super) fn body(line: Vec<u8>) -> Body<'static> {
    match String::from_utf8(line) {
        Ok(text) => Body::from(text),
        Err(error) => Body::from(error.into_bytes()),
    }
}
