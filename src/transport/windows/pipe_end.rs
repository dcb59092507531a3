//! One end of a connected pipe, of either type.
//!
//! Pipes of byte type are tokio's; those of message type are read and written by
//! [`message`](super::message), as tokio does not keep a message's boundaries.

use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, IntoRawHandle, OwnedHandle};
use std::pin::Pin;
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::windows::named_pipe::{NamedPipeClient, NamedPipeServer};
use windows_sys::Win32::System::IO::CancelIoEx;

use super::flush::Flush;
use super::message::{MessageEnd, is_end};
use crate::framing::{Framing, Received};
use crate::transport::attempts::Attempts;

/// One end of a connected pipe.
#[derive(Debug)]
pub(super) enum PipeEnd {
    /// The server's end before any runtime has it.
    Accepted(OwnedHandle, Framing),
    /// The server's end of a pipe of byte type.
    Server(Box<ServerEnd>),
    /// The client's end of a pipe of byte type.
    Client(NamedPipeClient),
    /// Either end of a pipe of message type.
    Messages(Box<MessageEnd>),
}

/// The server's end of a pipe of byte type.
#[derive(Debug)]
pub(super) struct ServerEnd {
    pipe: NamedPipeServer,
    flush: Flush,
    /// The client has closed its end.
    has_ended: bool,
}

impl Drop for ServerEnd {
    /// Cancels a write that is under way. mio would keep it, and the pipe with it, until the
    /// client has read it. The session has waited as long as it may by then, and the client
    /// must see the end.
    #[expect(unsafe_code, reason = "tokio does not cancel a write")]
    fn drop(&mut self) {
        // SAFETY: the handle is open; no OVERLAPPED is named: all are meant.
        unsafe { CancelIoEx(self.pipe.as_raw_handle(), ptr::null()) };
    }
}

impl ServerEnd {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.remaining();
        let read = Pin::new(&mut self.pipe).poll_read(cx, buf);
        self.has_ended |= match &read {
            Poll::Ready(Ok(())) => before > 0 && buf.remaining() == before,
            Poll::Ready(Err(error)) => is_end(error),
            Poll::Pending => false,
        };
        read
    }
}

impl PipeEnd {
    /// Opens the client's end.
    #[expect(unsafe_code, reason = "tokio takes raw handles")]
    pub(super) fn client(handle: OwnedHandle, framing: Framing) -> io::Result<PipeEnd> {
        Ok(match framing {
            // SAFETY: it is a pipe's handle, open for overlapped use, and tokio's alone.
            Framing::Stream => PipeEnd::Client(unsafe {
                NamedPipeClient::from_raw_handle(handle.into_raw_handle())?
            }),
            Framing::Messages => PipeEnd::messages(handle)?,
        })
    }

    /// Opens the server's end on the runtime of this thread; `flush` watches its handle.
    #[expect(unsafe_code, reason = "tokio takes raw handles")]
    pub(super) fn server(
        handle: OwnedHandle,
        framing: Framing,
        flush: Flush,
    ) -> io::Result<PipeEnd> {
        if framing == Framing::Messages {
            return PipeEnd::messages(handle);
        }
        // SAFETY: it is a pipe's handle, open for overlapped use, and tokio's alone.
        let pipe = unsafe { NamedPipeServer::from_raw_handle(handle.into_raw_handle())? };
        Ok(PipeEnd::Server(Box::new(ServerEnd {
            pipe,
            flush,
            has_ended: false,
        })))
    }

    fn messages(handle: OwnedHandle) -> io::Result<PipeEnd> {
        let end = MessageEnd::new(Arc::new(handle))?;
        Ok(PipeEnd::Messages(Box::new(end)))
    }

    #[expect(unsafe_code, reason = "tokio gives raw handles")]
    pub(super) fn handle(&self) -> BorrowedHandle<'_> {
        let raw = match self {
            PipeEnd::Accepted(handle, _) => handle.as_raw_handle(),
            PipeEnd::Server(server) => server.pipe.as_raw_handle(),
            PipeEnd::Client(pipe) => pipe.as_raw_handle(),
            PipeEnd::Messages(messages) => messages.flush().handle().as_raw_handle(),
        };
        // SAFETY: the pipe is open for as long as `self` is.
        unsafe { BorrowedHandle::borrow_raw(raw) }
    }

    pub(super) fn framing(&self) -> Framing {
        match self {
            PipeEnd::Accepted(_, framing) => *framing,
            PipeEnd::Server(_) | PipeEnd::Client(_) => Framing::Stream,
            PipeEnd::Messages(_) => Framing::Messages,
        }
    }

    /// Returns whether a flush is under way.
    pub(super) fn is_flushing(&self) -> bool {
        match self {
            PipeEnd::Server(server) => server.flush.is_running(),
            PipeEnd::Messages(messages) => messages.flush().is_running(),
            PipeEnd::Accepted(..) | PipeEnd::Client(_) => false,
        }
    }

    /// Returns whether the peer is known to have read everything. The first call begins to
    /// find out; a later one tells.
    ///
    /// # Errors
    /// There is no thread for it.
    pub(super) fn is_read(&self) -> io::Result<bool> {
        match self {
            PipeEnd::Server(server) => server.flush.is_done(server.has_ended),
            PipeEnd::Messages(messages) => messages.is_read(),
            PipeEnd::Accepted(..) | PipeEnd::Client(_) => Ok(false),
        }
    }

    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = match self {
            PipeEnd::Accepted(..) => return not_attached(),
            PipeEnd::Server(server) => server.poll_read(cx, buf),
            PipeEnd::Client(pipe) => Pin::new(pipe).poll_read(cx, buf),
            PipeEnd::Messages(messages) => {
                match ready!(messages.poll_receive(cx, buf.initialize_unfilled()))? {
                    Received::Bytes(length) | Received::Message(length) => buf.advance(length),
                    Received::End => {}
                }
                return Poll::Ready(Ok(()));
            }
        };
        // A reader takes the peer's close for an end, as that of a socket, and for no error.
        match ready!(read) {
            Err(error) if is_end(&error) => Poll::Ready(Ok(())),
            read => Poll::Ready(read),
        }
    }

    /// Writes. On a pipe of byte type a failure is never retried: it may be that of the write
    /// before, which mio had accepted already, and its bytes would be missing.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        buf: &[u8],
        attempts: &mut Attempts,
    ) -> Poll<io::Result<usize>> {
        match self {
            PipeEnd::Accepted(..) => not_attached(),
            PipeEnd::Server(server) => {
                let written = ready!(Pin::new(&mut server.pipe).poll_write(cx, buf));
                server.flush.note_write();
                Poll::Ready(attempts.note(written))
            }
            PipeEnd::Client(pipe) => {
                let written = ready!(Pin::new(pipe).poll_write(cx, buf));
                Poll::Ready(attempts.note(written))
            }
            PipeEnd::Messages(messages) => {
                ready!(attempts.poll_write(cx, |cx| messages.poll_send(cx, buf)))?;
                Poll::Ready(Ok(buf.len()))
            }
        }
    }
}

/// Returns the error of a pipe that no runtime drives yet.
fn not_attached<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}
