//! Instances of a named pipe: one for each client.

use std::ffi::OsStr;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{FromRawHandle, OwnedHandle};

use windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, PIPE_ACCESS_DUPLEX,
};
use windows_sys::Win32::System::Pipes::{
    CreateNamedPipeW, PIPE_ACCEPT_REMOTE_CLIENTS, PIPE_READMODE_BYTE, PIPE_READMODE_MESSAGE,
    PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE, PIPE_TYPE_MESSAGE, PIPE_UNLIMITED_INSTANCES,
};

use super::security::Descriptor;
use crate::framing::Framing;
use crate::transport::Remote;

/// What the system keeps of what was written and not read yet, in bytes, and what a
/// writer need not wait for.
const BUFFER: u32 = 64 * 1024;

/// How long a client waits for a busy pipe where it says NMPWAIT_USE_DEFAULT_WAIT,
/// in ms.
const DEFAULT_WAIT: u32 = 5000;

/// A path or a name for the system: UTF-16, with a NUL behind it.
pub(super) fn wide(text: &OsStr) -> Vec<u16> {
    text.encode_wide().chain([0]).collect()
}

/// How each instance of a pipe is made.
#[derive(Debug)]
pub(super) struct Mould {
    /// `\\.\pipe\NAME`.
    pub(super) path: Vec<u16>,
    pub(super) framing: Framing,
    pub(super) remote: Remote,
    /// The most instances at once; beyond 254, and for `None`, only the system's
    /// resources limit them.
    pub(super) limit: Option<u32>,
    pub(super) security: Descriptor,
}

impl Mould {
    /// Makes an instance. `is_first`: only if there is no pipe of this name yet.
    ///
    /// Both directions, for every pipe: on one that is open for writing only, the
    /// death of a client shows at the next write only, and with one instance the next
    /// reader would wait for it.
    #[expect(unsafe_code, reason = "tokio fixes the default time-out to 0")]
    pub(super) fn make(&self, is_first: bool) -> io::Result<OwnedHandle> {
        let kind = match self.framing {
            Framing::Stream => PIPE_TYPE_BYTE | PIPE_READMODE_BYTE,
            Framing::Messages => PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE,
        };
        let remote = match self.remote {
            Remote::Reject => PIPE_REJECT_REMOTE_CLIENTS,
            Remote::Accept => PIPE_ACCEPT_REMOTE_CLIENTS,
        };
        let first = if is_first {
            FILE_FLAG_FIRST_PIPE_INSTANCE
        } else {
            0
        };
        let limit = self.limit.filter(|limit| *limit < PIPE_UNLIMITED_INSTANCES);
        let limit = limit.unwrap_or(PIPE_UNLIMITED_INSTANCES);
        let attributes = SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: self.security.as_ptr(),
            bInheritHandle: 0,
        };
        // SAFETY: the path ends in NUL; the attributes and the descriptor that they
        // point to live until the call is over.
        let handle = unsafe {
            CreateNamedPipeW(
                self.path.as_ptr(),
                PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | first,
                kind | remote,
                limit,
                BUFFER,
                BUFFER,
                DEFAULT_WAIT,
                &attributes,
            )
        };
        if handle == INVALID_HANDLE_VALUE {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was made just now, and nobody else has it.
        Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
    }
}
