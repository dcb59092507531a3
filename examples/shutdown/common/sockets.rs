//! Makes both ends of a connection within one process.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

/// The kind of socket that carries the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Unix,
    SeqPacket,
    Tcp,
}

impl Transport {
    /// Returns the server's end, which is non-blocking, and the client's, which is blocking.
    ///
    /// read(2), write(2), shutdown(2) and close(2) are the same for every kind of socket, and std
    /// has no type for some kinds, so `UnixStream` is used for all.
    pub(crate) fn pair(self) -> io::Result<(UnixStream, UnixStream)> {
        let (server, client): (OwnedFd, OwnedFd) = match self {
            Transport::Unix => local(SocketType::STREAM)?,
            Transport::SeqPacket => local(SocketType::SEQPACKET)?,
            Transport::Tcp => tcp()?,
        };
        let server = UnixStream::from(server);
        server.set_nonblocking(true)?;
        Ok((server, UnixStream::from(client)))
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Transport::Unix => "unix",
            Transport::SeqPacket => "seqpacket",
            Transport::Tcp => "tcp",
        })
    }
}

fn local(kind: SocketType) -> io::Result<(OwnedFd, OwnedFd)> {
    let pair = socketpair(AddressFamily::UNIX, kind, SocketFlags::empty(), None)?;
    Ok(pair)
}

fn tcp() -> io::Result<(OwnedFd, OwnedFd)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    Ok((server.into(), client.into()))
}
