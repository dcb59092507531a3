//! Whether a socket's path proves which user's server listens there.
//!
//! If every folder from `/` down to the socket belongs to root or the server's user, and no other
//! user may write to it, no third user can have created the socket, nor a folder or a link on the
//! way to it. A sticky folder such as `/tmp` does not help: others cannot remove a name in it,
//! but can create it first.

use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use super::address::{UnixAddress, address};
use crate::transport::{Endpoint, LocalUser};

/// The most links on the way to a socket, as many as the kernel follows (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// Checks that only root and `server` could have created the endpoint's socket.
///
/// # Errors
/// The reason why another user could have, as a clause.
pub(in crate::transport) fn name_is_safe(
    endpoint: &Endpoint,
    server: &LocalUser,
) -> Result<(), String> {
    let LocalUser::Uid(server) = server else {
        return Err("it has no user id".to_owned());
    };
    match address(endpoint) {
        Ok(UnixAddress::Path(path) | UnixAddress::SeqPacket(path)) => check_path(&path, *server),
        Ok(UnixAddress::Abstract(_)) => {
            Err("every user of this machine may take an abstract name".to_owned())
        }
        Err(error) => Err(format!("its path is unknown ({error})")),
    }
}

/// Walks from the root to the socket, and follows links as the kernel does.
fn check_path(socket: &Path, server: u32) -> Result<(), String> {
    let start = std::env::current_dir();
    let absolute = start.map(|start| start.join(socket));
    let absolute = absolute.map_err(|error| format!("this folder has no path ({error})"))?;
    let mut left: Vec<OsString> = steps(&absolute);
    let mut here = PathBuf::from("/");
    let mut links = 0;
    check_folder(&here, &metadata(&here)?, server)?;
    while let Some(step) = left.pop() {
        if step == ".." {
            here.pop(); // does nothing at the root
            continue;
        }
        let next = here.join(step);
        let found = metadata(&next)?;
        if found.is_symlink() {
            links += 1;
            if links > MOST_LINKS {
                return Err(format!("{} has too many links", socket.display()));
            }
            let target = std::fs::read_link(&next).map_err(|error| unreadable(&next, &error))?;
            if target.is_absolute() {
                here = PathBuf::from("/");
            }
            left.extend(steps(&target));
        } else if left.is_empty() {
            return check_socket(&next, &found, server);
        } else {
            check_folder(&next, &found, server)?;
            here = next;
        }
    }
    Err(format!("{} is no socket", socket.display()))
}

/// Returns the names on a path, the first one last.
fn steps(path: &Path) -> Vec<OsString> {
    let names = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    names.collect()
}

fn metadata(path: &Path) -> Result<Metadata, String> {
    std::fs::symlink_metadata(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be read ({error})", path.display())
}

fn check_folder(path: &Path, found: &Metadata, server: u32) -> Result<(), String> {
    folder_is_closed(found.uid(), found.mode(), server)
        .map_err(|why| format!("{} {why}", path.display()))
}

/// Checks that only root and `server` can create names in a folder.
///
/// # Errors
/// The reason why another user can, as a clause.
fn folder_is_closed(owner: u32, mode: u32, server: u32) -> Result<(), String> {
    const WRITE_BY_GROUP: u32 = 0o020; // with an access list, by those that it names
    const WRITE_BY_OTHERS: u32 = 0o002;
    if owner != 0 && owner != server {
        Err(format!("belongs to uid {owner}"))
    } else if mode & WRITE_BY_OTHERS != 0 {
        Err("is writable by every user".to_owned())
    } else if mode & WRITE_BY_GROUP != 0 {
        Err("is writable by its group".to_owned())
    } else {
        Ok(())
    }
}

fn check_socket(path: &Path, found: &Metadata, server: u32) -> Result<(), String> {
    let path = path.display();
    if !found.file_type().is_socket() {
        return Err(format!("{path} is no socket"));
    }
    match found.uid() {
        owner if owner == server => Ok(()),
        owner => Err(format!("{path} was made by uid {owner}")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, create_dir, set_permissions};
    use std::os::unix::fs::{PermissionsExt, chown, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    const SERVER: u32 = 4242;

    #[test]
    fn folder_writable_by_server_or_client_counts_as_closed() {
        for (owner, mode, is_closed) in [
            (0, 0o755, true),
            (SERVER, 0o700, true),
            (SERVER, 0o755, true),
            (0, 0o1777, false), // sticky: a name can be made first
            (0, 0o1755, true),
            (SERVER, 0o775, false),
            (SERVER, 0o757, false),
            (SERVER + 1, 0o700, false),
        ] {
            let judged = folder_is_closed(owner, mode, SERVER);
            assert_eq!(judged.is_ok(), is_closed, "{owner} {mode:o}: {judged:?}");
        }
    }

    /// A folder below `/`, which is root's alone, with one of the server's in it; `None`
    /// where the tests are not run by root.
    fn tree() -> Option<(tempfile::TempDir, PathBuf)> {
        let is_root = rustix::process::geteuid().is_root();
        let root = is_root.then(|| tempfile::tempdir_in("/").expect("root may"))?;
        set_permissions(root.path(), Permissions::from_mode(0o755)).expect("it is ours");
        let folder = root.path().join("server");
        create_dir(&folder).expect("it is ours");
        chown(&folder, Some(SERVER), None).expect("root may");
        let socket = folder.join("s.sock");
        drop(UnixListener::bind(&socket).expect("it is free"));
        chown(&socket, Some(SERVER), None).expect("root may");
        Some((root, socket))
    }

    #[test]
    fn path_through_closed_folders_and_links_is_trusted() {
        let Some((root, socket)) = tree() else { return };
        assert_eq!(check_path(&socket, SERVER), Ok(()));
        let link = root.path().join("link");
        symlink("./server/../server", &link).expect("it is ours");
        assert_eq!(check_path(&link.join("s.sock"), SERVER), Ok(()));
        let last = root.path().join("last");
        symlink(&socket, &last).expect("it is ours");
        assert_eq!(check_path(&last, SERVER), Ok(()));
    }

    #[test]
    fn path_that_a_third_user_could_make_is_named() {
        let Some((root, socket)) = tree() else { return };
        let because = |path: &Path, why: &str| {
            let error = check_path(path, SERVER).expect_err(why);
            assert!(error.contains(why), "{error}");
        };
        // A link in a folder that everybody may write to leads to a safe path.
        let shared = root.path().join("shared");
        create_dir(&shared).expect("it is ours");
        set_permissions(&shared, Permissions::from_mode(0o1777)).expect("it is ours");
        symlink(&socket, shared.join("s.sock")).expect("it is ours");
        because(&shared.join("s.sock"), "writable by every user");
        // The socket of another user in the server's own folder.
        chown(&socket, Some(SERVER + 1), None).expect("root may");
        because(&socket, "was made by uid 4243");
        chown(&socket, Some(SERVER), None).expect("root may");
        // One folder on the way is somebody else's, or open to its group.
        set_permissions(root.path(), Permissions::from_mode(0o775)).expect("it is ours");
        because(&socket, "writable by its group");
        set_permissions(root.path(), Permissions::from_mode(0o755)).expect("it is ours");
        chown(root.path(), Some(SERVER + 1), None).expect("root may");
        because(&socket, "belongs to uid 4243");
    }

    #[test]
    fn path_with_circular_links_is_an_error() {
        let Some((root, _)) = tree() else { return };
        let link = root.path().join("circle");
        symlink(&link, &link).expect("it is ours");
        let error = check_path(&link, SERVER).expect_err("it leads nowhere");
        assert!(error.contains("too many links"), "{error}");
    }
}
