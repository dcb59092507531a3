//! Files that live in memory, and handing their pages to sockets.
//!
//! memfd_create(2) and sendfile(2), both of Linux. Elsewhere there are none, and
//! bytes are copied to each socket.

use std::fs::File;
use std::io;

/// An empty file that lives in memory and has no name.
///
/// # Errors
/// The system has no such files, or no room for one.
pub fn memory_file() -> io::Result<File> {
    #[cfg(target_os = "linux")]
    {
        let flags = rustix::fs::MemfdFlags::CLOEXEC;
        Ok(File::from(rustix::fs::memfd_create("arauto-log", flags)?))
    }
    #[cfg(not(target_os = "linux"))]
    Err(io::ErrorKind::Unsupported.into())
}

/// Sends `length` bytes of `file` from `offset` on; how many went. Nothing is
/// copied: the pages must not change until the peer has read them.
#[cfg(target_os = "linux")]
pub(super) fn send(
    socket: &impl std::os::fd::AsFd,
    file: &File,
    offset: u64,
    length: usize,
) -> io::Result<usize> {
    let mut offset = offset;
    Ok(rustix::fs::sendfile(
        socket,
        file,
        Some(&mut offset),
        length,
    )?)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_files_bytes_arrive_from_where_they_were_asked_for() {
        let (ours, mut theirs) = UnixStream::pair().expect("a pair");
        let mut file = super::memory_file().expect("linux has them");
        file.write_all(b"bom dia").expect("room");
        assert_eq!(super::send(&ours, &file, 4, 3).expect("room"), 3);
        file.write_all(b", fim").expect("room");
        assert_eq!(super::send(&ours, &file, 7, 100).expect("room"), 5);
        let mut read = [0; 8];
        theirs.read_exact(&mut read).expect("it is there");
        assert_eq!(&read, b"dia, fim");
    }
}
