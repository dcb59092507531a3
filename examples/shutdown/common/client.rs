//! The client: sends requests, and records the complete replies and the end of the connection.

use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::ops::RangeInclusive;
use std::os::unix::net::UnixStream;
use std::thread::sleep;
use std::time::Duration;

use super::{FIM, REPLY};

/// How long the client waits for the server. A server that takes longer hangs, which none of the
/// lessons is meant to show.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct Client {
    socket: UnixStream,
    asked: u32,
    /// The pause before each reply is read.
    pause: Duration,
}

/// Everything that the client received until the end of the connection.
pub(crate) struct Received {
    pub(crate) asked: u32,
    /// The numbers of the replies, in the order of arrival.
    pub(crate) replies: Vec<u32>,
    pub(crate) end: End,
}

/// The end of a connection, as the client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// `closing` was the last frame, and then the stream ended. `closing` has the number of
    /// accepted requests.
    Closing { accepted: u32 },
    /// `closing`, and then an error instead of the end.
    ClosingAndBroken { accepted: u32, kind: ErrorKind },
    /// The end of the stream without `closing`.
    Silence,
    /// The end of the stream in the middle of a reply.
    HalfAReply { bytes: usize },
    /// An error of the transport.
    Broken(ErrorKind),
}

impl Client {
    pub(crate) fn new(socket: UnixStream) -> Self {
        let set = socket.set_read_timeout(Some(READ_TIMEOUT));
        set.expect("the time is not zero");
        Client {
            socket,
            asked: 0,
            pause: Duration::ZERO,
        }
    }

    /// Creates a client that reads slowly.
    pub(crate) fn slow(socket: UnixStream) -> Self {
        Client {
            pause: Duration::from_millis(2),
            ..Client::new(socket)
        }
    }

    /// Sends requests, one write each, so that each is one message on a seqpacket socket.
    pub(crate) fn ask(&mut self, ids: RangeInclusive<u32>) {
        for id in ids {
            self.send(id);
            self.asked += 1;
        }
    }

    pub(crate) fn fim(&mut self) {
        self.send(FIM);
    }

    fn send(&mut self, id: u32) {
        // A server that has gone is noticed by `receive`.
        let _ = self.socket.write_all(&id.to_be_bytes());
    }

    /// Reads until the end of the connection, and closes the socket.
    pub(crate) fn receive(mut self) -> Received {
        let mut replies = Vec::new();
        let end = loop {
            sleep(self.pause);
            let mut frame = [0; REPLY];
            if let Err(end) = self.frame(&mut frame) {
                break end;
            }
            match number(&frame, 0) {
                FIM => break self.after_closing(number(&frame, 4)),
                id => replies.push(id),
            }
        };
        Received {
            asked: self.asked,
            replies,
            end,
        }
    }

    /// Reads the end of the stream: the server shuts its write side after `closing`.
    fn after_closing(&mut self, accepted: u32) -> End {
        match self.frame(&mut [0; REPLY]) {
            Err(End::Broken(kind)) => End::ClosingAndBroken { accepted, kind },
            Err(_) => End::Closing { accepted },
            Ok(()) => panic!("a frame behind `closing`"),
        }
    }

    fn frame(&mut self, frame: &mut [u8; REPLY]) -> Result<(), End> {
        let mut bytes = 0;
        while bytes < REPLY {
            match self.socket.read(&mut frame[bytes..]) {
                Ok(0) if bytes == 0 => return Err(End::Silence),
                Ok(0) => return Err(End::HalfAReply { bytes }),
                Ok(n) => bytes += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(End::Broken(error.kind())),
            }
        }
        Ok(())
    }
}

fn number(frame: &[u8; REPLY], at: usize) -> u32 {
    let bytes = frame[at..at + 4].try_into();
    u32::from_be_bytes(bytes.expect("these are 4 bytes"))
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Closing { accepted } => write!(f, "closing: {accepted} accepted"),
            End::ClosingAndBroken { accepted, kind } => {
                write!(f, "closing: {accepted} accepted, then {kind}")
            }
            End::Silence => f.write_str("the end, and no closing"),
            End::HalfAReply { bytes } => write!(f, "{bytes} of {REPLY} bytes of a reply, the end"),
            End::Broken(kind) => write!(f, "{kind}"),
        }
    }
}
