//! A connection to a process of this host: a named pipe.

use std::io::{self, IoSlice};
use std::os::windows::io::OwnedHandle;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::flush::Flush;
use super::peer;
use super::pipe_end::PipeEnd;
use super::released::InstanceGuard;
use crate::framing::{Failure, Framing, Received};
use crate::link::{Evidence, LatePeer, Link};
use crate::transport::Peer;
use crate::transport::attempts::Attempts;
use crate::transport::failure::failure_of;
use crate::transport::receive::poll_receive_bytes;

/// The most bytes that one write takes of several slices.
const GATHERED: usize = 128 * 1024;

/// One end of a connected pipe, attached to the runtime of the thread that uses it.
#[derive(Debug)]
pub struct Local {
    /// Declared before `instance`: the pipe is closed before its instance is released.
    end: PipeEnd,
    attempts: Attempts,
    /// The server's end has one.
    instance: Option<InstanceGuard>,
}

/// A pipe on its way from one thread's runtime to another's.
#[derive(Debug)]
pub struct DetachedLocal {
    handle: OwnedHandle,
    framing: Framing,
    instance: Option<InstanceGuard>,
}

impl Local {
    /// Returns the server's end of a pipe that a client has opened.
    pub(super) fn accepted(
        handle: OwnedHandle,
        framing: Framing,
        instance: InstanceGuard,
    ) -> Local {
        Local::new(PipeEnd::Accepted(handle, framing), Some(instance))
    }

    /// Returns the client's end.
    pub(super) fn connected(handle: OwnedHandle, framing: Framing) -> io::Result<Local> {
        Ok(Local::new(PipeEnd::client(handle, framing)?, None))
    }

    fn new(end: PipeEnd, instance: Option<InstanceGuard>) -> Local {
        Local {
            end,
            attempts: Attempts::default(),
            instance,
        }
    }

    /// Detaches a pipe that was just accepted. One that tokio has is tied to its runtime.
    pub(in crate::transport) fn detach(self) -> io::Result<DetachedLocal> {
        match self.end {
            PipeEnd::Accepted(handle, framing) => Ok(DetachedLocal {
                handle,
                framing,
                instance: self.instance,
            }),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Returns the process at the other end, and the user of a server. The user of a client is
    /// known only once something was read: see [`Local::peer_after_read`].
    pub(in crate::transport) fn peer(&self) -> io::Result<Peer> {
        match self.instance {
            None => peer::server(self.end.handle()),
            Some(_) => peer::client(self.end.handle()),
        }
    }

    /// Returns the client at the other end with its user, once something was read from it.
    pub(super) fn peer_after_read(&self) -> Option<Peer> {
        self.instance.as_ref()?;
        peer::client_after_read(self.end.handle()).ok()
    }

    /// Returns whether the peer is known to have read everything. The first call begins to
    /// find out; a later one tells.
    pub(super) fn is_read(&self) -> io::Result<bool> {
        Ok(!self.attempts.has_failed() && self.end.is_read()?)
    }
}

impl DetachedLocal {
    /// Joins the runtime of the current thread.
    pub(in crate::transport) fn attach(self) -> io::Result<Local> {
        let DetachedLocal {
            handle,
            framing,
            instance,
        } = self;
        let flush = match &instance {
            Some(instance) => Flush::new(Arc::clone(instance.handle())),
            None => Flush::new(Arc::new(handle.try_clone()?)),
        };
        let end = PipeEnd::server(handle, framing, flush)?;
        Ok(Local::new(end, instance))
    }
}

impl Link for Local {
    fn failure_of(&self, error: &io::Error) -> Failure {
        failure_of(error)
    }

    fn framing(&self) -> Framing {
        self.end.framing()
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<Received>> {
        let Local { end, attempts, .. } = self;
        match end {
            PipeEnd::Messages(messages) => {
                attempts.poll_read(cx, |cx| messages.poll_receive(cx, buf))
            }
            _ => poll_receive_bytes(self, cx, buf),
        }
    }

    fn poll_send_message(&mut self, cx: &mut Context<'_>, message: &[u8]) -> Poll<io::Result<()>> {
        let Local { end, attempts, .. } = self;
        match end {
            PipeEnd::Messages(messages) => {
                attempts.poll_write(cx, |cx| messages.poll_send(cx, message))
            }
            _ => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
        }
    }

    /// Returns `false`: a pipe is closed as a whole.
    fn half_closes(&self) -> bool {
        false
    }

    /// Returns `true` unless a flush is under way: a pipe has one side, and a peer that has
    /// closed it has gone. The flush ends by that, and tells first whether everything was read.
    fn is_hung_up(&self) -> bool {
        !self.end.is_flushing()
    }

    fn late_peer(&self) -> Option<LatePeer> {
        let peer = self.peer_after_read()?;
        Some(LatePeer {
            id: peer.id(),
            is_own_user: peer.is_same_user(),
            name: peer.to_string(),
        })
    }

    fn evidence(&self) -> Evidence {
        match self.is_read() {
            Ok(true) => Evidence::Read,
            Ok(false) | Err(_) => Evidence::Written,
        }
    }

    fn best_evidence(&self) -> Evidence {
        Evidence::Read
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
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Local { end, attempts, .. } = self.get_mut();
        end.poll_write(cx, buf, attempts)
    }

    /// Gathers the slices into one write. With a write for the first slice alone, the others
    /// would wait for as long as there is always a first.
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
        matches!(self.end, PipeEnd::Server(_))
    }

    /// Does nothing: a write hands its bytes to the system at once, or soon.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Does nothing: a pipe has no side that could be closed on its own.
    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
