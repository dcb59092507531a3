//! The other end of a connection, as the operating system knows it.

use std::fmt;
use std::net::SocketAddr;

use super::{LocalUser, system};
use crate::link::PeerId;

/// The other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// A process of this machine.
    Local {
        /// The process id, where the system tells it.
        pid: Option<i32>,
        /// The process's user, where the system tells it.
        user: Option<LocalUser>,
    },
    /// A process at a network address.
    Remote(SocketAddr),
}

impl Peer {
    /// Returns the identity by which limits count the peer.
    pub(crate) fn id(&self) -> PeerId {
        match self {
            Peer::Remote(address) => PeerId::at(address.ip()),
            Peer::Local { user, .. } => match user {
                Some(LocalUser::Uid(uid)) => PeerId::Uid(*uid),
                Some(LocalUser::Sid { sid, .. }) => PeerId::Sid(sid.as_str().into()),
                None => PeerId::Local,
            },
        }
    }

    /// Returns whether the peer is a local process of this process's own user.
    pub fn is_same_user(&self) -> bool {
        match self {
            Peer::Local { user, .. } => match (user, system::own_user()) {
                (Some(user), Some(own)) => user.is_same_as(&own),
                _ => false,
            },
            Peer::Remote(_) => false,
        }
    }

    /// Returns whether the peer is a local process of root, or of SYSTEM.
    pub fn is_root(&self) -> bool {
        match self {
            Peer::Local { user, .. } => user.as_ref().is_some_and(LocalUser::is_root),
            Peer::Remote(_) => false,
        }
    }

    /// Returns the peer's process id, where the system tells it.
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
                user: Some(user),
            } => write!(f, "pid {pid} {user}"),
            Peer::Local {
                pid: Some(pid),
                user: None,
            } => write!(f, "pid {pid}"),
            Peer::Local {
                pid: None,
                user: Some(user),
            } => user.fmt(f),
            Peer::Local {
                pid: None,
                user: None,
            } => f.write_str("a process of this machine"),
            Peer::Remote(address) => address.fmt(f),
        }
    }
}
