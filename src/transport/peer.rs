//! Who is at the other end, as the operating system says.

use std::fmt;
use std::net::SocketAddr;

/// The other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A process of this machine.
    Local {
        /// Its process id, where the system tells it.
        pid: Option<i32>,
        /// Its effective user id when it connected.
        uid: u32,
    },
    /// An address.
    Remote(SocketAddr),
}

impl Peer {
    /// Whether the peer is a local process of this process's own user.
    #[cfg(unix)]
    pub fn is_same_user(&self) -> bool {
        matches!(self, Peer::Local { uid, .. } if *uid == rustix::process::geteuid().as_raw())
    }

    /// Whether the peer is a local process of root's, whom no mode keeps out.
    pub fn is_root(&self) -> bool {
        matches!(self, Peer::Local { uid: 0, .. })
    }

    /// The peer's process id, where the system tells it.
    pub fn pid(&self) -> Option<i32> {
        match self {
            Peer::Local { pid, .. } => *pid,
            Peer::Remote(_) => None,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Local {
                pid: Some(pid),
                uid,
            } => write!(f, "pid {pid} uid {uid}"),
            Peer::Local { pid: None, uid } => write!(f, "uid {uid}"),
            Peer::Remote(address) => address.fmt(f),
        }
    }
}
