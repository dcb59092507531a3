//! The classes of the error codes of unix.

use rustix::io::Errno;

use crate::framing::Failure;

/// Codes of transient failures. EMFILE and ENFILE come from accept(2).
const TRANSIENT: &[Errno] = &[
    Errno::NOBUFS,
    Errno::NOMEM,
    Errno::AGAIN,
    Errno::INTR,
    Errno::MFILE,
    Errno::NFILE,
];

/// Codes that mean that nothing reaches the peer any more. TCP reports network errors when it
/// gives up (tcp(7)), and accept(2) passes them on.
const PEER_GONE: &[Errno] = &[
    Errno::PIPE,
    Errno::CONNRESET,
    Errno::CONNABORTED,
    Errno::CONNREFUSED,
    Errno::NOTCONN,
    Errno::TIMEDOUT,
    Errno::HOSTUNREACH,
    Errno::HOSTDOWN,
    Errno::NETUNREACH,
    Errno::NETRESET,
    Errno::PROTO,
    Errno::NOPROTOOPT,
    #[cfg(target_os = "linux")]
    Errno::NONET,
];

/// Classifies an `errno`.
pub(in crate::transport) fn failure_of_code(code: i32) -> Failure {
    let code = Errno::from_raw_os_error(code);
    if TRANSIENT.contains(&code) {
        Failure::Transient
    } else if PEER_GONE.contains(&code) {
        Failure::PeerGone
    } else if code == Errno::MSGSIZE {
        Failure::MessageTooLong
    } else {
        Failure::OwnSide
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errno_has_its_failure_class() {
        let of = |code: Errno| failure_of_code(code.raw_os_error());
        for code in [Errno::NOBUFS, Errno::NOMEM, Errno::WOULDBLOCK, Errno::INTR] {
            assert_eq!(of(code), Failure::Transient, "{code}");
        }
        for code in [
            Errno::PIPE,
            Errno::CONNRESET,
            Errno::TIMEDOUT,
            Errno::HOSTUNREACH,
        ] {
            assert_eq!(of(code), Failure::PeerGone, "{code}");
        }
        assert_eq!(of(Errno::MSGSIZE), Failure::MessageTooLong);
        for code in [
            Errno::BADF,
            Errno::FAULT,
            Errno::INVAL,
            Errno::IO,
            Errno::PERM,
        ] {
            assert_eq!(of(code), Failure::OwnSide, "{code}");
        }
    }
}
