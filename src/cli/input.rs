//! What a command sends: its arguments, or the lines of stdin.
//!
//! Lines that wait to be sent are bounded in bytes: they travel from the reading thread in
//! batches, each sent on as soon as the next line would have to be waited for.

use std::io::{self, BufReader};
use std::thread;

use arauto::Body;
use tokio::sync::mpsc;

use super::bounded::{LineError, Lines};
use super::exit::{Failure, sysexits};

/// Batches that may wait to be sent.
const QUEUE: usize = 4;

/// A batch is sent on when it has this many bytes.
const BATCH: usize = 64 << 10;

type Batch = Result<Vec<Vec<u8>>, LineError>;

/// The bodies to send, one after the other.
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
    /// The arguments; where there are none, the lines of stdin, read on a thread of its
    /// own. A line may have `longest` bytes.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub(super) fn new(arguments: Vec<String>, longest: usize) -> Result<Input, Failure> {
        let source = match arguments.is_empty() {
            false => Source::Arguments(arguments.into_iter()),
            true => lines(longest)?,
        };
        Ok(Input { source, number: 0 })
    }

    /// The next body: text, or bytes where a line is no UTF-8.
    ///
    /// # Errors
    /// Stdin cannot be read, or has a line that is too long.
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
                    Some(Err(error)) => return Err(unread(&error)),
                }
            },
        };
        self.number += u64::from(next.is_some());
        Ok(next)
    }

    /// Returns the name of the last body, for the error that refuses it.
    pub(super) fn place(&self) -> String {
        match self.source {
            Source::Arguments(_) => format!("argument {}", self.number),
            Source::Lines { .. } => format!("line {}", self.number),
        }
    }
}

fn unread(error: &LineError) -> Failure {
    match error {
        LineError::Io(error) => {
            let message = format!("stdin cannot be read: {error}");
            Failure::new(sysexits::NOINPUT, message)
        }
        LineError::TooLong { .. } => {
            let message = format!("stdin: {error}, the most that the server takes");
            Failure::new(sysexits::DATAERR, message)
        }
    }
}

fn lines(longest: usize) -> Result<Source, Failure> {
    let (sender, batches) = mpsc::channel(QUEUE);
    thread::Builder::new()
        .name("arauto-stdin".to_owned())
        .spawn(move || read(longest, &sender))
        .map_err(|error| Failure::new(sysexits::OSERR, format!("no thread: {error}")))?;
    Ok(Source::Lines {
        batches,
        ready: Vec::new().into_iter(),
    })
}

fn read(longest: usize, sender: &mpsc::Sender<Batch>) {
    let input = BufReader::with_capacity(BATCH, io::stdin().lock());
    // The carriage return of another system's line is none of the body's.
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
            return; // nobody sends any more
        }
        match end {
            None => {}
            Some(None) => return,
            Some(Some(error)) => {
                let _ = sender.blocking_send(Err(error)); // or nobody sends any more
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

fn body(line: Vec<u8>) -> Body<'static> {
    match String::from_utf8(line) {
        Ok(text) => Body::from(text),
        Err(error) => Body::from(error.into_bytes()),
    }
}
