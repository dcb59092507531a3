//! The classes of the error codes of Windows.
//!
//! System Error Codes of the Win32 documentation, and Windows Sockets Error Codes from
//! 10000 on. The table has numbers, so it is tested on every system.

use crate::framing::Failure;

/// ERROR_NOT_ENOUGH_MEMORY, ERROR_OUTOFMEMORY, ERROR_BUSY, ERROR_PIPE_BUSY, ERROR_RETRY,
/// ERROR_NO_SYSTEM_RESOURCES, ERROR_WORKING_SET_QUOTA, ERROR_PAGEFILE_QUOTA,
/// ERROR_COMMITMENT_LIMIT, ERROR_NOT_ENOUGH_QUOTA; WSAEINTR, WSAEMFILE, WSAEWOULDBLOCK,
/// WSAENOBUFS.
const TRANSIENT: &[i32] = &[
    8, 14, 170, 231, 1237, 1450, 1453, 1454, 1455, 1816, 10004, 10024, 10035, 10055,
];

/// ERROR_HANDLE_EOF, ERROR_UNEXP_NET_ERR, ERROR_NETNAME_DELETED, ERROR_BROKEN_PIPE,
/// ERROR_SEM_TIMEOUT, ERROR_NO_DATA, ERROR_PIPE_NOT_CONNECTED, ERROR_VC_DISCONNECTED,
/// ERROR_NETWORK_UNREACHABLE, ERROR_HOST_UNREACHABLE, ERROR_CONNECTION_ABORTED;
/// WSAENETUNREACH, WSAENETRESET, WSAECONNABORTED, WSAECONNRESET, WSAENOTCONN, WSAESHUTDOWN,
/// WSAETIMEDOUT, WSAECONNREFUSED, WSAEHOSTDOWN, WSAEHOSTUNREACH, WSAEDISCON.
const PEER_GONE: &[i32] = &[
    38, 59, 64, 109, 121, 232, 233, 240, 1231, 1232, 1236, 10051, 10052, 10053, 10054, 10057,
    10058, 10060, 10061, 10064, 10065, 10101,
];

/// WSAEMSGSIZE.
const MESSAGE_TOO_LONG: i32 = 10040;

/// Classifies a code of GetLastError or WSAGetLastError.
pub(super) fn failure_of_code(code: i32) -> Failure {
    if TRANSIENT.contains(&code) {
        Failure::Transient
    } else if PEER_GONE.contains(&code) {
        Failure::PeerGone
    } else if code == MESSAGE_TOO_LONG {
        Failure::MessageTooLong
    } else {
        Failure::OwnSide
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_error_code_has_its_class() {
        for code in [8, 1450, 1455, 10055] {
            assert_eq!(failure_of_code(code), Failure::Transient, "{code}");
        }
        for code in [109, 232, 233, 10053, 10054, 10060] {
            assert_eq!(failure_of_code(code), Failure::PeerGone, "{code}");
        }
        assert_eq!(failure_of_code(10040), Failure::MessageTooLong);
        for code in [5, 6, 87, 1117, 10050] {
            assert_eq!(failure_of_code(code), Failure::OwnSide, "{code}");
        }
    }
}
