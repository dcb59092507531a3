//! The process and the user at the other end of a pipe.
//!
//! A process id is for people to read: a process may end, and another get its id. Trust is
//! decided by the client's token, and by the owner of the pipe.

use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle};

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::Pipes::{GetNamedPipeClientProcessId, GetNamedPipeServerProcessId};
use windows_sys::core::BOOL;

use super::security;
use crate::transport::{Endpoint, LocalUser, Peer};

/// The owners whose servers every client trusts, for error messages.
pub(in crate::transport) const TRUSTED_OWNERS: &str =
    "SYSTEM nor the service arauto nor the group Administrators";

/// Returns why a pipe's name does not prove whose server it is: a pipe has no folder that would
/// keep others from its name.
pub(in crate::transport) fn name_is_safe(
    _endpoint: &Endpoint,
    _server: &LocalUser,
) -> Result<(), String> {
    Err("every user of this machine may make a pipe of that name".to_owned())
}

/// Returns the server of a pipe, seen from the client's end.
pub(super) fn server(pipe: BorrowedHandle<'_>) -> io::Result<Peer> {
    Ok(Peer::Local {
        pid: process_id(pipe, GetNamedPipeServerProcessId)?,
        user: Some(security::owner_of_pipe(pipe)?),
    })
}

/// Returns the client of a pipe, seen from the server's end, without its user.
pub(super) fn client(pipe: BorrowedHandle<'_>) -> io::Result<Peer> {
    Ok(Peer::Local {
        pid: process_id(pipe, GetNamedPipeClientProcessId)?,
        user: None,
    })
}

/// Returns the client of a pipe with its user, that of the token that the client opened the
/// pipe with. Something must have been read from the pipe before.
pub(super) fn client_after_read(pipe: BorrowedHandle<'_>) -> io::Result<Peer> {
    let pid = process_id(pipe, GetNamedPipeClientProcessId)?;
    let user = security::user_of_client(pipe).inspect_err(|error| {
        tracing::debug!(%error, "user of a pipe's client not known");
    });
    let user = user.ok();
    Ok(Peer::Local { pid, user })
}

#[expect(unsafe_code, reason = "no crate tells a pipe's processes")]
fn process_id(
    pipe: BorrowedHandle<'_>,
    ask: unsafe extern "system" fn(HANDLE, *mut u32) -> BOOL,
) -> io::Result<Option<i32>> {
    let mut pid = 0;
    // SAFETY: the handle is open, and the pid's place is ours.
    if unsafe { ask(pipe.as_raw_handle(), &mut pid) } == 0 {
        let error = io::Error::last_os_error();
        return Err(io::Error::new(io::ErrorKind::NotConnected, error));
    }
    Ok(i32::try_from(pid).ok())
}
