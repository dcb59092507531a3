//! Sockets as this program needs them: blocking for handshakes, then not.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};

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

/// Connects. Reads and writes block, reads for ten seconds at most. A socket of any kind
/// is read and written as a file.
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
pub fn set_blocking(socket: &File, blocking: bool) -> Result<()> {
    Ok(rustix::io::ioctl_fionbio(socket, !blocking)?)
}

/// Reads up to and including the end of a line, byte by byte: what follows it stays.
pub fn read_line(socket: &File) -> Result<String> {
    let mut line = String::new();
    BufReader::with_capacity(1, socket.take(8192)).read_line(&mut line)?;
    ensure!(line.ends_with('\n'), "a line of the handshake does not end");
    Ok(line.trim_end().to_owned())
}
