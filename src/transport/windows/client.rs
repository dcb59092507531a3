//! Opening a pipe as its client.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::ptr;
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_FILE_NOT_FOUND, ERROR_HANDLES_CLOSED, ERROR_PIPE_BUSY,
    ERROR_SEM_TIMEOUT, GENERIC_READ,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_OVERLAPPED, FILE_GENERIC_READ, FILE_WRITE_ATTRIBUTES, FILE_WRITE_DATA,
    SECURITY_IDENTIFICATION,
};
use windows_sys::Win32::System::Pipes::{
    PIPE_READMODE_MESSAGE, SetNamedPipeHandleState, WaitNamedPipeW,
};

use super::local::Local;
use super::names::{code, pipe_path, wide};
use crate::framing::Framing;
use crate::transport::{ConnectMode, Endpoint};

/// The longest wait for a busy pipe.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest single wait, so that a connect that was cancelled ends soon.
const WAIT_STEP: Duration = Duration::from_millis(500);

/// All the rights that a client needs, see [`super::security`].
const READ_AND_WRITE: u32 = FILE_GENERIC_READ | FILE_WRITE_DATA | FILE_WRITE_ATTRIBUTES;

/// Connects; waits while the pipe is busy.
pub(in crate::transport) async fn connect(
    endpoint: &Endpoint,
    mode: ConnectMode,
) -> io::Result<Local> {
    let path = pipe_path(endpoint)?;
    let deadline = Instant::now() + BUSY_TIMEOUT;
    let file = loop {
        match open(&path, mode) {
            Err(error) if code(&error) == Some(ERROR_PIPE_BUSY) => {
                if Instant::now() >= deadline {
                    let problem = format!(
                        "all instances of the pipe were busy for {BUSY_TIMEOUT:?}; try again later"
                    );
                    return Err(io::Error::new(io::ErrorKind::TimedOut, problem));
                }
            }
            opened => break opened?,
        }
        let path = path.clone();
        let waited = tokio::task::spawn_blocking(move || wait(&path));
        waited.await.map_err(io::Error::other)??;
    };
    let framing = match mode {
        ConnectMode::Frames => Framing::Stream,
        ConnectMode::Messages | ConnectMode::ReadOnly => read_mode(&file),
    };
    Local::connected(OwnedHandle::from(file), framing)
}

fn open(path: &str, mode: ConnectMode) -> io::Result<File> {
    let rights: &[u32] = match mode {
        ConnectMode::Frames | ConnectMode::Messages => &[READ_AND_WRITE],
        // The read mode is an attribute. Without the right to set it, messages that wait
        // together arrive as one.
        ConnectMode::ReadOnly => &[GENERIC_READ | FILE_WRITE_ATTRIBUTES, GENERIC_READ],
    };
    let mut opened = Err(io::ErrorKind::PermissionDenied.into());
    for rights in rights {
        opened = OpenOptions::new()
            .access_mode(*rights)
            .custom_flags(FILE_FLAG_OVERLAPPED)
            // A server may identify this client, and never impersonate it.
            .security_qos_flags(SECURITY_IDENTIFICATION)
            .open(path);
        match &opened {
            Err(error) if code(error) == Some(ERROR_ACCESS_DENIED) => {}
            _ => break,
        }
    }
    opened
}

/// Waits until an instance is free, but no longer than [`WAIT_STEP`].
#[expect(unsafe_code, reason = "no crate waits for a pipe")]
fn wait(path: &str) -> io::Result<()> {
    let path = wide(OsStr::new(path));
    // SAFETY: the path ends in NUL.
    let free = unsafe { WaitNamedPipeW(path.as_ptr(), WAIT_STEP.as_millis() as u32) };
    let error = io::Error::last_os_error();
    match code(&error) {
        _ if free != 0 => Ok(()),
        Some(ERROR_SEM_TIMEOUT) => Ok(()),
        // The server is between two instances that it makes one after the other. The second
        // code is Wine's.
        Some(ERROR_FILE_NOT_FOUND | ERROR_HANDLES_CLOSED) => {
            std::thread::sleep(Duration::from_millis(10));
            Ok(())
        }
        _ => Err(error),
    }
}

/// Sets the message read mode if the pipe is of message type; returns what it carries.
#[expect(unsafe_code, reason = "std does not know read modes")]
fn read_mode(file: &File) -> Framing {
    let mode = PIPE_READMODE_MESSAGE;
    // SAFETY: the handle is open, and the mode lives until the call is over.
    let set =
        unsafe { SetNamedPipeHandleState(file.as_raw_handle(), &mode, ptr::null(), ptr::null()) };
    if set != 0 {
        Framing::Messages
    } else {
        Framing::Stream
    }
}
