//! What a command sends: its arguments, or the lines of stdin.

use std::io::{self, BufRead};

use arauto::Body;
use tokio::sync::mpsc;

use super::exit::{Failure, sysexits};

/// Lines that may wait to be sent.
const QUEUE: usize = 1024;

/// The bodies to send, one after the other.
pub(super) enum Input {
    Arguments(std::vec::IntoIter<String>),
    Lines(mpsc::Receiver<io::Result<Vec<u8>>>),
}

impl Input {
    /// The arguments; where there are none, stdin, read on a thread of its own.
    pub(super) fn new(arguments: Vec<String>) -> Input {
        if !arguments.is_empty() {
            return Input::Arguments(arguments.into_iter());
        }
        let (sender, lines) = mpsc::channel(QUEUE);
        std::thread::spawn(move || {
            for line in io::stdin().lock().split(b'\n') {
                if sender.blocking_send(line).is_err() {
                    return; // nobody sends any more
                }
            }
        });
        Input::Lines(lines)
    }

    /// The next body: text, or bytes where a line is no UTF-8.
    pub(super) async fn next(&mut self) -> Result<Option<Body<'static>>, Failure> {
        match self {
            Input::Arguments(arguments) => Ok(arguments.next().map(Body::from)),
            Input::Lines(lines) => match lines.recv().await {
                None => Ok(None),
                Some(Ok(line)) => Ok(Some(body(line))),
                Some(Err(error)) => {
                    let message = format!("stdin cannot be read: {error}");
                    Err(Failure::new(sysexits::NOINPUT, message))
                }
            },
        }
    }
}

fn body(mut line: Vec<u8>) -> Body<'static> {
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    match String::from_utf8(line) {
        Ok(text) => Body::from(text),
        Err(error) => Body::from(error.into_bytes()),
    }
}
