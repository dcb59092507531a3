//! Names and error codes in the form that the system takes and returns.

use std::ffi::OsStr;
use std::io;
use std::os::windows::ffi::OsStrExt;

use crate::transport::Endpoint;

/// Returns a path or a name as UTF-16 with a NUL behind it.
pub(super) fn wide(text: &OsStr) -> Vec<u16> {
    text.encode_wide().chain([0]).collect()
}

/// Returns the code that GetLastError gave for an error.
pub(super) fn code(error: &io::Error) -> Option<u32> {
    error.raw_os_error().map(i32::cast_unsigned)
}

/// Returns the path of an endpoint's pipe.
///
/// # Errors
/// The endpoint is of another kind (`Unsupported`).
pub(super) fn pipe_path(endpoint: &Endpoint) -> io::Result<String> {
    match endpoint {
        Endpoint::Pipe(name) => Ok(format!(r"\\.\pipe\{name}")),
        Endpoint::RemotePipe { host, name } => Ok(format!(r"\\{host}\pipe\{name}")),
        _ => {
            let problem = "windows has no sockets with a path: use pipe:NAME or tcp:HOST:PORT";
            Err(io::Error::new(io::ErrorKind::Unsupported, problem))
        }
    }
}
