//! Sockets as this program needs them: blocking for handshakes, then not.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use rustix::io::Errno;

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

/// Connects; reads and writes block, for ten seconds at most.
pub fn connect(address: &Address) -> Result<OwnedFd> {
    Ok(match address {
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
    })
}

/// From now on, reads and writes do not block.
pub fn unblock(socket: &OwnedFd) -> Result<()> {
    Ok(rustix::io::ioctl_fionbio(socket, true)?)
}

/// Writes all of it to a blocking socket.
pub fn write_all(socket: &OwnedFd, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(socket, bytes) {
            Ok(length) => bytes = &bytes[length..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Reads from a blocking socket until `buffer` is full.
pub fn read_exact(socket: &OwnedFd, buffer: &mut [u8]) -> Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        match rustix::io::read(socket, &mut buffer[filled..]) {
            Ok(0) => bail!("the server closed the connection"),
            Ok(length) => filled += length,
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => bail!("no answer for {HANDSHAKE:?}"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Reads up to and including the end of a line.
pub fn read_line(socket: &OwnedFd) -> Result<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        let mut byte = [0];
        read_exact(socket, &mut byte)?;
        line.push(byte[0]);
        ensure!(line.len() < 8192, "a line of the handshake does not end");
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}
