//! The two kinds of clients: callers and responders.

use std::task::Poll;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::engine::client::{Client, Decoder};
use crate::engine::error::Error;
use crate::engine::output::Output;
use crate::load::socket::context;
use crate::meter::show;
use crate::net::Socket;
use crate::peer::services::framing::Input;
use crate::peer::services::numbered::Numbered;
use crate::peer::services::{self, Answers};

/// A client that calls, and calls again when it has the reply.
#[derive(Debug)]
pub struct Caller {
    /// Its connection.
    pub client: Client<Socket, Replies, Request>,
    calls: u32,
    /// When the last call was begun.
    begin: Instant,
}

impl Caller {
    /// Creates a caller that has not called yet.
    pub fn new(connection: Socket, caller: services::Caller) -> Caller {
        let client = Client {
            connection,
            decoder: Replies {
                input: Input::new(caller.framing),
                expected: caller.reply,
                waits: false,
            },
            output: Request {
                written: caller.request.bytes().len(),
                frame: caller.request,
            },
        };
        Caller {
            client,
            calls: 0,
            begin: Instant::now(),
        }
    }

    /// Returns how many calls it has begun.
    pub fn calls(&self) -> u64 {
        self.calls.into()
    }

    /// Begins the next call.
    pub fn call(&mut self) -> Result<()> {
        let Client {
            decoder, output, ..
        } = &mut self.client;
        decoder.expected.set(self.calls);
        decoder.waits = true;
        output.frame.set(self.calls);
        output.written = 0;
        self.calls += 1;
        self.begin = Instant::now();
        self.write()
    }

    /// Writes what the connection has not taken before.
    pub fn write(&mut self) -> Result<()> {
        Ok(self.client.poll_write(&mut context(), 1)?)
    }

    /// Reads once, and returns how long the call has taken if its reply is whole now.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<Option<Duration>> {
        let waited = self.client.decoder.waits;
        read(&mut self.client, buffer)?;
        let is_answered = waited && !self.client.decoder.waits;
        Ok(is_answered.then(|| self.begin.elapsed()))
    }
}

/// A client that answers each call at once.
#[derive(Debug)]
pub struct Responder {
    /// Its connection.
    pub client: Client<Socket, Calls, Unsent>,
}

impl Responder {
    /// Creates a responder that has got no call yet.
    pub fn new(connection: Socket, responder: services::Responder) -> Responder {
        let client = Client {
            connection,
            decoder: Calls {
                input: Input::new(responder.framing),
                answers: responder.answers,
                answered: Vec::new(),
            },
            output: Unsent::default(),
        };
        Responder { client }
    }

    /// Reads once, and answers all calls that are whole now with one write. Returns whether
    /// there were any.
    pub fn serve(&mut self, buffer: &mut [u8]) -> Result<bool> {
        read(&mut self.client, buffer)?;
        let Client {
            decoder, output, ..
        } = &mut self.client;
        if decoder.answered.is_empty() {
            return Ok(false);
        }
        output.bytes.append(&mut decoder.answered);
        self.write()?;
        Ok(true)
    }

    /// Writes what the connection has not taken before.
    pub fn write(&mut self) -> Result<()> {
        Ok(self.client.poll_write(&mut context(), 1)?)
    }
}

fn read<D: Decoder, O>(client: &mut Client<Socket, D, O>, buffer: &mut [u8]) -> Result<()> {
    match client.poll_read(&mut context(), buffer) {
        Poll::Ready(Ok(0)) => bail!("the server closed a connection"),
        Poll::Ready(read) => read.map(drop).context("a client"),
        Poll::Pending => Ok(()),
    }
}

/// The replies that a caller gets.
#[derive(Debug)]
pub struct Replies {
    input: Input,
    /// The reply to the last call.
    expected: Numbered,
    /// Whether it has not come yet.
    waits: bool,
}

impl Decoder for Replies {
    fn decode(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Replies {
            input,
            expected,
            waits,
        } = self;
        let fed = input.feed(bytes, |reply| {
            let is_expected = std::mem::replace(waits, false) && reply == expected.bytes();
            ensure!(is_expected, "not the reply to its call: {:?}", show(reply));
            Ok(())
        });
        fed.map_err(|error| Error::Protocol(format!("{error:#}")))
    }
}

/// The request of a caller's last call.
#[derive(Debug)]
pub struct Request {
    frame: Numbered,
    written: usize,
}

impl Output for Request {
    fn is_due(&self) -> bool {
        self.written < self.frame.bytes().len()
    }

    fn offer(&self) -> &[u8] {
        &self.frame.bytes()[self.written..]
    }

    fn advance(&mut self, written: usize) {
        self.written += written;
    }
}

/// The calls that a responder gets.
#[derive(Debug)]
pub struct Calls {
    input: Input,
    answers: Answers,
    /// The answers to the calls of the last read.
    answered: Vec<u8>,
}

impl Decoder for Calls {
    fn decode(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Calls {
            input,
            answers,
            answered,
        } = self;
        let fed = input.feed(bytes, |call| answers.answer(call, answered));
        fed.map_err(|error| Error::Protocol(format!("{error:#}")))
    }
}

/// The answers that a responder has not written yet.
#[derive(Debug, Default)]
pub struct Unsent {
    bytes: Vec<u8>,
    written: usize,
}

impl Output for Unsent {
    fn is_due(&self) -> bool {
        !self.bytes.is_empty()
    }

    fn offer(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    fn advance(&mut self, written: usize) {
        self.written += written;
        if self.written == self.bytes.len() {
            self.bytes.clear();
            self.written = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::services::framing::{Framing, Length};
    use crate::peer::services::numbered::DIGITS;

    fn replies() -> Replies {
        let template = format!("re{DIGITS}").into_bytes();
        Replies {
            input: Input::new(Framing {
                length: Length::Same(template.len()),
                head: b"re".to_vec(),
                skipped: None,
            }),
            expected: Numbered::new(template),
            waits: true,
        }
    }

    #[test]
    fn reply_to_another_call_and_second_reply_are_errors() {
        let mut decoder = replies();
        decoder.expected.set(7);
        decoder.decode(b"re00000").expect("half a reply");
        assert!(decoder.waits);
        decoder.decode(b"00007").expect("the other half");
        assert!(!decoder.waits);
        assert!(decoder.decode(b"re0000000007").is_err());
        assert!(replies().decode(b"re0000000001").is_err());
    }
}
