//! The meaning of the Windows errors that std has no kind for.

use std::io;

/// Returns whether this process or the system has no handle or buffer left (WinSock error codes).
pub(in crate::transport) fn is_out_of_resources(error: &io::Error) -> bool {
    const WSAEMFILE: i32 = 10024;
    const WSAENOBUFS: i32 = 10055;
    matches!(error.raw_os_error(), Some(WSAEMFILE | WSAENOBUFS))
}

/// Returns whether a name that could not be looked up may be found later: WSATRY_AGAIN.
pub(in crate::transport) fn is_lookup_transient(error: &io::Error) -> bool {
    error.raw_os_error() == Some(11002)
}
