//! A user of this machine.

use std::fmt;

/// The SID of the virtual account `NT SERVICE\arauto`, under which `arauto service install` lets the
/// server run. Windows derives it from the service's name: `S-1-5-80` and the SHA-1 of the name in
/// upper case (`sc showsid arauto`).
pub(super) const SERVICE_SID: &str = "S-1-5-80-252206560-1899095965-420021644-795094642-2666121914";

/// A user of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalUser {
    /// Unix: the effective user id that the process had when it connected.
    Uid(u32),
    /// Windows: a security identifier, and the account's name.
    Sid {
        /// The SID, such as `S-1-5-18`.
        sid: String,
        /// The account's name, such as `HOST\ana`; the SID where the system knows no name.
        name: String,
    },
}

impl LocalUser {
    /// Returns whether both are the same user, whatever names the system has for them.
    pub(super) fn is_same_as(&self, other: &LocalUser) -> bool {
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

    /// Returns whether the user is root or SYSTEM: no mode and no descriptor keeps it out.
    pub(super) fn is_root(&self) -> bool {
        match self {
            LocalUser::Uid(uid) => *uid == 0,
            LocalUser::Sid { sid, .. } => sid == "S-1-5-18",
        }
    }

    /// Returns whether the user is the group Administrators of Windows. Only a process with its
    /// rights can make it the owner of an object, and such a process could act as any user.
    pub(super) fn is_administrators(&self) -> bool {
        match self {
            LocalUser::Uid(_) => false,
            LocalUser::Sid { sid, .. } => sid == "S-1-5-32-544",
        }
    }

    /// Returns whether the user is the account of the service `arauto` of Windows. Only an
    /// administrator can install a service of that name, and only its process has this SID.
    pub(super) fn is_service(&self) -> bool {
        match self {
            LocalUser::Uid(_) => false,
            LocalUser::Sid { sid, .. } => sid == SERVICE_SID,
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
