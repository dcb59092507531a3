//! A connection, whatever it runs on.

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::unix::net as std_unix;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::unix::{self, SeqPacket};
use super::{Endpoint, Peer};
use crate::framing::{Framing, Received};

/// A connection, attached to the runtime of the thread that uses it.
///
/// In message mode a read takes one message, for which the buffer must have room,
/// and a write makes one. [`Connection::poll_receive`] tells an empty message from
/// the end; a read cannot.
#[derive(Debug)]
pub enum Connection {
    /// A unix stream socket.
    Unix(UnixStream),
    /// A unix socket that keeps the boundaries of messages.
    SeqPacket(SeqPacket),
    /// A TCP connection.
    Tcp(TcpStream),
}

/// A connection on its way from one thread's runtime to another's.
#[derive(Debug)]
pub enum Detached {
    /// A unix stream socket.
    Unix(std_unix::UnixStream),
    /// A unix socket that keeps the boundaries of messages.
    SeqPacket(std_unix::UnixStream),
    /// A TCP connection.
    Tcp(std::net::TcpStream),
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

/// Connects to a listener.
///
/// # Errors
/// Nobody listens there, or may not be reached.
pub async fn connect(endpoint: &Endpoint, purpose: Purpose) -> io::Result<Connection> {
    let _ = purpose; // sockets are all the same
    match endpoint {
        Endpoint::Tcp { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            Ok(Connection::Tcp(stream))
        }
        _ => {
            let address = unix::address(endpoint)?;
            let socket = unix::connect(&address).await?;
            match endpoint {
                Endpoint::SeqPacket(_) => Ok(Connection::SeqPacket(SeqPacket::new(socket)?)),
                _ => Ok(Connection::Unix(socket)),
            }
        }
    }
}

impl Connection {
    /// Lets go of this thread's runtime.
    ///
    /// # Errors
    /// The system does not let it.
    pub fn detach(self) -> io::Result<Detached> {
        Ok(match self {
            Connection::Unix(stream) => Detached::Unix(stream.into_std()?),
            Connection::SeqPacket(socket) => Detached::SeqPacket(socket.into_std()?),
            Connection::Tcp(stream) => Detached::Tcp(stream.into_std()?),
        })
    }

    /// Who is at the other end.
    ///
    /// # Errors
    /// The peer has gone already.
    pub fn peer(&self) -> io::Result<Peer> {
        let credentials = match self {
            Connection::Unix(stream) => stream.peer_cred()?,
            Connection::SeqPacket(socket) => socket.socket().peer_cred()?,
            Connection::Tcp(stream) => return Ok(Peer::Remote(stream.peer_addr()?)),
        };
        Ok(Peer::Local {
            pid: credentials.pid(),
            uid: credentials.uid(),
        })
    }

    /// Whether it keeps the boundaries of messages.
    pub fn framing(&self) -> Framing {
        match self {
            Connection::Unix(_) | Connection::Tcp(_) => Framing::Stream,
            Connection::SeqPacket(_) => Framing::Messages,
        }
    }

    /// Whether either side can be closed on its own.
    pub fn half_closes(&self) -> bool {
        true
    }

    /// Once the peer has closed its side: whether it has closed the other one too, as
    /// far as the system knows, so that nothing reaches it any more.
    pub fn is_hung_up(&self) -> bool {
        let asked = match self {
            Connection::Unix(stream) => unix::is_hung_up(stream),
            Connection::SeqPacket(socket) => unix::is_hung_up(socket.socket()),
            Connection::Tcp(stream) => unix::is_hung_up(stream),
        };
        asked.unwrap_or(true)
    }

    /// Receives bytes, or a message or a part of one. On [`Endpoint::SeqPacket`] `buf`
    /// must have room for the whole of it.
    ///
    /// # Errors
    /// The connection is broken; or a message was cut off, and that is a
    /// [`MessageTooLong`](crate::framing::MessageTooLong).
    pub fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<Received>> {
        let mut buf = match self {
            Connection::SeqPacket(socket) => return socket.poll_receive(cx, buf),
            Connection::Unix(_) | Connection::Tcp(_) => ReadBuf::new(buf),
        };
        ready!(Pin::new(self).poll_read(cx, &mut buf))?;
        Poll::Ready(Ok(match buf.filled().len() {
            0 => Received::End,
            length => Received::Bytes(length),
        }))
    }

    /// Sends one message, whole.
    ///
    /// # Errors
    /// The connection is broken, or carries a stream.
    pub fn poll_send_message(
        &mut self,
        cx: &mut Context<'_>,
        message: &[u8],
    ) -> Poll<io::Result<()>> {
        match self {
            Connection::SeqPacket(socket) => {
                let sent = ready!(socket.poll_send(cx, &[IoSlice::new(message)]));
                Poll::Ready(sent.map(drop))
            }
            Connection::Unix(_) | Connection::Tcp(_) => {
                Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
            }
        }
    }

    /// Whether everything written has left: read by the peer (unix sockets), or
    /// acknowledged by the peer's kernel (TCP). See SIOCOUTQ in unix(7), tcp(7).
    ///
    /// # Errors
    /// The system does not say.
    pub fn is_taken(&self) -> io::Result<bool> {
        match self {
            Connection::Unix(stream) => unix::is_outq_empty(stream),
            Connection::SeqPacket(socket) => unix::is_outq_empty(socket.socket()),
            Connection::Tcp(stream) => unix::is_outq_empty(stream),
        }
    }

    /// Whether [`Connection::poll_send_file`] may work.
    pub fn sends_files(&self) -> bool {
        cfg!(target_os = "linux") && self.framing() == Framing::Stream
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
        #[cfg(target_os = "linux")]
        loop {
            use super::memory_file::send;
            let writable = tokio::io::Interest::WRITABLE;
            let sent = match self {
                Connection::Unix(stream) => {
                    ready!(stream.poll_write_ready(cx))?;
                    stream.try_io(writable, || send(stream, file, offset, length))
                }
                Connection::Tcp(stream) => {
                    ready!(stream.poll_write_ready(cx))?;
                    stream.try_io(writable, || send(stream, file, offset, length))
                }
                Connection::SeqPacket(_) => Err(io::ErrorKind::Unsupported.into()),
            };
            match sent {
                // The socket was less ready than was known: wait for it.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => return Poll::Ready(sent),
            }
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = (cx, file, offset, length);
            Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
        }
    }

    /// Whether [`Connection::is_taken`] speaks of the peer itself, and not only of
    /// its kernel.
    pub fn taken_means_read(&self) -> bool {
        matches!(self, Connection::Unix(_) | Connection::SeqPacket(_))
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
            Detached::Unix(stream) => Connection::Unix(UnixStream::from_std(stream)?),
            Detached::SeqPacket(socket) => Connection::SeqPacket(SeqPacket::from_std(socket)?),
            Detached::Tcp(stream) => Connection::Tcp(TcpStream::from_std(stream)?),
        })
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Connection::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
            Connection::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Connection::SeqPacket(socket) => {
                match ready!(socket.poll_receive(cx, buf.initialize_unfilled()))? {
                    Received::Bytes(length) | Received::Message(length) => buf.advance(length),
                    Received::End => {}
                }
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Connection::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
            Connection::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Connection::SeqPacket(socket) => socket.poll_send(cx, &[IoSlice::new(buf)]),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Connection::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Connection::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Connection::SeqPacket(socket) => socket.poll_send(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// What is written is with the system at once.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Connection::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Connection::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Connection::SeqPacket(socket) => Poll::Ready(socket.shut_write()),
        }
    }
}
