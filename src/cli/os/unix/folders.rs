//! Finds a user's folders, from the environment and passwd(5).

use std::env;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use rustix::process::geteuid;

/// Returns this user's name in `/etc/passwd` (passwd(5)), for services, which have no `$USER`.
pub(in crate::cli) fn user_name() -> Option<String> {
    passwd_field(0)
}

/// Returns a field of this user's line in `/etc/passwd`.
fn passwd_field(index: usize) -> Option<String> {
    let uid = geteuid().as_raw().to_string();
    let users = std::fs::read("/etc/passwd").ok()?;
    let users = String::from_utf8_lossy(&users);
    users.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let is_own = *fields.get(2)? == uid;
        let field = fields.get(index).filter(|field| !field.is_empty())?;
        is_own.then(|| (*field).to_owned())
    })
}

/// Returns the data folder of a server without --data: systemd's state folder, else the system's
/// for root, else the user's own (XDG Base Directory Specification).
pub(in crate::cli) fn default_data_folder() -> PathBuf {
    if let Some(folder) = env::var_os("STATE_DIRECTORY").and_then(first_of) {
        // With DynamicUser= it is a link that systemd has made, and a data folder must be none.
        return folder.canonicalize().unwrap_or(folder);
    }
    if geteuid().is_root() {
        return PathBuf::from("/var/lib/arauto");
    }
    let home = || {
        let home = absolute("HOME").or_else(|| passwd_field(5).map(PathBuf::from));
        home.unwrap_or_else(|| PathBuf::from("/"))
    };
    let state = absolute("XDG_STATE_HOME").unwrap_or_else(|| home().join(".local/state"));
    state.join("arauto")
}

/// Returns the first of the folders in a variable of systemd, which are separated by colons
/// (systemd.exec(5), StateDirectory=).
fn first_of(folders: OsString) -> Option<PathBuf> {
    let mut folders = folders.as_bytes().split(|byte| *byte == b':');
    let first = folders.find(|folder| !folder.is_empty())?;
    Some(PathBuf::from(OsString::from_vec(first.to_vec())))
}

/// Returns the folder in a variable. A relative one is ignored (XDG Base Directory
/// Specification): server and client would resolve it to different folders.
fn absolute(variable: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(env::var_os(variable)?);
    folder.is_absolute().then_some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_of_several_state_folders_is_used() {
        let first = |text: &str| first_of(OsString::from(text));
        assert_eq!(first("/var/lib/a:/var/lib/b"), Some("/var/lib/a".into()));
        assert_eq!(first("/var/lib/a"), Some("/var/lib/a".into()));
        assert_eq!(first(":/var/lib/b"), Some("/var/lib/b".into()));
        assert_eq!(first(""), None);
        assert_eq!(first(":"), None);
    }
}
