//! Who is at the other end, as the operating system says.

use std::fmt;
use std::net::SocketAddr;

use super::system;
use crate::link::PeerId;

/// The other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// A process of this machine.
    Local {
        /// Its process id, where the system tells it.
        pid: Option<i32>,
        /// Whose process it is, where the system tells it.
        user: Option<LocalUser>,
    },
    /// An address.
    Remote(SocketAddr),
}

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalUser {
    /// Unix: the effective user id that a process had when it connected.
    Uid(u32),
    /// Windows: a security identifier, and the account's name.
    Sid {
        /// As in `S-1-5-18`.
        sid: String,
        /// As in `HOST\ana`; the SID again where the system knows no name.
        name: String,
    },
}

impl LocalUser {
    /// Whether both are the same user, whatever names the system has for them.
    pub(super) fn is(&self, other: &LocalUser) -> bool {
        match (self, other) {
            (LocalUser::Uid(one), LocalUser::Uid(other)) => one == other,
            (LocalUser::Sid { sid: one, .. }, LocalUser::Sid { sid: other, .. }) => one == other,
            _ => false,
        }
    }

    /// Returns the user's unique identifier: the uid, or the SID.
    pub(super) fn id(&self) -> String {
        match self {
            LocalUser::Uid(uid) => uid.to_string(),
            LocalUser::Sid { sid, .. } => sid.clone(),
        }
    }

    /// Root, or SYSTEM: whom no mode and no descriptor keeps out.
    pub(super) fn is_root(&self) -> bool {
        match self {
            LocalUser::Uid(uid) => *uid == 0,
            LocalUser::Sid { sid, .. } => sid == "S-1-5-18",
        }
    }

    /// The group Administrators of Windows. Only a process that acts with its rights can make
    /// it the owner of something, and that process could act as any user.
    pub(super) fn is_administrators(&self) -> bool {
        match self {
            LocalUser::Uid(_) => false,
            LocalUser::Sid { sid, .. } => sid == "S-1-5-32-544",
        }
    }
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

    /// Whether the peer is a local process of this process's own user.
    pub fn is_same_user(&self) -> bool {
        match self {
            Peer::Local { user, .. } => match (user, system::own_user()) {
                (Some(user), Some(own)) => user.is(&own),
                _ => false,
            },
            Peer::Remote(_) => false,
        }
    }

    /// Whether the peer is a local process of root's, or of SYSTEM's.
    pub fn is_root(&self) -> bool {
        match self {
            Peer::Local { user, .. } => user.as_ref().is_some_and(LocalUser::is_root),
            Peer::Remote(_) => false,
        }
    }

    /// The peer's process id, where the system tells it.
    pub fn pid(&self) -> Option<i32> {
        match self {
            Peer::Local { pid, .. } => *pid,
            Peer::Remote(_) => None,
        }
    }
}

impl fmt::Display for LocalUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LocalUser::Uid(uid) => write!(f, "uid {uid}"),
            LocalUser::Sid { name, .. } => write!(f, "user {name}"),
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
