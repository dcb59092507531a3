//! Handing the pages of a file in memory to a socket (sendfile(2), on Linux).

use std::fs::File;
use std::io;
use std::task::{Context, Poll};

use tokio::io::Interest;
use tokio::net::TcpStream;

/// Whether [`send_file`] may work.
pub(super) const SENDS_FILES: bool = cfg!(target_os = "linux");

#[cfg(unix)]
use std::os::fd::AsFd as SystemSocket;
#[cfg(windows)]
use std::os::windows::io::AsSocket as SystemSocket;

/// Sends part of a file once the socket takes more: see [`send_file`].
pub(super) fn poll_send_file(
    socket: &TcpStream,
    cx: &mut Context<'_>,
    file: &File,
    offset: u64,
    length: usize,
) -> Poll<io::Result<usize>> {
    loop {
        std::task::ready!(socket.poll_write_ready(cx))?;
        let send = || send_file(socket, file, offset, length);
        match socket.try_io(Interest::WRITABLE, send) {
            // The socket was less ready than the runtime knew: wait for it.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            sent => return Poll::Ready(sent),
        }
    }
}

/// Sends up to `length` bytes of `file` from `offset` on, and returns how many were sent.
/// Nothing is copied: the pages must not change until the peer has read them.
///
/// # Errors
/// See sendfile(2). The kind is `Unsupported` where the system has no such call.
#[cfg(target_os = "linux")]
pub(super) fn send_file(
    socket: &impl SystemSocket,
    file: &File,
    offset: u64,
    length: usize,
) -> io::Result<usize> {
    let mut offset = offset;
    let sent = rustix::fs::sendfile(socket, file, Some(&mut offset), length);
    Ok(sent?)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn send_file(
    _: &impl SystemSocket,
    _: &File,
    _offset: u64,
    _length: usize,
) -> io::Result<usize> {
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
        assert_eq!(super::send_file(&ours, &file, 4, 3).expect("room"), 3);
        file.write_all(b", fim").expect("room");
        assert_eq!(super::send_file(&ours, &file, 7, 100).expect("room"), 5);
        let mut read = [0; 8];
        theirs.read_exact(&mut read).expect("it is there");
        assert_eq!(&read, b"dia, fim");
    }
}
