//! Frames on a connection.

use std::io::ErrorKind;
use std::time::Instant;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::error::{Break, ClientError};
use crate::framing::Framing;
use crate::wire::{Decoded, MAX_FRAME, ServerFrame, cbor};

/// The least number of bytes that one read of a stream takes.
const READ: usize = 16 * 1024;

/// Reads frames; what has been read and not decoded stays here.
#[derive(Debug)]
pub(super) struct FrameReader<R> {
    source: R,
    framing: Framing,
    buffer: BytesMut,
    limit: usize,
    last_read: Instant,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    pub(super) fn new(source: R, framing: Framing) -> Self {
        FrameReader {
            source,
            framing,
            buffer: BytesMut::new(),
            limit: MAX_FRAME,
            last_read: Instant::now(),
        }
    }

    /// The longest frame that the server says it sends.
    pub(super) fn set_limit(&mut self, limit: u64) {
        self.limit = usize::try_from(limit).unwrap_or(usize::MAX);
    }

    /// When bytes have last come.
    pub(super) fn last_read(&self) -> Instant {
        self.last_read
    }

    /// Gives the next frame to `take`. `None`: the server has closed its side. Cancel safe: what
    /// has been read stays.
    pub(super) async fn next<T>(
        &mut self,
        take: impl FnOnce(ServerFrame<'_>) -> T,
    ) -> Result<Option<T>, ClientError> {
        loop {
            let decoded = cbor::decode_server(&self.buffer, self.limit)
                .map_err(|error| ClientError::Protocol(error.message))?;
            match decoded {
                Decoded::Frame(frame, used) => {
                    let taken = take(frame);
                    self.buffer.advance(used);
                    return Ok(Some(taken));
                }
                Decoded::Ignored(used) => {
                    self.buffer.advance(used);
                    continue;
                }
                Decoded::Partial => {}
            }
            self.buffer.reserve(match self.framing {
                Framing::Stream => READ,
                // There must be room for the longest: what is cut off is lost.
                Framing::Messages => self.limit + cbor::PREFIX,
            });
            match self.source.read_buf(&mut self.buffer).await {
                Ok(0) if self.buffer.is_empty() => return Ok(None),
                Ok(0) => return Err(Break::WithinFrame.into()),
                Ok(_) => self.last_read = Instant::now(),
                Err(error) if error.kind() == ErrorKind::InvalidData => {
                    return Err(ClientError::TlsRefused(error.to_string()));
                }
                Err(error) => return Err(Break::of(error).into()),
            }
        }
    }

    pub(super) fn into_source(self) -> (R, BytesMut, usize) {
        (self.source, self.buffer, self.limit)
    }

    /// Where the frames come from, to write to it.
    pub(super) fn source(&mut self) -> &mut R {
        &mut self.source
    }

    pub(super) fn resume(source: R, framing: Framing, buffer: BytesMut, limit: usize) -> Self {
        FrameReader {
            source,
            framing,
            buffer,
            limit,
            last_read: Instant::now(),
        }
    }
}
