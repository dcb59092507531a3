//! The sockets that unix endpoints name, and the folder of those of `pipe:`.

use std::env;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, fstat, open};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::node::set_mode;
use crate::transport::{Endpoint, UnsafeFolder};

/// The name of a unix socket.
#[derive(Debug, Clone)]
pub(in crate::transport) enum UnixAddress {
    Path(PathBuf),
    Abstract(String),
    SeqPacket(PathBuf),
}

/// The longest path of a socket, or abstract name, in bytes: `sun_path` has 108, and one of
/// them is a NUL behind a path, or in front of a name (unix(7)). The kernel would bind a path
/// without its NUL, to which hardly any program can connect.
const LONGEST: usize = 107;

/// Returns the socket of an endpoint. Creates the folder of a `pipe:` if it is missing.
///
/// # Errors
/// The name is too long, or of another system; or the folder cannot be created or used.
pub(in crate::transport) fn address(endpoint: &Endpoint) -> io::Result<UnixAddress> {
    match endpoint {
        Endpoint::Unix(path) => Ok(UnixAddress::Path(fitting(path.clone())?)),
        Endpoint::Abstract(name) if name.len() > LONGEST => Err(too_long(&format!(
            "its name has {} bytes, and an abstract name can have {LONGEST} at most: choose a \
             shorter one",
            name.len()
        ))),
        Endpoint::Abstract(name) => Ok(UnixAddress::Abstract(name.clone())),
        Endpoint::Pipe(name) => {
            let folder = pipe_folder();
            let path = folder.join(format!("{name}.sock"));
            let length = path.as_os_str().len();
            if length > LONGEST {
                return Err(too_long(&format!(
                    "it is the socket {}, whose path has {length} bytes, and can have {LONGEST} \
                     at most: choose a shorter name, or a shorter XDG_RUNTIME_DIR",
                    path.display()
                )));
            }
            private_folder(&folder)?;
            Ok(UnixAddress::Path(path))
        }
        Endpoint::SeqPacket(path) => Ok(UnixAddress::SeqPacket(fitting(path.clone())?)),
        Endpoint::RemotePipe { .. } => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "a pipe of another host is reached from windows only",
        )),
        Endpoint::Tcp { .. } | Endpoint::Tls { .. } => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "tcp is not a unix socket",
        )),
        Endpoint::Systemd(_) => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "only servers know sockets by such a name: connect to the address of the socket \
             (ListenStream= of its unit)",
        )),
    }
}

fn fitting(path: PathBuf) -> io::Result<PathBuf> {
    let length = path.as_os_str().len();
    if length <= LONGEST {
        return Ok(path);
    }
    Err(too_long(&format!(
        "its path has {length} bytes, and the path of a socket can have {LONGEST} at most: choose \
         a shorter one"
    )))
}

fn too_long(problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidFilename, problem)
}

fn pipe_folder() -> PathBuf {
    match env::var_os("XDG_RUNTIME_DIR") {
        // One that is relative would be another folder for each client (XDG Base Directory
        // Specification).
        Some(folder) if Path::new(&folder).is_absolute() => Path::new(&folder).join("arauto"),
        _ if geteuid().is_root() => PathBuf::from("/run/arauto"),
        _ => PathBuf::from(format!("/tmp/arauto-{}", geteuid().as_raw())),
    }
}

/// Creates the folder, or checks an existing one. In `/tmp` any user can create it first: it must
/// belong to this process's user alone, or others could wait for clients in it. The check and
/// the change use one descriptor of the folder, whatever its name leads to later.
fn private_folder(folder: &Path) -> io::Result<()> {
    let named = |error: io::Error| {
        let problem = format!("{}: {error}", folder.display());
        io::Error::new(error.kind(), problem)
    };
    let is_made = match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
        Err(error) => return Err(named(error)),
    };
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let handle = match open(folder, flags, Mode::empty()) {
        Err(Errno::NOTDIR | Errno::LOOP) => {
            return Err(unsafe_folder(folder, "is a link, or no folder: remove it"));
        }
        opened => opened.map_err(|error| named(error.into()))?,
    };
    if is_made {
        set_mode(&handle, 0o700).map_err(named)?; // the umask may have removed bits
    }
    let found = fstat(&handle).map_err(|error| named(error.into()))?;
    let own = geteuid().as_raw();
    match problem_of(found.st_uid, found.st_mode, own) {
        None => Ok(()),
        Some(problem) => Err(unsafe_folder(folder, &problem)),
    }
}

/// Returns the problem with a folder in which only `own` should be able to create names.
fn problem_of(owner: u32, mode: u32, own: u32) -> Option<String> {
    const WRITABLE: u32 = 0o022; // by the group, by others
    if owner != own {
        return Some(format!("belongs to uid {owner}: remove it"));
    }
    (mode & WRITABLE != 0).then(|| {
        format!(
            "can be written to by others (mode {:04o}): remove the files of other users from it, \
             then chmod 700 it",
            mode & 0o7777
        )
    })
}

fn unsafe_folder(folder: &Path, problem: &str) -> io::Error {
    let problem = format!(
        "the folder {} {problem}, or set XDG_RUNTIME_DIR to a folder of your own",
        folder.display()
    );
    io::Error::new(io::ErrorKind::PermissionDenied, UnsafeFolder(problem))
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, create_dir, metadata, set_permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn pipe_folder_must_be_private_to_its_owner() {
        for (owner, mode, is_good) in [
            (7, 0o700, true),
            (7, 0o755, true),
            (7, 0o777, false),
            (7, 0o1777, false),
            (7, 0o770, false),
            (7, 0o702, false),
            (8, 0o700, false),
            (0, 0o700, false),
        ] {
            let problem = problem_of(owner, mode, 7);
            assert_eq!(problem.is_none(), is_good, "{owner} {mode:o}: {problem:?}");
        }
    }

    #[test]
    fn pipe_folder_is_made_0700_and_a_link_refused() {
        let temp = tempfile::tempdir().expect("a folder can be made");
        let (folder, link) = (temp.path().join("arauto"), temp.path().join("link"));
        private_folder(&folder).expect("it is made");
        let mode = metadata(&folder).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        private_folder(&folder).expect("it is there, and ours");
        symlink(&folder, &link).expect("the folder is ours");
        let error = private_folder(&link).expect_err("a link");
        assert!(error.to_string().contains("is a link"), "{error}");
        let open = temp.path().join("open");
        create_dir(&open).expect("the folder is ours");
        set_permissions(&open, Permissions::from_mode(0o777)).expect("it is ours");
        let error = private_folder(&open).expect_err("others may write");
        assert!(error.to_string().contains("chmod 700"), "{error}");
    }

    #[test]
    fn socket_path_or_name_longer_than_107_bytes_is_refused() {
        let path = |length: usize| PathBuf::from(format!("/{}", "x".repeat(length - 1)));
        for kind in [Endpoint::Unix, Endpoint::SeqPacket] {
            address(&kind(path(107))).expect("it fits");
            let error = address(&kind(path(108))).expect_err("there is no place for the NUL");
            assert!(error.to_string().contains("107"), "{error}");
        }
        address(&Endpoint::Abstract("x".repeat(107))).expect("it fits");
        let error = address(&Endpoint::Abstract("x".repeat(108))).expect_err("it is too long");
        assert!(error.to_string().contains("107"), "{error}");
        // A character may have several bytes.
        address(&Endpoint::Abstract("é".repeat(54))).expect_err("it is 108 bytes");
    }
}
