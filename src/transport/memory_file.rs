//! Files that live in memory (memfd_create(2), of Linux).
//!
//! Their pages can be handed to sockets without a copy ([`send_file`](super::send_file)).
//! Elsewhere there are none, and bytes are copied to each socket.

use std::fs::File;
use std::io;

/// Creates an empty file that lives in memory and has no name.
///
/// # Errors
/// The system has no such files, or no memory for one.
pub fn memory_file() -> io::Result<File> {
    #[cfg(target_os = "linux")]
    {
        let flags = rustix::fs::MemfdFlags::CLOEXEC;
        Ok(File::from(rustix::fs::memfd_create("arauto-log", flags)?))
    }
    #[cfg(not(target_os = "linux"))]
    Err(io::ErrorKind::Unsupported.into())
}
