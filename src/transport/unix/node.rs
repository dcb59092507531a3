//! Changing a file's owner and mode by a descriptor that was opened with O_PATH.
//!
//! chown(2) and chmod(2) follow links: between the check of a name and the change another program
//! may put a link in its place. A descriptor stands for the file that was checked.

use std::fs::{Permissions, set_permissions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Stat, chownat, fstat, open};
use rustix::io::Errno;
use rustix::process::geteuid;

/// Opens the file of a socket that this process has just bound; returns its metadata too.
///
/// # Errors
/// Another program has replaced the file.
pub(super) fn open_socket(path: &Path) -> io::Result<(OwnedFd, Stat)> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = open(path, flags, Mode::empty())?;
    let found = fstat(&file)?;
    let is_socket = FileType::from_raw_mode(found.st_mode) == FileType::Socket;
    if !is_socket || found.st_uid != geteuid().as_raw() {
        let problem = format!(
            "{} was replaced by another program while it was made",
            path.display()
        );
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, problem));
    }
    Ok((file, found))
}

/// Gives the file to a group.
pub(super) fn set_group(file: impl AsFd, group: Gid) -> io::Result<()> {
    Ok(chownat(file, "", None, Some(group), AtFlags::EMPTY_PATH)?)
}

/// Sets the file's mode. fchmod(2) does not take such descriptors; their names in /proc lead
/// to the file itself, whatever it is (proc_pid_fd(5)).
pub(super) fn set_mode(file: impl AsFd, mode: u32) -> io::Result<()> {
    let fd = file.as_fd();
    if fstat(fd)?.st_mode & 0o777 == mode {
        return Ok(());
    }
    let name = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let set = set_permissions(name, Permissions::from_mode(mode));
    set.map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::NOENT) => {
            let problem = "its mode cannot be set, as /proc is not mounted";
            io::Error::new(io::ErrorKind::Unsupported, problem)
        }
        _ => error,
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{metadata, write};
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn mode_is_set_on_the_socket_and_not_through_a_link() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let (path, other) = (folder.path().join("s"), folder.path().join("other"));
        let _listener = UnixListener::bind(&path).expect("it is free");
        let (file, _) = open_socket(&path).expect("it is ours");
        write(&other, "somebody else's").expect("the folder is ours");
        let before = metadata(&other).expect("it is there").permissions().mode();
        // Somebody puts a link in the socket's place.
        std::fs::rename(&path, folder.path().join("moved")).expect("the folder is ours");
        symlink(&other, &path).expect("the folder is ours");
        set_mode(&file, 0o666).expect("it is ours");
        let mode = |name: &str| {
            let found = metadata(folder.path().join(name)).expect("it is there");
            found.permissions().mode()
        };
        assert_eq!(mode("moved") & 0o777, 0o666);
        assert_eq!(mode("other"), before);
        let error = open_socket(&path).expect_err("it is a link");
        assert!(error.to_string().contains("replaced"), "{error}");
    }
}
