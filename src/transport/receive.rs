//! Receiving from a stream in the terms of [`framing`](crate::framing).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

use crate::framing::Received;

/// Receives bytes from a stream.
pub(super) fn poll_receive_bytes(
    stream: &mut (impl AsyncRead + Unpin),
    cx: &mut Context<'_>,
    buf: &mut [u8],
) -> Poll<io::Result<Received>> {
    let mut buf = ReadBuf::new(buf);
    ready!(Pin::new(stream).poll_read(cx, &mut buf))?;
    Poll::Ready(Ok(match buf.filled().len() {
        0 => Received::End,
        length => Received::Bytes(length),
    }))
}
