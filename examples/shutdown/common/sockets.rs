//! Two ends of a connection within one process.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

/// Which kind of socket carries the frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Unix,
    SeqPacket,
    Tcp,
}

impl Transport {
    /// The server's end, which does not block, and the client's, which does.
    ///
    /// Read, write, shutdown and close are the same calls on every kind of socket, and std
    /// has no type for some: `UnixStream` stands for all.
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
