//! Handing the pages of a file in memory to a socket (sendfile(2), on Linux).

use std::fs::File;
use std::io;
use std::task::{Context, Poll};

use tokio::net::TcpStream;

/// Whether [`poll_send_file`] may work.
pub(super) const SENDS_FILES: bool = cfg!(target_os = "linux");

/// A socket of tokio's, whichever it is.
pub(super) trait Socket: SystemSocket {
    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    fn try_write(&self, write: impl FnOnce() -> io::Result<usize>) -> io::Result<usize>;
}

#[cfg(unix)]
use std::os::fd::AsFd as SystemSocket;
#[cfg(windows)]
use std::os::windows::io::AsSocket as SystemSocket;

macro_rules! socket {
    ($socket:ty) => {
        impl Socket for $socket {
            fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.poll_write_ready(cx)
            }

            fn try_write(&self, write: impl FnOnce() -> io::Result<usize>) -> io::Result<usize> {
                self.try_io(tokio::io::Interest::WRITABLE, write)
            }
        }
    };
}

socket!(TcpStream);
#[cfg(unix)]
socket!(tokio::net::UnixStream);

/// Sends up to `length` bytes of `file` from `offset` on, and returns how many were sent.
/// Nothing is copied: the pages must not change until the peer has read them.
///
/// # Errors
/// See sendfile(2). The kind is `Unsupported` where the system has no such call.
pub(super) fn poll_send_file(
    socket: &impl Socket,
    cx: &mut Context<'_>,
    file: &File,
    offset: u64,
    length: usize,
) -> Poll<io::Result<usize>> {
    loop {
        std::task::ready!(socket.poll_write_ready(cx))?;
        match socket.try_write(|| send(socket, file, offset, length)) {
            // The socket was less ready than the runtime knew: wait for it.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            sent => return Poll::Ready(sent),
        }
    }
}

#[cfg(target_os = "linux")]
fn send(socket: &impl SystemSocket, file: &File, offset: u64, length: usize) -> io::Result<usize> {
    let mut offset = offset;
    let sent = rustix::fs::sendfile(socket, file, Some(&mut offset), length);
    Ok(sent?)
}

#[cfg(not(target_os = "linux"))]
fn send(_: &impl SystemSocket, _: &File, _offset: u64, _length: usize) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use crate::transport::memory_file;

    #[test]
    fn sent_file_starts_at_the_given_offset() {
        let (ours, mut theirs) = UnixStream::pair().expect("a pair");
        let mut file = memory_file().expect("linux has them");
        file.write_all(b"bom dia").expect("room");
        assert_eq!(super::send(&ours, &file, 4, 3).expect("room"), 3);
        file.write_all(b", fim").expect("room");
        assert_eq!(super::send(&ours, &file, 7, 100).expect("room"), 5);
        let mut read = [0; 8];
        theirs.read_exact(&mut read).expect("it is there");
        assert_eq!(&read, b"dia, fim");
    }
}
