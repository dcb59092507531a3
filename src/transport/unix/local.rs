//! A connection to a process of this host: a unix socket.

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::unix::net as std_unix;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

use super::seqpacket::SeqPacket;
use super::socket_state;
use crate::framing::{Failure, Framing, Received};
use crate::link::{Evidence, Link};
use crate::transport::attempts::Attempts;
use crate::transport::failure::{failure_of, is_gone};
use crate::transport::receive::poll_receive_bytes;
use crate::transport::send_file::{SENDS_FILES, poll_send_file};
use crate::transport::{Endpoint, LocalUser, Peer};

/// A unix socket.
#[derive(Debug)]
pub struct Local {
    socket: Socket,
    attempts: Attempts,
}

#[derive(Debug)]
enum Socket {
    /// It carries a stream.
    Stream(UnixStream),
    /// It keeps the boundaries of messages.
    Messages(SeqPacket),
}

/// A unix socket on its way from one thread's runtime to another's.
#[derive(Debug)]
pub enum DetachedLocal {
    /// It carries a stream.
    Stream(std_unix::UnixStream),
    /// It keeps the boundaries of messages.
    Messages(std_unix::UnixStream),
}

impl Local {
    pub(super) fn new(socket: UnixStream, endpoint: &Endpoint) -> io::Result<Local> {
        Ok(Local::over(match endpoint {
            Endpoint::SeqPacket(_) => Socket::Messages(SeqPacket::new(socket)?),
            _ => Socket::Stream(socket),
        }))
    }

    fn over(socket: Socket) -> Local {
        Local {
            socket,
            attempts: Attempts::default(),
        }
    }

    fn socket(&self) -> &UnixStream {
        match &self.socket {
            Socket::Stream(stream) => stream,
            Socket::Messages(socket) => socket.socket(),
        }
    }

    pub(in crate::transport) fn detach(self) -> io::Result<DetachedLocal> {
        Ok(match self.socket {
            Socket::Stream(stream) => DetachedLocal::Stream(stream.into_std()?),
            Socket::Messages(socket) => DetachedLocal::Messages(socket.into_std()?),
        })
    }

    pub(in crate::transport) fn peer(&self) -> io::Result<Peer> {
        let credentials = self.socket().peer_cred()?;
        Ok(Peer::Local {
            pid: credentials.pid(),
            user: Some(LocalUser::Uid(credentials.uid())),
        })
    }
}

impl Link for Local {
    fn failure_of(&self, error: &io::Error) -> Failure {
        failure_of(error)
    }

    fn framing(&self) -> Framing {
        match self.socket {
            Socket::Stream(_) => Framing::Stream,
            Socket::Messages(_) => Framing::Messages,
        }
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<Received>> {
        let Local { socket, attempts } = self;
        attempts.poll_read(cx, |cx| match socket {
            Socket::Stream(stream) => poll_receive_bytes(stream, cx, buf),
            Socket::Messages(socket) => socket.poll_receive(cx, buf),
        })
    }

    fn poll_send_message(&mut self, cx: &mut Context<'_>, message: &[u8]) -> Poll<io::Result<()>> {
        let Local { socket, attempts } = self;
        let Socket::Messages(socket) = socket else {
            return Poll::Ready(Err(io::ErrorKind::Unsupported.into()));
        };
        let message = [IoSlice::new(message)];
        let sent = ready!(attempts.poll_write(cx, |cx| socket.poll_send(cx, &message)));
        Poll::Ready(sent.map(drop))
    }

    fn half_closes(&self) -> bool {
        true
    }

    fn is_hung_up(&self) -> bool {
        is_gone(socket_state::is_hung_up(self.socket()))
    }

    fn has_input(&self) -> bool {
        socket_state::has_input(self.socket()).unwrap_or(false)
    }

    /// The send queue (SIOCOUTQ, unix(7)) is empty once the peer has read everything, and
    /// also once it has closed on unread bytes: [`socket_state::is_all_taken`] and the errors that were seen
    /// tell the two apart.
    fn evidence(&self) -> Evidence {
        let has_failed = match &self.socket {
            Socket::Stream(_) => self.attempts.has_failed(),
            Socket::Messages(socket) => self.attempts.has_failed() || socket.is_reset(),
        };
        match !has_failed && socket_state::is_all_taken(self.socket()).unwrap_or(false) {
            true => Evidence::Read,
            false => Evidence::Written,
        }
    }

    fn best_evidence(&self) -> Evidence {
        Evidence::Read
    }

    fn sends_files(&self) -> bool {
        SENDS_FILES && matches!(self.socket, Socket::Stream(_))
    }

    fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        file: &File,
        offset: u64,
        length: usize,
    ) -> Poll<io::Result<usize>> {
        let Local { socket, attempts } = self;
        let Socket::Stream(stream) = socket else {
            return Poll::Ready(Err(io::ErrorKind::Unsupported.into()));
        };
        attempts.poll_write(cx, |cx| poll_send_file(&*stream, cx, file, offset, length))
    }
}

impl DetachedLocal {
    pub(in crate::transport) fn attach(self) -> io::Result<Local> {
        Ok(Local::over(match self {
            DetachedLocal::Stream(stream) => Socket::Stream(UnixStream::from_std(stream)?),
            DetachedLocal::Messages(socket) => Socket::Messages(SeqPacket::from_std(socket)?),
        }))
    }
}

impl AsyncRead for Local {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let received = self.get_mut().poll_receive(cx, buf.initialize_unfilled());
        match ready!(received)? {
            Received::Bytes(length) | Received::Message(length) => buf.advance(length),
            Received::End => {}
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Local {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Local { socket, attempts } = self.get_mut();
        attempts.poll_write(cx, |cx| match socket {
            Socket::Stream(stream) => Pin::new(stream).poll_write(cx, buf),
            Socket::Messages(socket) => socket.poll_send(cx, &[IoSlice::new(buf)]),
        })
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Local { socket, attempts } = self.get_mut();
        attempts.poll_write(cx, |cx| match socket {
            Socket::Stream(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Socket::Messages(socket) => socket.poll_send(cx, bufs),
        })
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Does nothing: a write hands its bytes to the system at once.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Local { socket, attempts } = self.get_mut();
        attempts.poll_write(cx, |cx| match socket {
            Socket::Stream(stream) => Pin::new(stream).poll_shutdown(cx),
            Socket::Messages(socket) => Poll::Ready(socket.shut_write()),
        })
    }
}
