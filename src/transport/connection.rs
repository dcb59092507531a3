//! A connected stream of bytes, whatever it runs on.

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::unix::net as std_unix;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::{Endpoint, Peer, unix};

/// A connected stream, attached to the runtime of the thread that uses it.
#[derive(Debug)]
pub enum Connection {
    /// A unix stream socket.
    Unix(UnixStream),
    /// A TCP connection.
    Tcp(TcpStream),
}

/// A connected stream on its way from one thread's runtime to another's.
#[derive(Debug)]
pub enum Detached {
    /// A unix stream socket.
    Unix(std_unix::UnixStream),
    /// A TCP connection.
    Tcp(std::net::TcpStream),
}

/// Connects to a listener.
///
/// # Errors
/// Nobody listens there, or may not be reached.
pub async fn connect(endpoint: &Endpoint) -> io::Result<Connection> {
    match endpoint {
        Endpoint::Tcp { host, port } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            Ok(Connection::Tcp(stream))
        }
        _ => {
            let address = unix::address(endpoint)?;
            Ok(Connection::Unix(unix::connect(&address).await?))
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
            Connection::Tcp(stream) => Detached::Tcp(stream.into_std()?),
        })
    }

    /// Who is at the other end.
    ///
    /// # Errors
    /// The peer has gone already.
    pub fn peer(&self) -> io::Result<Peer> {
        Ok(match self {
            Connection::Unix(stream) => {
                let credentials = stream.peer_cred()?;
                Peer::Local {
                    pid: credentials.pid(),
                    uid: credentials.uid(),
                }
            }
            Connection::Tcp(stream) => Peer::Remote(stream.peer_addr()?),
        })
    }

    /// Whether everything written has left: read by the peer (unix sockets), or
    /// acknowledged by the peer's kernel (TCP). See SIOCOUTQ in unix(7), tcp(7).
    ///
    /// # Errors
    /// The system does not say.
    pub fn is_taken(&self) -> io::Result<bool> {
        match self {
            Connection::Unix(stream) => unix::is_outq_empty(stream),
            Connection::Tcp(stream) => unix::is_outq_empty(stream),
        }
    }

    /// Whether [`Connection::poll_send_file`] may work.
    pub fn sends_files(&self) -> bool {
        cfg!(target_os = "linux")
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
        matches!(self, Connection::Unix(_))
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
            Detached::Tcp(stream) => Connection::Tcp(TcpStream::from_std(stream)?),
        })
    }
}

macro_rules! on_stream {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Connection::Unix($stream) => $call,
            Connection::Tcp($stream) => $call,
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
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}
