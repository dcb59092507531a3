//! Reading from pipes and writing to them, whatever their type.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::message::is_end;
use super::{End, Local};
use crate::framing::Received;

/// The most bytes that one write takes of several slices.
const GATHERED: usize = 128 * 1024;

/// Returns the error of a pipe that no runtime drives yet.
fn not_attached<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}

impl End {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = match self {
            End::Accepted(..) => return not_attached(),
            End::Serving(serving) => {
                let before = buf.remaining();
                let read = Pin::new(&mut serving.pipe).poll_read(cx, buf);
                serving.is_over |= match &read {
                    Poll::Ready(Ok(())) => before > 0 && buf.remaining() == before,
                    Poll::Ready(Err(error)) => is_end(error),
                    Poll::Pending => false,
                };
                read
            }
            End::Client(pipe) => Pin::new(pipe).poll_read(cx, buf),
            End::Messages(messages) => {
                match ready!(messages.poll_receive(cx, buf.initialize_unfilled()))? {
                    Received::Bytes(length) | Received::Message(length) => buf.advance(length),
                    Received::End => {}
                }
                return Poll::Ready(Ok(()));
            }
        };
        // To a socket's reader the peer's close is an end, and no error.
        match ready!(read) {
            Err(error) if is_end(&error) => Poll::Ready(Ok(())),
            read => Poll::Ready(read),
        }
    }
}

impl AsyncRead for Local {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Local { end, attempts, .. } = self.get_mut();
        attempts.poll_read(cx, |cx| end.poll_read(cx, buf))
    }
}

impl AsyncWrite for Local {
    /// Writes. On a pipe of byte type a failure is never retried: it may be that of the write
    /// before, which mio had taken already, and its bytes would be missing.
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Local { end, attempts, .. } = self.get_mut();
        match end {
            End::Accepted(..) => not_attached(),
            End::Serving(serving) => {
                let written = ready!(Pin::new(&mut serving.pipe).poll_write(cx, buf));
                serving.flush.note_write();
                Poll::Ready(attempts.note(written))
            }
            End::Client(pipe) => {
                let written = ready!(Pin::new(pipe).poll_write(cx, buf));
                Poll::Ready(attempts.note(written))
            }
            End::Messages(messages) => {
                ready!(attempts.poll_write(cx, |cx| messages.poll_send(cx, buf)))?;
                Poll::Ready(Ok(buf.len()))
            }
        }
    }

    /// One write for all: the first of them alone would keep the others back for as
    /// long as there is always a first.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if !self.is_write_vectored() {
            let first = bufs.iter().find(|buf| !buf.is_empty());
            return self.poll_write(cx, first.map_or(&[], |buf| &buf[..]));
        }
        let mut gathered = Vec::new();
        for buf in bufs {
            let room = GATHERED - gathered.len();
            gathered.extend_from_slice(&buf[..buf.len().min(room)]);
        }
        self.poll_write(cx, &gathered)
    }

    fn is_write_vectored(&self) -> bool {
        matches!(self.end, End::Serving(_))
    }

    /// Does nothing: a write hands its bytes to the system at once, or soon.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// A pipe has no side that could be closed on its own.
    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
