//! A client that speaks bare frames.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_cbor::Value;

use super::PASSWORD;
use super::frame::{Frame, ask, login, publish, request, text};
use super::os::{self, Stream};
use crate::contract;

/// Longer than anything that a test waits for on a socket.
const PATIENCE: Duration = Duration::from_secs(50);

/// What a raw client travels on.
pub trait Wire: Read + Write + Send {
    fn shut(&self);
    #[cfg(unix)] // a pipe has no side of its own
    fn shut_write(&self);
}

impl Wire for Stream {
    fn shut(&self) {
        os::end(self);
    }

    #[cfg(unix)]
    fn shut_write(&self) {
        let _ = self.shutdown(std::net::Shutdown::Write);
    }
}

impl Wire for TcpStream {
    fn shut(&self) {
        let _ = self.shutdown(std::net::Shutdown::Both); // or it is gone already
    }

    #[cfg(unix)]
    fn shut_write(&self) {
        let _ = self.shutdown(std::net::Shutdown::Write);
    }
}

/// A client on a local endpoint or on TCP, blocking.
pub struct Raw {
    wire: Box<dyn Wire>,
    buffer: Vec<u8>,
    at: usize,
}

impl Raw {
    pub fn local(stream: Stream) -> Raw {
        Raw::over(Box::new(stream))
    }

    pub fn tcp(stream: TcpStream) -> Raw {
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("it is a socket");
        Raw::over(Box::new(stream))
    }

    pub(super) fn over(wire: Box<dyn Wire>) -> Raw {
        Raw {
            wire,
            buffer: Vec::new(),
            at: 0,
        }
    }

    /// Sends a frame that the contract allows.
    pub fn send(&mut self, frame: &Frame) {
        contract::client_sends(frame);
        self.send_bytes(&frame.bytes());
    }

    /// Sends what may be against the contract.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.try_send(bytes).expect("the server reads");
    }

    /// Sends to a server that may have closed already.
    pub fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.wire.write_all(bytes)
    }

    /// The next frame; `None` at the end.
    pub fn recv(&mut self) -> Option<Frame> {
        self.recv_item(|item| {
            let frame = Frame::parse(item);
            contract::server_sends(&frame, item);
            frame
        })
    }

    /// The next frame's item, as bytes: for tests with too many frames to look at
    /// each one closely.
    pub fn recv_item<T>(&mut self, take: impl FnOnce(&[u8]) -> T) -> Option<T> {
        loop {
            let bytes = &self.buffer[self.at..];
            if let Some((prefix, rest)) = bytes.split_first_chunk::<4>() {
                let length = u32::from_be_bytes(*prefix) as usize;
                if let Some(item) = rest.get(..length) {
                    let taken = take(item);
                    self.at += 4 + length;
                    return Some(taken);
                }
            }
            self.buffer.drain(..self.at);
            self.at = 0;
            if !self.read_more() {
                return None;
            }
        }
    }

    fn read_more(&mut self) -> bool {
        let mut chunk = vec![0; 256 * 1024]; // a message must find room for all of it
        match self.wire.read(&mut chunk) {
            Ok(length) => {
                self.buffer.extend_from_slice(&chunk[..length]);
                length > 0
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("nothing more to read: {error}"),
        }
    }

    /// Whether the last bytes before the end were a whole frame.
    pub fn ended_whole(&self) -> bool {
        self.buffer.len() == self.at
    }

    /// The next frame, which is called `name`.
    pub fn expect(&mut self, name: &str) -> Frame {
        let frame = self
            .recv()
            .unwrap_or_else(|| panic!("the end instead of {name}"));
        assert!(frame.is(name), "{frame:?} instead of {name}");
        frame
    }

    /// The next frame that is called `name`.
    pub fn skip_to(&mut self, name: &str) -> Frame {
        let mut frames = self.until(name);
        frames.pop().expect("it ends with that frame")
    }

    /// Every frame up to the next that is called `name`, and that one.
    pub fn until(&mut self, name: &str) -> Vec<Frame> {
        let mut frames = Vec::new();
        loop {
            match self.recv() {
                Some(frame) => frames.push(frame),
                None => panic!("the end before {name}, after {frames:?}"),
            }
            if frames.last().is_some_and(|frame| frame.is(name)) {
                return frames;
            }
        }
    }

    /// The next frame is an error with this code.
    pub fn expect_error(&mut self, code: &str) -> Frame {
        let error = self.expect("error");
        assert_eq!(error.text("code"), code, "{error:?}");
        assert!(
            !error.text("message").is_empty(),
            "a person must be told something"
        );
        error
    }

    /// The next frames are `closing` and the end.
    pub fn expect_closing(&mut self, reason: &str) -> Frame {
        let closing = self.expect("closing");
        assert_eq!(closing.text("reason"), reason, "{closing:?}");
        self.expect_end();
        closing
    }

    pub fn expect_end(&mut self) {
        let more = self.recv();
        assert_eq!(more, None, "closing is the last frame");
        assert!(self.ended_whole(), "the end came within a frame");
    }

    /// Logs in with everybody's password.
    pub fn log_in(&mut self, user: &str) -> Frame {
        self.send(&login(0, user, PASSWORD));
        self.expect("logged_in")
    }

    pub fn ask(&mut self, name: &str, id: u64) {
        self.send(&ask(name, id));
    }

    pub fn request(&mut self, id: u64, body: &str) {
        self.send(&request(id, text(body)));
    }

    pub fn publish(&mut self, id: u64, body: &str) {
        self.send(&publish(id, text(body)));
    }

    pub fn ack(&mut self, seq: u64) {
        self.send(&Frame::new("ack", [("seq", Value::Integer(seq.into()))]));
    }

    /// Asks and waits for the answer: whatever was sent before has been served.
    pub fn ping(&mut self) {
        self.ask("ping", 999);
        self.skip_to("pong");
    }

    /// Ends the session with `fim`; its `closing`.
    pub fn fim(&mut self) -> Frame {
        self.ask("fim", 998);
        let closing = self.skip_to("closing");
        self.expect_end();
        assert_eq!(closing.text("reason"), "fim");
        closing
    }

    /// Says that nothing more will be sent.
    #[cfg(unix)]
    pub fn shut_write(&self) {
        self.wire.shut_write();
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.wire.shut();
    }
}
