//! A connection, whatever it runs on.

use std::fs::File;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::server_check::{UntrustedServer, check_server};
use super::system::{DetachedLocal, Local};
use super::tcp::Tcp;
use super::tls::{DetachedTls, Tls};
use super::{Endpoint, Peer, PeerTimeouts, Trust, failure_of};
use crate::framing::{Failure, Framing, Received};
use crate::link::{Evidence, LatePeer, Link};

/// A connection, attached to the runtime of the thread that uses it.
///
/// In message mode a read takes one message, which must fit into the buffer, and a write makes
/// one. [`Link::poll_receive`] tells an empty message from the end; a read cannot.
#[derive(Debug)]
pub enum Connection {
    /// A unix socket, or a Windows pipe.
    Local(Local),
    /// A TCP connection.
    Tcp(Tcp),
    /// A TLS connection, boxed as it is larger than the others.
    Tls(Box<Tls>),
}

/// A connection on its way from one thread's runtime to another's.
#[derive(Debug)]
pub enum Detached {
    /// A unix socket, or a Windows pipe.
    Local(DetachedLocal),
    /// A TCP connection, and the time for which its peer may acknowledge nothing.
    Tcp(std::net::TcpStream, Duration),
    /// A TLS connection before its handshake.
    Tls(DetachedTls),
}

impl Connection {
    /// Detaches the connection from this thread's runtime.
    ///
    /// # Errors
    /// The system refuses, or the connection has been used already.
    pub(super) fn detach(self) -> io::Result<Detached> {
        Ok(match self {
            Connection::Local(local) => Detached::Local(local.detach()?),
            Connection::Tcp(tcp) => {
                let limit = tcp.limit();
                Detached::Tcp(tcp.into_std()?, limit)
            }
            Connection::Tls(stream) => Detached::Tls(stream.detach()?),
        })
    }

    /// Sets when a TCP peer that answers nothing is given up. Local peers need no such limit.
    pub fn set_peer_timeouts(&mut self, timeouts: &PeerTimeouts) {
        match self {
            Connection::Local(_) => {}
            Connection::Tcp(tcp) => tcp.set_timeouts(timeouts),
            Connection::Tls(stream) => stream.set_timeouts(timeouts),
        }
    }

    /// Returns the peer.
    ///
    /// # Errors
    /// The peer has gone already.
    pub fn peer(&self) -> io::Result<Peer> {
        match self {
            Connection::Local(local) => local.peer(),
            Connection::Tcp(tcp) => Ok(Peer::Remote(tcp.stream().peer_addr()?)),
            Connection::Tls(stream) => {
                let tcp = stream.tcp().ok_or(io::ErrorKind::NotConnected)?;
                Ok(Peer::Remote(tcp.stream().peer_addr()?))
            }
        }
    }

    /// Checks that the server at the other end may be given a password: on a local endpoint it
    /// must belong to a trusted user. It blocks while it reads the metadata of a few folders.
    ///
    /// # Errors
    /// The server belongs to another user, or the system does not tell its user.
    pub fn check_server(&self, endpoint: &Endpoint, trust: &Trust) -> Result<(), UntrustedServer> {
        match self {
            Connection::Local(local) => check_server(endpoint, local.peer(), trust),
            Connection::Tcp(_) | Connection::Tls(_) => Ok(()),
        }
    }
}

impl Detached {
    /// Attaches the connection to the runtime of the current thread.
    ///
    /// # Errors
    /// The system refuses.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn attach(self) -> io::Result<Connection> {
        Ok(match self {
            Detached::Local(local) => Connection::Local(local.attach()?),
            Detached::Tcp(stream, limit) => {
                let stream = TcpStream::from_std(stream)?;
                Connection::Tcp(Tcp::with_limit(stream, limit))
            }
            Detached::Tls(stream) => Connection::Tls(Box::new(stream.attach()?)),
        })
    }
}

/// Calls the same method on the connection that an enum holds, whatever its kind.
macro_rules! each {
    ($connection:expr, $link:ident => $call:expr) => {
        match $connection {
            Connection::Local($link) => $call,
            Connection::Tcp($link) => $call,
            Connection::Tls($link) => $call,
        }
    };
}

impl Link for Connection {
    fn failure_of(&self, error: &io::Error) -> Failure {
        failure_of(error)
    }

    fn framing(&self) -> Framing {
        each!(self, link => link.framing())
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<Received>> {
        each!(self, link => link.poll_receive(cx, buf))
    }

    fn poll_receivable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        each!(self, link => link.poll_receivable(cx))
    }

    fn poll_send_message(&mut self, cx: &mut Context<'_>, message: &[u8]) -> Poll<io::Result<()>> {
        each!(self, link => link.poll_send_message(cx, message))
    }

    fn half_closes(&self) -> bool {
        each!(self, link => link.half_closes())
    }

    fn is_hung_up(&self) -> bool {
        each!(self, link => link.is_hung_up())
    }

    fn has_input(&self) -> bool {
        each!(self, link => link.has_input())
    }

    fn is_open(&self) -> bool {
        each!(self, link => link.is_open())
    }

    fn late_peer(&self) -> Option<LatePeer> {
        each!(self, link => link.late_peer())
    }

    fn vouched_name(&self) -> Option<String> {
        each!(self, link => link.vouched_name())
    }

    fn evidence(&self) -> Evidence {
        each!(self, link => link.evidence())
    }

    fn best_evidence(&self) -> Evidence {
        each!(self, link => link.best_evidence())
    }

    fn sends_files(&self) -> bool {
        each!(self, link => link.sends_files())
    }

    fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        file: &File,
        offset: u64,
        length: usize,
    ) -> Poll<io::Result<usize>> {
        each!(self, link => link.poll_send_file(cx, file, offset, length))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(self.get_mut(), link => Pin::new(link).poll_read(cx, buf))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        each!(self.get_mut(), link => Pin::new(link).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self.get_mut(), link => Pin::new(link).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        each!(self, link => link.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), link => Pin::new(link).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), link => Pin::new(link).poll_shutdown(cx))
    }
}
