//! The causes of failed connects, as far as a client must tell them apart.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use super::system;

/// The cause of a failed connect. The names in brackets are those of errno(3); Windows has the
/// same causes under other codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectFault {
    /// No server listens there (ECONNREFUSED).
    Refused,
    /// There is no such socket or pipe (ENOENT).
    Missing,
    /// Too many clients wait to be accepted (EAGAIN on a full backlog, ERROR_PIPE_BUSY).
    Busy,
    /// The connection ended before it could be used (ECONNRESET, ECONNABORTED, EPIPE).
    Reset,
    /// The peer did not answer in time (ETIMEDOUT).
    TimedOut,
    /// The host cannot be reached now (EHOSTUNREACH, ENETUNREACH, ENETDOWN).
    Unreachable,
    /// This process or its host has no descriptor, port or memory left (EMFILE, ENFILE,
    /// EADDRNOTAVAIL, ENOBUFS, ENOMEM).
    OutOfResources,
    /// The host's name cannot be looked up now (EAI_AGAIN).
    LookupFailed,
    /// No host has this name (EAI_NONAME).
    UnknownHost,
    /// This user may not connect there (EACCES, EPERM).
    Denied,
    /// The TLS handshake failed: the peer is another server, does not speak TLS, or refuses
    /// this client's certificate.
    TlsFailed,
    /// Another cause; a retry does not help.
    Other,
}

impl ConnectFault {
    /// All causes.
    pub const ALL: &'static [ConnectFault] = &[
        ConnectFault::Refused,
        ConnectFault::Missing,
        ConnectFault::Busy,
        ConnectFault::Reset,
        ConnectFault::TimedOut,
        ConnectFault::Unreachable,
        ConnectFault::OutOfResources,
        ConnectFault::LookupFailed,
        ConnectFault::UnknownHost,
        ConnectFault::Denied,
        ConnectFault::TlsFailed,
        ConnectFault::Other,
    ];

    /// Returns the cause's name, as docs/protocol.md has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            ConnectFault::Refused => "refused",
            ConnectFault::Missing => "missing",
            ConnectFault::Busy => "busy",
            ConnectFault::Reset => "reset",
            ConnectFault::TimedOut => "timed out",
            ConnectFault::Unreachable => "unreachable",
            ConnectFault::OutOfResources => "out of resources",
            ConnectFault::LookupFailed => "lookup failed",
            ConnectFault::UnknownHost => "unknown host",
            ConnectFault::Denied => "denied",
            ConnectFault::TlsFailed => "tls failed",
            ConnectFault::Other => "other",
        }
    }

    /// Returns the cause of a failed connect.
    pub fn of(error: &io::Error) -> ConnectFault {
        if let Some(lookup) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
            let NoAddress { is_transient, .. } = lookup;
            return match is_transient {
                true => ConnectFault::LookupFailed,
                false => ConnectFault::UnknownHost,
            };
        }
        match error.kind() {
            ErrorKind::ConnectionRefused => ConnectFault::Refused,
            ErrorKind::NotFound => ConnectFault::Missing,
            ErrorKind::WouldBlock | ErrorKind::ResourceBusy | ErrorKind::Interrupted => {
                ConnectFault::Busy
            }
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::NotConnected
            | ErrorKind::UnexpectedEof => ConnectFault::Reset,
            ErrorKind::TimedOut => ConnectFault::TimedOut,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
                ConnectFault::Unreachable
            }
            ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse | ErrorKind::OutOfMemory => {
                ConnectFault::OutOfResources
            }
            ErrorKind::PermissionDenied => ConnectFault::Denied,
            ErrorKind::InvalidData => ConnectFault::TlsFailed,
            _ if system::is_out_of_resources(error) => ConnectFault::OutOfResources,
            _ => ConnectFault::Other,
        }
    }
}

impl fmt::Display for ConnectFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error of a host name that could not be looked up.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
struct NoAddress {
    is_transient: bool,
    source: io::Error,
}

/// Looks up a host's name.
///
/// # Errors
/// The lookup failed; [`ConnectFault::of`] tells whether a retry may help.
pub(super) async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let found = tokio::net::lookup_host((host, port)).await;
    let found = found.map_err(|source| {
        let no_address = NoAddress {
            is_transient: system::is_lookup_transient(&source),
            source,
        };
        io::Error::other(no_address)
    });
    Ok(found?.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_address(is_transient: bool) -> io::Error {
        io::Error::other(NoAddress {
            is_transient,
            source: io::Error::other("no address"),
        })
    }

    #[test]
    fn temporary_lookup_failure_differs_from_unknown_host() {
        assert_eq!(
            ConnectFault::of(&no_address(true)),
            ConnectFault::LookupFailed
        );
        assert_eq!(
            ConnectFault::of(&no_address(false)),
            ConnectFault::UnknownHost
        );
    }

    #[test]
    fn connect_causes_have_distinct_names() {
        let names: std::collections::HashSet<_> = ConnectFault::ALL
            .iter()
            .map(|fault| fault.as_str())
            .collect();
        assert_eq!(names.len(), ConnectFault::ALL.len());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_errno_maps_to_its_cause() {
        use rustix::io::Errno;

        for (errno, fault) in [
            (Errno::CONNREFUSED, ConnectFault::Refused),
            (Errno::NOENT, ConnectFault::Missing),
            (Errno::AGAIN, ConnectFault::Busy),
            (Errno::CONNRESET, ConnectFault::Reset),
            (Errno::CONNABORTED, ConnectFault::Reset),
            (Errno::PIPE, ConnectFault::Reset),
            (Errno::TIMEDOUT, ConnectFault::TimedOut),
            (Errno::HOSTUNREACH, ConnectFault::Unreachable),
            (Errno::NETUNREACH, ConnectFault::Unreachable),
            (Errno::NETDOWN, ConnectFault::Unreachable),
            (Errno::MFILE, ConnectFault::OutOfResources),
            (Errno::NFILE, ConnectFault::OutOfResources),
            (Errno::NOBUFS, ConnectFault::OutOfResources),
            (Errno::NOMEM, ConnectFault::OutOfResources),
            (Errno::ADDRNOTAVAIL, ConnectFault::OutOfResources),
            (Errno::ACCESS, ConnectFault::Denied),
            (Errno::PERM, ConnectFault::Denied),
            (Errno::PROTOTYPE, ConnectFault::Other),
            (Errno::NOTSOCK, ConnectFault::Other),
            (Errno::NAMETOOLONG, ConnectFault::Other),
        ] {
            let error = io::Error::from(errno);
            assert_eq!(ConnectFault::of(&error), fault, "{error}");
        }
    }
}
