//! Sockets as this program needs them: blocking for handshakes, then not.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::tls::TlsSocket;

/// How long a handshake may take before it is called a failure.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Where a server listens.
#[derive(Debug, Clone)]
pub enum Address {
    /// A unix stream socket in the file system.
    Unix(PathBuf),
    /// Loopback.
    Tcp(SocketAddr),
}

/// A connection of the load.
#[derive(Debug)]
pub enum Socket {
    /// A socket of any kind. It is read and written as a file.
    Plain(File),
    /// TCP with TLS.
    Tls(Box<TlsSocket>),
}

/// Connects. Reads and writes block, reads for ten seconds at most.
pub fn connect(address: &Address) -> Result<File> {
    let socket: OwnedFd = match address {
        Address::Unix(path) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(HANDSHAKE))?;
            stream.into()
        }
        Address::Tcp(address) => {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(HANDSHAKE))?;
            stream.into()
        }
    };
    Ok(socket.into())
}

/// Says whether reads and writes wait until they can be done.
pub fn set_blocking(socket: impl AsFd, blocking: bool) -> Result<()> {
    Ok(rustix::io::ioctl_fionbio(socket, !blocking)?)
}

/// Reads up to and including the end of a line, byte by byte: what follows it stays.
pub fn read_line(socket: impl Read) -> Result<String> {
    let mut line = String::new();
    BufReader::with_capacity(1, socket.take(8192)).read_line(&mut line)?;
    ensure!(line.ends_with('\n'), "a line of the handshake does not end");
    Ok(line.trim_end().to_owned())
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Plain(file) => file.as_fd(),
            Socket::Tls(tls) => tls.socket().as_fd(),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Plain(file) => file.read(buffer),
            Socket::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Plain(file) => file.write(bytes),
            Socket::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Socket::Plain(file) => file.flush(),
            Socket::Tls(tls) => tls.flush(),
        }
    }
}
