//! One client of the load.

use std::task::{Context, Poll, ready};

use super::connection::Connection;
use super::error::Error;
use super::output::Output;

/// Counts, in the bytes that one connection brings, what has arrived.
pub trait Decoder {
    /// Takes what one read has brought. A frame may be cut anywhere.
    ///
    /// # Errors
    /// [`Error::Protocol`]: the server may not send this.
    fn decode(&mut self, bytes: &[u8]) -> Result<(), Error>;
}

/// A connection, what has arrived on it, and what has to be written to it. A client that
/// only reads has `()` for its output, or an output that never gets anything.
#[derive(Debug)]
pub struct Client<C, D, O> {
    /// The connection, logged in.
    pub connection: C,
    /// Counts what it brings.
    pub decoder: D,
    /// The bytes that are still to be written.
    pub output: O,
}

impl<C: Connection, D: Decoder, O> Client<C, D, O> {
    /// Reads once and counts what came; returns its length, 0 at the end.
    ///
    /// # Errors
    /// The connection broke, or the decoder refused the bytes.
    pub fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, Error>> {
        let length = ready!(self.connection.poll_read(cx, buffer)).map_err(Error::Read)?;
        self.decoder.decode(&buffer[..length])?;
        Poll::Ready(Ok(length))
    }
}

impl<C: Connection, D, O: Output> Client<C, D, O> {
    /// Writes what the connection takes of the output, in `most` writes at the most.
    ///
    /// # Errors
    /// The connection broke.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, most: usize) -> Result<(), Error> {
        for _ in 0..most {
            if !self.output.is_due() {
                break;
            }
            match self.connection.poll_write(cx, self.output.offer()) {
                Poll::Ready(Ok(written)) => self.output.advance(written),
                Poll::Ready(Err(error)) => return Err(Error::Write(error)),
                Poll::Pending => return Ok(()),
            }
        }
        match self.connection.poll_flush(cx) {
            Poll::Ready(Err(error)) => Err(Error::Write(error)),
            _ => Ok(()),
        }
    }
}
