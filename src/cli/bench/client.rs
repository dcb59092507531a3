//! A client of the load engine that speaks through arauto's client library.
//!
//! All clients of a thread read into one buffer. A [`FrameScanner`] goes over the frames
//! without decoding them and checks that no seq is missing; a [`Listener`] counts.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use arauto::wire::cbor::{FrameScanner, ScannedFrame};
use arauto::{RawSession, Seq, SessionId};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::cli::exit::{Failure, sysexits};
use crate::load::client::{Client, Decoder};
use crate::load::connection::{BUFFER, Connection};
use crate::load::error::Error;

/// Reads of one client in a row, before the others of its thread have their turn.
const READS_IN_A_ROW: usize = 8;

/// The one buffer of a thread.
pub(super) struct Buffer(RefCell<Box<[u8]>>);

impl Buffer {
    pub(super) fn new() -> Buffer {
        Buffer(RefCell::new(vec![0; BUFFER].into()))
    }
}

/// Takes the frames of one session.
pub(super) trait Listener {
    fn frame(&mut self, frame: ScannedFrame<'_>);
}

/// A session's frames, and the listener that takes them.
pub(super) struct Frames<L> {
    scanner: FrameScanner,
    session: SessionId,
    pub(super) listener: L,
}

impl<L> Frames<L> {
    /// Returns the last seq that came.
    pub(super) fn last(&self) -> Seq {
        self.scanner.last()
    }

    /// Shows the listener all bytes of each message, and not just its head.
    pub(super) fn of_whole_messages(mut self) -> Self {
        self.scanner = self.scanner.whole_frames();
        self
    }
}

impl<L: Listener> Decoder for Frames<L> {
    fn decode(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let listener = &mut self.listener;
        let scanned = self.scanner.scan(bytes, |frame| listener.frame(frame));
        scanned.map_err(|error| {
            let session = self.session;
            Error::Protocol(format!("session {session} received a wrong frame: {error}"))
        })
    }
}

impl Connection for RawSession {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut read = ReadBuf::new(buffer);
        ready!(AsyncRead::poll_read(Pin::new(self), cx, &mut read))?;
        Poll::Ready(Ok(read.filled().len()))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        AsyncWrite::poll_write(Pin::new(self), cx, bytes)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_flush(Pin::new(self), cx)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let code = match error {
            Error::Read(_) | Error::Write(_) => sysexits::IOERR,
            Error::Protocol(_) => sysexits::PROTOCOL,
        };
        Failure::new(code, error.to_string())
    }
}

/// A logged-in client.
pub(super) type SessionClient<L, O> = Client<RawSession, Frames<L>, O>;

impl<L: Listener, O> SessionClient<L, O> {
    pub(super) fn new(connection: RawSession, listener: L, output: O) -> Self {
        let who = connection.who_am_i();
        let decoder = Frames {
            scanner: FrameScanner::new(who.seq, connection.max_frame()),
            session: who.session,
            listener,
        };
        Client {
            connection,
            decoder,
            output,
        }
    }

    /// Reads once into the thread's buffer; returns the length, 0 at the end.
    pub(super) fn poll_read_into(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &Buffer,
    ) -> Poll<Result<usize, Error>> {
        self.poll_read(cx, &mut buffer.0.borrow_mut())
    }

    /// Reads until `is_enough`, which is asked before each read. It is an error if the
    /// session ends before.
    pub(super) async fn read_until(
        &mut self,
        buffer: &Buffer,
        mut is_enough: impl FnMut(&mut Frames<L>) -> bool,
    ) -> Result<(), Failure> {
        poll_fn(|cx| {
            for _ in 0..READS_IN_A_ROW {
                if is_enough(&mut self.decoder) {
                    return Poll::Ready(Ok(()));
                }
                if ready!(self.poll_read_into(cx, buffer))? == 0 {
                    return Poll::Ready(Err(session_ended()));
                }
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }
}

/// The failure of a client whose session ended too early.
pub(super) fn session_ended() -> Failure {
    let message = "the server has ended a session of the bench";
    Failure::new(sysexits::IOERR, message)
}
