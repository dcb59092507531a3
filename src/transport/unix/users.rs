//! Users and groups of this machine, by name.
//!
//! Names are looked up with getpwnam_r(3) and getgrnam_r(3), which ask every source of the
//! name service switch (nsswitch.conf(5)): LDAP and systemd users count as those of the files
//! do. A statically linked musl build asks the files and nscd only.

use std::io;

use nix::unistd::{Group, User};
use rustix::process::{Gid, geteuid};

use crate::transport::LocalUser;

/// The user whose servers every client trusts, for error messages.
pub(in crate::transport) const TRUSTED_OWNERS: &str = "root";

/// Returns the user that this process acts as.
pub(in crate::transport) fn own_user() -> Option<LocalUser> {
    Some(LocalUser::Uid(geteuid().as_raw()))
}

/// Returns a user by name, or by number: a number needs no entry.
///
/// # Errors
/// A sentence that tells what to do: no user has the name, or it cannot be looked up.
pub(in crate::transport) fn find_user(name: &str) -> Result<LocalUser, String> {
    if let Ok(uid) = name.parse() {
        return Ok(LocalUser::Uid(uid));
    }
    match User::from_name(name) {
        Ok(Some(user)) => Ok(LocalUser::Uid(user.uid.as_raw())),
        Ok(None) => Err(
            "this system has no user of that name (`getent passwd` lists them); \
                         give a name that it has, or the number of a user id"
                .to_owned(),
        ),
        Err(error) => Err(format!(
            "user names cannot be looked up ({error}); give the number of a user id"
        )),
    }
}

/// Returns the id of a group by name.
///
/// # Errors
/// The kind is `NotFound` if no group has the name.
pub(super) fn find_group(name: &str) -> io::Result<Gid> {
    match Group::from_name(name)? {
        Some(group) => Ok(Gid::from_raw(group.gid.as_raw())),
        None => {
            let problem = format!(
                "this system has no group {name:?}: create it, or name one that \
                 `getent group` lists"
            );
            Err(io::Error::new(io::ErrorKind::NotFound, problem))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_found_by_name_and_by_number() {
        for name in ["root", "0"] {
            assert_eq!(find_user(name), Ok(LocalUser::Uid(0)), "{name}");
        }
        assert!(find_group("root").expect("every system has it").is_root());
    }

    #[test]
    fn unknown_name_is_reported_with_what_to_do() {
        let user = find_user("nenhum-utilizador").expect_err("no such user");
        assert!(user.contains("getent passwd"), "{user}");
        let group = find_group("nenhum-grupo").expect_err("no such group");
        assert_eq!(group.kind(), io::ErrorKind::NotFound);
        assert!(group.to_string().contains("nenhum-grupo"), "{group}");
    }
}
