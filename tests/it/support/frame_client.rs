//! A client that sends and receives frames of the cbor dialect, without the client library.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_cbor::Value;

use super::PASSWORD;
use super::frame::{Frame, ask, login, publish, request, text};
use super::os::{self, Stream};
use crate::contract;

/// The time limit of a read: longer than anything that a test waits for.
const TIME_LIMIT: Duration = Duration::from_secs(50);

/// The connection of a client: a socket, a pipe or TLS.
pub trait ClientSocket: Read + Write + Send {
    fn shut(&self);
    #[cfg(unix)] // a pipe cannot shut one side
    fn shut_write(&self);
}

impl ClientSocket for Stream {
    fn shut(&self) {
        os::end(self);
    }

    #[cfg(unix)]
    fn shut_write(&self) {
        let _ = self.shutdown(std::net::Shutdown::Write);
    }
}

impl ClientSocket for TcpStream {
    fn shut(&self) {
        let _ = self.shutdown(std::net::Shutdown::Both); // it may be closed already
    }

    #[cfg(unix)]
    fn shut_write(&self) {
        let _ = self.shutdown(std::net::Shutdown::Write);
    }
}

/// A blocking client.
pub struct FrameClient {
    wire: Box<dyn ClientSocket>,
    buffer: Vec<u8>,
    at: usize,
}

impl FrameClient {
    pub fn local(stream: Stream) -> FrameClient {
        FrameClient::over(Box::new(stream))
    }

    pub fn tcp(stream: TcpStream) -> FrameClient {
        stream
            .set_read_timeout(Some(TIME_LIMIT))
            .expect("it is a socket");
        FrameClient::over(Box::new(stream))
    }

    pub(super) fn over(wire: Box<dyn ClientSocket>) -> FrameClient {
        FrameClient {
            wire,
            buffer: Vec::new(),
            at: 0,
        }
    }

    /// Sends a frame, after checking that the contract allows it.
    pub fn send(&mut self, frame: &Frame) {
        contract::client_sends(frame);
        self.send_bytes(&frame.bytes());
    }

    /// Sends bytes, which may violate the contract.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.try_send(bytes).expect("the server reads");
    }

    /// Sends bytes to a server that may have closed the connection.
    pub fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.wire.write_all(bytes)
    }

    /// Returns the next frame; `None` at the end of the input.
    pub fn recv(&mut self) -> Option<Frame> {
        self.recv_item(|item| {
            let frame = Frame::parse(item);
            contract::server_sends(&frame, item);
            frame
        })
    }

    /// Passes the bytes of the next frame's item to `take`: for tests with too many frames to
    /// decode each one.
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
        let mut chunk = vec![0; 256 * 1024]; // a seqpacket message must fit whole
        match self.wire.read(&mut chunk) {
            Ok(length) => {
                self.buffer.extend_from_slice(&chunk[..length]);
                length > 0
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("nothing more to read: {error}"),
        }
    }

    /// Returns whether the input ended at the end of a frame.
    pub fn ended_whole(&self) -> bool {
        self.buffer.len() == self.at
    }

    /// Returns the next frame, and asserts its name.
    pub fn expect(&mut self, name: &str) -> Frame {
        let frame = self
            .recv()
            .unwrap_or_else(|| panic!("the end instead of {name}"));
        assert!(frame.is(name), "{frame:?} instead of {name}");
        frame
    }

    /// Skips to the next frame of this name, and returns it.
    pub fn skip_to(&mut self, name: &str) -> Frame {
        let mut frames = self.until(name);
        frames.pop().expect("it ends with that frame")
    }

    /// Returns every frame up to and including the next one of this name.
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

    /// Asserts that the next frame is an error with this code, and returns it.
    pub fn expect_error(&mut self, code: &str) -> Frame {
        let error = self.expect("error");
        assert_eq!(error.text("code"), code, "{error:?}");
        assert!(
            !error.text("message").is_empty(),
            "an error has a message for people"
        );
        error
    }

    /// Asserts that `closing` and the end come next, and returns `closing`.
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

    /// Logs in with [`PASSWORD`], and returns the answer.
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

    /// Sends a ping and waits for the pong: all earlier frames have been served then.
    pub fn ping(&mut self) {
        self.ask("ping", 999);
        self.skip_to("pong");
    }

    /// Ends the session with `fim`, and returns its `closing`.
    pub fn fim(&mut self) -> Frame {
        self.ask("fim", 998);
        let closing = self.skip_to("closing");
        self.expect_end();
        assert_eq!(closing.text("reason"), "fim");
        closing
    }

    /// Shuts the write side.
    #[cfg(unix)]
    pub fn shut_write(&self) {
        self.wire.shut_write();
    }
}

impl Drop for FrameClient {
    fn drop(&mut self) {
        self.wire.shut();
    }
}
