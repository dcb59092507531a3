//! A connection, whatever it runs on.

use std::fs::File;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::connect_fault::look_up;
use super::server_check::{UntrustedServer, check_server};
use super::system::{self, DetachedLocal, Local, tcp};
use super::tcp::Tcp;
use super::tls::{self, DetachedTls, Tls};
use super::{Endpoint, Peer, PeerTimeouts, Trust, failure_of};
use crate::framing::{Failure, Framing, Received};

/// A connection, attached to the runtime of the thread that uses it.
///
/// In message mode a read takes one message, for which the buffer must have room,
/// and a write makes one. [`Connection::poll_receive`] tells an empty message from
/// the end; a read cannot.
#[derive(Debug)]
pub enum Connection {
    /// A unix socket, or a pipe of windows.
    Local(Local),
    /// A TCP connection.
    Tcp(Tcp),
    /// The same with TLS.
    Tls(Tls),
}

/// A connection on its way from one thread's runtime to another's.
#[derive(Debug)]
pub enum Detached {
    /// A unix socket, or a pipe of windows.
    Local(DetachedLocal),
    /// A TCP connection, and how long its peer may acknowledge nothing.
    Tcp(std::net::TcpStream, Duration),
    /// The same before its TLS handshake.
    Tls(DetachedTls),
}

/// What a client connects for. A windows pipe is opened differently for each; a
/// socket is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Frames that bring their own lengths.
    Frames,
    /// Bare messages, both ways.
    Messages,
    /// Bare messages, from the server only.
    Reading,
}

/// What [`Connection::is_taken`] can say at best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Nothing.
    Unknown,
    /// That the peer's kernel has it.
    KernelAcked,
    /// That the peer has read it.
    Read,
}

/// Connects to a listener; where it speaks TLS, to one that `trust` takes for it.
///
/// # Errors
/// Nobody listens there, or may not be reached, or is trusted.
pub async fn connect(
    endpoint: &Endpoint,
    purpose: Purpose,
    trust: &Trust,
) -> io::Result<Connection> {
    match endpoint {
        Endpoint::Tcp { host, port } => {
            let stream = TcpStream::connect(&look_up(host, *port).await?[..]).await?;
            let timeouts = PeerTimeouts::default();
            Ok(Connection::Tcp(Tcp::new(stream, &timeouts)))
        }
        Endpoint::Tls { host, port } => {
            let stream = tls::connect(host, *port, trust.tls()).await?;
            Ok(Connection::Tls(stream))
        }
        _ => Ok(Connection::Local(system::connect(endpoint, purpose).await?)),
    }
}

/// Receives from a stream.
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

impl Connection {
    /// Lets go of this thread's runtime.
    ///
    /// # Errors
    /// The system does not let it.
    pub fn detach(self) -> io::Result<Detached> {
        Ok(match self {
            Connection::Local(local) => Detached::Local(local.detach()?),
            Connection::Tcp(tcp) => {
                let limit = tcp.limit();
                Detached::Tcp(tcp.into_std()?, limit)
            }
            Connection::Tls(stream) => Detached::Tls(stream.detach()?),
        })
    }

    /// Sets when a TCP peer that answers nothing is given up; others need no such limit.
    pub fn set_peer_timeouts(&mut self, timeouts: &PeerTimeouts) {
        match self {
            Connection::Local(_) => {}
            Connection::Tcp(tcp) => tcp.set_timeouts(timeouts),
            Connection::Tls(stream) => stream.set_timeouts(timeouts),
        }
    }

    /// Who is at the other end.
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

    /// Returns the peer where the system tells a client's user only after the first read;
    /// `None` where [`Connection::peer`] has returned it.
    pub fn peer_after_read(&self) -> Option<Peer> {
        match self {
            Connection::Local(local) => local.peer_after_read(),
            Connection::Tcp(_) | Connection::Tls(_) => None,
        }
    }

    /// Whether the server at the other end may be given a password: on a local endpoint
    /// it must be a trusted user's. It blocks for as long as looking at a few folders takes.
    ///
    /// # Errors
    /// It is somebody else's, or the system does not tell whose it is.
    pub fn check_server(&self, endpoint: &Endpoint, trust: &Trust) -> Result<(), UntrustedServer> {
        match self {
            Connection::Local(local) => check_server(endpoint, local.peer(), trust),
            Connection::Tcp(_) | Connection::Tls(_) => Ok(()),
        }
    }

    /// Whether the peer can be told anything yet: a TLS handshake comes first.
    pub fn is_open(&self) -> bool {
        match self {
            Connection::Local(_) | Connection::Tcp(_) => true,
            Connection::Tls(stream) => stream.is_open(),
        }
    }

    /// The name in the certificate that the peer has shown, where it has.
    pub fn peer_name(&self) -> Option<String> {
        match self {
            Connection::Local(_) | Connection::Tcp(_) => None,
            Connection::Tls(stream) => stream.peer_name(),
        }
    }

    /// Whether the kernel has all that was written.
    pub fn is_flushed(&self) -> bool {
        match self {
            Connection::Local(_) | Connection::Tcp(_) => true,
            Connection::Tls(stream) => stream.is_flushed(),
        }
    }

    /// Whether it keeps the boundaries of messages.
    pub fn framing(&self) -> Framing {
        match self {
            Connection::Local(local) => local.framing(),
            Connection::Tcp(_) | Connection::Tls(_) => Framing::Stream,
        }
    }

    /// Whether either side can be closed on its own.
    pub fn half_closes(&self) -> bool {
        match self {
            Connection::Local(local) => local.half_closes(),
            Connection::Tcp(_) | Connection::Tls(_) => true,
        }
    }

    /// Once the peer has closed its side: whether it has closed the other one too, as
    /// far as the system knows, so that nothing reaches it any more.
    pub fn is_hung_up(&self) -> bool {
        let asked = match self {
            Connection::Local(local) => local.is_hung_up(),
            Connection::Tcp(tcp) => tcp::is_hung_up(tcp.stream()),
            Connection::Tls(stream) => {
                let below = stream.tcp();
                below.map_or(Ok(true), |below| tcp::is_hung_up(below.stream()))
            }
        };
        // Where the system does not say, for reasons of its own, nobody knows.
        asked.unwrap_or_else(|error| failure_of(&error) == Failure::PeerGone)
    }

    /// Whether the system holds input that has not been received yet, the peer's end
    /// included. `false` where it does not tell.
    pub fn has_input(&self) -> bool {
        let asked = match self {
            Connection::Local(local) => local.has_input(),
            Connection::Tcp(tcp) => tcp::has_input(tcp.stream()),
            Connection::Tls(stream) => {
                let below = stream.tcp();
                below.map_or(Ok(false), |below| tcp::has_input(below.stream()))
            }
        };
        asked.unwrap_or(false)
    }

    /// Receives bytes, or a message or a part of one. On [`Endpoint::SeqPacket`] `buf`
    /// must have room for the whole of it.
    ///
    /// # Errors
    /// [`failure_of`](super::failure_of) classifies them; one that passes has been retried
    /// for some seconds. A message that was cut off is a
    /// [`MessageTooLong`](crate::framing::MessageTooLong).
    pub fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<Received>> {
        match self {
            Connection::Local(local) => local.poll_receive(cx, buf),
            Connection::Tcp(stream) => poll_receive_bytes(stream, cx, buf),
            Connection::Tls(stream) => poll_receive_bytes(stream, cx, buf),
        }
    }

    /// Sends one message, whole.
    ///
    /// # Errors
    /// [`failure_of`](super::failure_of) classifies them; or the connection carries a stream.
    pub fn poll_send_message(
        &mut self,
        cx: &mut Context<'_>,
        message: &[u8],
    ) -> Poll<io::Result<()>> {
        match self {
            Connection::Local(local) => local.poll_send_message(cx, message),
            Connection::Tcp(_) | Connection::Tls(_) => {
                Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
            }
        }
    }

    /// Whether everything written has got as far as [`Connection::taken_means`] says. Once
    /// a read or a write has failed it is false: docs/shutdown.md says which events empty a
    /// send queue that nobody has read.
    ///
    /// # Errors
    /// The system does not say.
    pub fn is_taken(&self) -> io::Result<bool> {
        match self {
            Connection::Local(local) => local.is_read(),
            Connection::Tcp(tcp) => tcp.is_acked(),
            Connection::Tls(stream) => stream.is_acked(),
        }
    }

    /// Whether [`Connection::poll_send_file`] may work.
    pub fn sends_files(&self) -> bool {
        match self {
            Connection::Local(local) => local.sends_files(),
            Connection::Tcp(_) => tcp::SENDS_FILES,
            Connection::Tls(_) => false, // every session's bytes are others
        }
    }

    /// Sends `length` bytes of a file that lives in memory, from `offset` on,
    /// without copying them: they must not change afterwards. How many went.
    ///
    /// # Errors
    /// The connection is broken; or the system does not do this, with a kind of
    /// `InvalidInput` or `Unsupported`: then nothing was sent.
    pub fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        file: &File,
        offset: u64,
        length: usize,
    ) -> Poll<io::Result<usize>> {
        match self {
            Connection::Local(local) => local.poll_send_file(cx, file, offset, length),
            Connection::Tcp(tcp) => tcp.poll_send_file(cx, file, offset, length),
            Connection::Tls(_) => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
        }
    }

    /// How far [`Connection::is_taken`] can see.
    pub fn taken_means(&self) -> Taken {
        match self {
            Connection::Local(_) => Taken::Read,
            Connection::Tcp(_) | Connection::Tls(_) if tcp::TELLS_ACKS => Taken::KernelAcked,
            Connection::Tcp(_) | Connection::Tls(_) => Taken::Unknown,
        }
    }
}

impl Detached {
    /// Joins the runtime of the current thread.
    ///
    /// # Errors
    /// The system does not let it.
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
            Detached::Tls(stream) => Connection::Tls(stream.attach()?),
        })
    }
}

macro_rules! on_stream {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Connection::Local($stream) => $call,
            Connection::Tcp($stream) => $call,
            Connection::Tls($stream) => $call,
        }
    };
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        on_stream!(self, stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        on_stream!(self, stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        on_stream!(self, stream => Pin::new(stream).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Connection::Local(local) => local.is_write_vectored(),
            Connection::Tcp(_) | Connection::Tls(_) => true,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}
