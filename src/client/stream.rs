//! Frames on a connection.

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::ClientError;
use crate::wire::{Decoded, MAX_FRAME, ServerFrame, cbor};

/// Reads frames; what has been read and not decoded stays here.
pub(super) struct FrameReader<R> {
    source: R,
    buffer: BytesMut,
    limit: usize,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    pub(super) fn new(source: R) -> Self {
        FrameReader {
            source,
            buffer: BytesMut::new(),
            limit: MAX_FRAME,
        }
    }

    /// The longest frame that the server says it sends.
    pub(super) fn set_limit(&mut self, limit: u64) {
        self.limit = usize::try_from(limit).unwrap_or(usize::MAX);
    }

    /// Gives the next frame to `take`. `None`: the server has closed its side.
    pub(super) async fn next<T>(
        &mut self,
        take: impl FnOnce(ServerFrame<'_>) -> T,
    ) -> Result<Option<T>, ClientError> {
        loop {
            let decoded = cbor::decode_server(&self.buffer, self.limit)
                .map_err(|error| ClientError::Protocol(error.message))?;
            if let Decoded::Frame(frame, used) = decoded {
                let taken = take(frame);
                self.buffer.advance(used);
                return Ok(Some(taken));
            }
            self.buffer.reserve(16 * 1024);
            match self.source.read_buf(&mut self.buffer).await {
                Ok(0) if self.buffer.is_empty() => return Ok(None),
                Ok(0) => return Err(ClientError::Lost("it ended within a frame".to_owned())),
                Ok(_) => {}
                Err(error) => return Err(ClientError::Lost(error.to_string())),
            }
        }
    }

    pub(super) fn into_source(self) -> (R, BytesMut, usize) {
        (self.source, self.buffer, self.limit)
    }

    pub(super) fn resume(source: R, buffer: BytesMut, limit: usize) -> Self {
        FrameReader {
            source,
            buffer,
            limit,
        }
    }
}
