//! A socket's file: binding its path safely, and restoring it while it is listened on.
//!
//! Invariants:
//! - a path where another server listens is never replaced, and neither is a file that is not
//!   a socket;
//! - there is no moment at which the file is open to more users than it should be;
//! - the file is removed only while it is still the one that was bound.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net as std_unix;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::fs::{Gid, Mode, fchmod};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
};
use tokio::net::UnixListener;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::address::address;
use super::bind_lock::BindLock;
use super::node;
use super::users::find_group;
use crate::transport::{Access, BindError, Endpoint};

/// Connections that may wait for their accept; the kernel caps it by somaxconn.
const BACKLOG: i32 = 4096;

/// How often a socket's path is checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// A listening socket, and its file.
type Bound = (std_unix::UnixListener, SocketFile);

/// A file's device and inode.
pub(super) type Identity = (u64, u64);

/// A socket's file, which is checked while it is listened on. Dropping it removes the file.
#[derive(Debug)]
pub(super) struct WatchedFile {
    file: SocketFile,
    kind: SocketType,
    permissions: Permissions,
    checks: Interval,
    /// Another program's file that the last check found at the path.
    replaced_by: Option<Identity>,
    /// The last check found the file missing, and it could not be restored.
    is_missing: bool,
}

/// The group and the mode of a socket's file. The group is looked up once, as a name service
/// may take its time.
#[derive(Debug, Clone, Copy)]
struct Permissions {
    group: Option<Gid>,
    mode: u32,
}

impl Permissions {
    fn of(access: &Access) -> io::Result<Permissions> {
        let (group, mode) = match access {
            Access::Owner => (None, 0o600),
            Access::Group(name) => (Some(find_group(name)?), 0o660),
            Access::Everyone => (None, 0o666),
        };
        Ok(Permissions { group, mode })
    }
}

impl WatchedFile {
    /// Binds a socket to `path` and listens, unless another server listens there.
    ///
    /// # Errors
    /// See [`BindError`].
    pub(super) fn bind(
        endpoint: &Endpoint,
        path: &Path,
        kind: SocketType,
        access: &Access,
    ) -> Result<(UnixListener, WatchedFile), BindError> {
        let io_error = |source| BindError::io(endpoint, source);
        let permissions = Permissions::of(access).map_err(io_error)?;
        let _lock = BindLock::take(path).map_err(io_error)?;
        remove_stale(endpoint, path)?;
        let (listener, file) = bind_path(path, kind, permissions).map_err(io_error)?;
        let listener = UnixListener::from_std(listener).map_err(io_error)?;
        let mut checks = interval(CHECK_INTERVAL);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let watched = WatchedFile {
            file,
            kind,
            permissions,
            checks,
            replaced_by: None,
            is_missing: false,
        };
        Ok((listener, watched))
    }

    /// Returns whether this file is at `path`, by whatever name.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        self.file.is_at(path)
    }

    /// Checks the path when it is time to, and has the task woken for the next check. Returns
    /// a new listener once the file was missing and has been restored; the former listener
    /// must still be open, as no other file gets its inode before it is closed.
    pub(super) fn poll_restored(
        &mut self,
        endpoint: &Endpoint,
        cx: &mut Context<'_>,
    ) -> Poll<UnixListener> {
        loop {
            ready!(self.checks.poll_tick(cx));
            let Some((listener, file)) = self.check(endpoint) else {
                continue;
            };
            match UnixListener::from_std(listener) {
                Ok(listener) => {
                    self.file = file;
                    tracing::warn!(%endpoint, "socket file was removed; listening there again");
                    return Poll::Ready(listener);
                }
                // Dropping `file` removes it again.
                Err(error) => {
                    tracing::error!(%endpoint, %error, "socket file was removed and cannot be listened on again")
                }
            }
        }
    }

    /// Checks the path. If the file is missing, binds it again. Another program's file is left
    /// alone, unless it is a socket that nobody has listened on since the last check.
    fn check(&mut self, endpoint: &Endpoint) -> Option<Bound> {
        match identity(&self.file.path) {
            Ok(found) if found == self.file.identity => {
                (self.replaced_by, self.is_missing) = (None, false);
                return None;
            }
            Ok(found) if self.replaced_by != Some(found) => {
                self.replaced_by = Some(found);
                tracing::error!(%endpoint, "socket file was replaced by another program's");
                return None;
            }
            Ok(_) | Err(_) => {}
        }
        match self.bind_again(endpoint) {
            Ok(bound) => {
                (self.replaced_by, self.is_missing) = (None, false);
                bound
            }
            // The event above has told of the other program.
            Err(BindError::InUse(_) | BindError::NotASocket(_)) => None,
            Err(error) => {
                if !std::mem::replace(&mut self.is_missing, true) {
                    tracing::error!(%error, "socket file was removed and cannot be made again");
                }
                None
            }
        }
    }

    /// Binds the path again. `None` while another server is starting there.
    fn bind_again(&self, endpoint: &Endpoint) -> Result<Option<Bound>, BindError> {
        let io_error = |source| BindError::io(endpoint, source);
        // This creates the folder of a pipe again as well.
        address(endpoint).map_err(io_error)?;
        let path = &self.file.path;
        let Some(_lock) = BindLock::try_take(path).map_err(io_error)? else {
            return Ok(None);
        };
        remove_stale(endpoint, path)?;
        bind_path(path, self.kind, self.permissions)
            .map_err(io_error)
            .map(Some)
    }
}

/// A socket's file. Dropping it removes the file, if it is still this one.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    identity: Identity,
}

impl SocketFile {
    fn is_at(&self, path: &Path) -> bool {
        identity(path).is_ok_and(|found| found == self.identity)
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.is_at(&self.path)
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "socket file not removed");
        }
    }
}

/// Returns the identity of the file at `path` itself, though it may be a link.
pub(super) fn identity(path: &Path) -> io::Result<Identity> {
    let found = std::fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

/// Removes a socket's file that no server listens on.
///
/// # Errors
/// Another server listens there, or another kind of file is at the path.
fn remove_stale(endpoint: &Endpoint, path: &Path) -> Result<(), BindError> {
    let io_error = |source| BindError::io(endpoint, source);
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_error(error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(BindError::NotASocket(endpoint.clone()));
        }
        Ok(_) => {}
    }
    match probe(path) {
        Err(Errno::CONNREFUSED) => std::fs::remove_file(path).map_err(io_error),
        // Any other outcome may be that of a living server that this process cannot reach.
        _ => Err(BindError::InUse(endpoint.clone())),
    }
}

/// Connects without waiting for a server whose backlog is full (EAGAIN). A listening socket of
/// another type answers EPROTOTYPE.
fn probe(path: &Path) -> rustix::io::Result<()> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)
}

fn bind_path(path: &Path, kind: SocketType, permissions: Permissions) -> io::Result<Bound> {
    let socket = bind_socket(&SocketAddrUnix::new(path)?, kind)?;
    let (node, found) = node::open_socket(path)?;
    let file = SocketFile {
        path: path.to_owned(),
        identity: (found.st_dev, found.st_ino),
    };
    if let Some(group) = permissions.group {
        node::set_group(&node, group)?;
    }
    // The umask can only have removed bits: the missing ones are added here.
    node::set_mode(&node, permissions.mode)?;
    // Only now, so that nobody connects before the file has its permissions.
    listen(&socket, BACKLOG)?;
    Ok((std_unix::UnixListener::from(socket), file))
}

/// Binds and listens.
pub(super) fn listen_at(
    address: &SocketAddrUnix,
    kind: SocketType,
) -> io::Result<std_unix::UnixListener> {
    let socket = bind_socket(address, kind)?;
    listen(&socket, BACKLOG)?;
    Ok(std_unix::UnixListener::from(socket))
}

/// Binds a new socket. The mode 0600 is set on the socket before it is bound, and its file is
/// created with that.
fn bind_socket(address: &SocketAddrUnix, kind: SocketType) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, kind, flags, None)?;
    fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    bind(&socket, address)?;
    Ok(socket)
}
