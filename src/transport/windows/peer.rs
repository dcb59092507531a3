//! The process and the user at the other end of a pipe.
//!
//! A process id is for people to read: a process may end, and another get its id. What counts
//! is the client's token, and the owner of the pipe.

use std::io;
use std::os::windows::io::BorrowedHandle;

use windows_sys::Win32::System::Pipes::{GetNamedPipeClientProcessId, GetNamedPipeServerProcessId};

use super::{End, Local, security};
use crate::transport::{Endpoint, LocalUser, Peer};

/// The owners whom every client trusts, behind "neither this client's user nor".
pub(in crate::transport) const ROOT: &str = "SYSTEM nor the group Administrators";

/// Whether nobody but the server's user could have made the pipe: a pipe has no folder that
/// would keep others from its name.
pub(in crate::transport) fn name_is_safe(
    _endpoint: &Endpoint,
    _server: &LocalUser,
) -> Result<(), String> {
    Err("every user of this machine may make a pipe of that name".to_owned())
}

impl Local {
    /// The process at the other end, and the user of a server. Of a client the user is not
    /// known before something was read: see [`Local::peer_after_read`].
    #[expect(unsafe_code, reason = "no crate tells a pipe's client")]
    pub(in crate::transport) fn peer(&self) -> io::Result<Peer> {
        let mut pid = 0;
        let is_client = match &self.end {
            End::Client(_) => true,
            End::Messages(_) | End::Accepted(..) | End::Serving(_) => self.place.is_none(),
        };
        // SAFETY: the handle is open, and the pid's place is ours.
        let told = unsafe {
            match is_client {
                true => GetNamedPipeServerProcessId(self.raw(), &mut pid),
                false => GetNamedPipeClientProcessId(self.raw(), &mut pid),
            }
        };
        if told == 0 {
            let error = io::Error::last_os_error();
            return Err(io::Error::new(io::ErrorKind::NotConnected, error));
        }
        Ok(Peer::Local {
            pid: i32::try_from(pid).ok(),
            user: is_client
                .then(|| security::owner_of_pipe(self.handle()))
                .transpose()?,
        })
    }

    /// The client at the other end, once something was read from it: its user is that of
    /// the token that it opened the pipe with.
    pub(in crate::transport) fn peer_after_read(&self) -> Option<Peer> {
        let is_server = self.place.is_some();
        let peer = is_server.then(|| self.peer().ok()).flatten()?;
        let user = security::user_of_client(self.handle());
        let user = user.inspect_err(|error| {
            tracing::debug!(%error, "the user of a pipe's client is not known");
        });
        Some(Peer::Local {
            pid: peer.pid(),
            user: user.ok(),
        })
    }

    #[expect(unsafe_code, reason = "tokio gives raw handles")]
    fn handle(&self) -> BorrowedHandle<'_> {
        // SAFETY: the pipe is open for as long as `self` is.
        unsafe { BorrowedHandle::borrow_raw(self.raw()) }
    }
}
