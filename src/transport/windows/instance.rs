//! Instances of a named pipe: one for each client.

use std::io;
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

/// The bytes that the system buffers in each direction: written and not read yet, without
/// the writer having to wait.
const BUFFER: u32 = 64 * 1024;

/// The time that a client waits for a busy pipe with NMPWAIT_USE_DEFAULT_WAIT, in ms.
const DEFAULT_WAIT: u32 = 5000;

/// The properties that every instance of a pipe is made with.
#[derive(Debug)]
pub(super) struct PipeConfig {
    /// `\\.\pipe\NAME`.
    pub(super) path: Vec<u16>,
    pub(super) framing: Framing,
    pub(super) remote: Remote,
    /// The most instances at once; beyond 254, and for `None`, only the system's
    /// resources limit them.
    pub(super) limit: Option<u32>,
    pub(super) security: Descriptor,
}

impl PipeConfig {
    /// Makes an instance. With `is_first` it fails if there is a pipe of this name already.
    ///
    /// Every pipe is open in both directions. On one that is open for writing only, the end of
    /// a client would show at the next write only, and the next reader would wait until then
    /// for the one instance.
    #[expect(unsafe_code, reason = "tokio fixes the default time-out to 0")]
    pub(super) fn make_instance(&self, is_first: bool) -> io::Result<OwnedHandle> {
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
