//! Binding a socket so that no living server loses its own, and no stranger
//! gets in between. A socket's file that is removed while it is listened on is made again.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::fs::{Gid, Mode, fchmod};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, Shutdown, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, connect,
    listen, shutdown, socket_with,
};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::address::{UnixAddress, address};
use super::bind_lock::BindLock;
use super::local::Local;
use super::node;
use crate::transport::{Access, BindError, Endpoint, Opening};

/// Connections that may wait for their accept; the kernel caps it by somaxconn.
const BACKLOG: i32 = 4096;

/// How often a socket's path is looked at.
const WATCH: Duration = Duration::from_secs(2);

/// A unix socket that is listened on; its file goes with it.
#[derive(Debug)]
pub(in crate::transport) struct LocalDoor {
    /// Declared first: while the listener is open, no other file gets its inode.
    file: Option<Watched>,
    listener: UnixListener,
    /// Listeners whose path went away: some clients may still wait to be accepted.
    former: Vec<UnixListener>,
    endpoint: Endpoint,
}

/// A socket's file that is looked at now and then.
#[derive(Debug)]
struct Watched {
    file: SocketFile,
    kind: SocketType,
    access: Access,
    looks: Interval,
    /// Device and inode of another file at the path.
    other: Option<(u64, u64)>,
    /// The last look found the file missing, and it could not be made again.
    is_missing: bool,
}

impl LocalDoor {
    pub(in crate::transport) fn bind(
        endpoint: &Endpoint,
        opening: &Opening<'_>,
    ) -> Result<Self, BindError> {
        let access = opening.access;
        let io_error = |source| BindError::Io {
            endpoint: endpoint.clone(),
            source,
        };
        let (listener, file) = match address(endpoint).map_err(io_error)? {
            UnixAddress::Abstract(_) if matches!(access, Access::Group(_)) => {
                return Err(BindError::NoFile(endpoint.clone()));
            }
            UnixAddress::Abstract(name) => {
                let address = SocketAddrUnix::new_abstract_name(name.as_bytes())
                    .map_err(|error| io_error(error.into()))?;
                let kind = SocketType::STREAM;
                match listening(&address, kind, Mode::RUSR | Mode::WUSR) {
                    Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                        return Err(BindError::InUse(endpoint.clone()));
                    }
                    bound => (bound.map_err(io_error)?, None),
                }
            }
            UnixAddress::Path(path) => watched(endpoint, &path, SocketType::STREAM, access)?,
            UnixAddress::SeqPacket(path) => {
                watched(endpoint, &path, SocketType::SEQPACKET, access)?
            }
        };
        let listener = UnixListener::from_std(listener).map_err(io_error)?;
        Ok(LocalDoor {
            file,
            listener,
            former: Vec::new(),
            endpoint: endpoint.clone(),
        })
    }

    /// Looks at the socket's path when it is time, and has the task woken for the next look.
    pub(in crate::transport) fn poll_watch(&mut self, cx: &mut Context<'_>) {
        while let Some(file) = &mut self.file
            && file.looks.poll_tick(cx).is_ready()
        {
            let Some((listener, bound)) = file.look(&self.endpoint) else {
                continue;
            };
            match UnixListener::from_std(listener) {
                Ok(listener) => {
                    file.file = bound;
                    self.former
                        .push(std::mem::replace(&mut self.listener, listener));
                    let endpoint = &self.endpoint;
                    tracing::warn!(%endpoint, "socket file was removed; listening there again");
                }
                // `bound` takes its file away again.
                Err(error) => tracing::error!(%error, "socket file cannot be made again"),
            }
        }
    }

    /// The next client of a listener whose path went away.
    fn accept_former(&mut self) -> io::Result<Option<OwnedFd>> {
        while let Some(listener) = self.former.first() {
            match accept_now(listener) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.former.remove(0);
                }
                accepted => return accepted.map(Some),
            }
        }
        Ok(None)
    }

    /// Whether this door is the socket of that endpoint, whatever its name.
    pub(in crate::transport) fn is_at(&self, endpoint: &Endpoint) -> bool {
        match address(endpoint) {
            Ok(UnixAddress::Abstract(_)) => self.endpoint == *endpoint,
            Ok(UnixAddress::Path(path) | UnixAddress::SeqPacket(path)) => {
                let watched = self.file.as_ref();
                watched.is_some_and(|watched| watched.file.is_at(&path))
            }
            Err(_) => false,
        }
    }

    pub(in crate::transport) fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Local>> {
        if let Some(socket) = self.accept_former()? {
            let socket = UnixStream::from_std(std::os::unix::net::UnixStream::from(socket))?;
            return Poll::Ready(Local::new(socket, &self.endpoint));
        }
        let (socket, _address) = ready!(self.listener.poll_accept(cx))?;
        Poll::Ready(Local::new(socket, &self.endpoint))
    }

    pub(in crate::transport) fn accept_now(&mut self) -> io::Result<Local> {
        let socket = match self.accept_former() {
            Ok(Some(socket)) => socket,
            _ => accept_now(&self.listener)?,
        };
        let socket = UnixStream::from_std(std::os::unix::net::UnixStream::from(socket))?;
        Local::new(socket, &self.endpoint)
    }

    /// `shutdown` on a listening unix socket refuses each later connect and leaves
    /// those that wait for their accept (unix_stream_connect in the kernel's
    /// net/unix/af_unix.c looks at RCV_SHUTDOWN).
    pub(in crate::transport) fn close_to_new(&mut self) {
        self.file = None;
        if let Err(error) = shutdown(&self.listener, Shutdown::Read) {
            tracing::debug!(%error, "the listening socket could not be shut");
        }
    }
}

/// Accepts without asking the runtime whether there is something to accept.
pub(super) fn accept_now(listener: &impl AsFd) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(accept_with(listener, flags)?)
}

/// A socket's file. It is taken away only if it is still this one.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.is_at(&self.path)
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "the socket file stays behind");
        }
    }
}

impl SocketFile {
    /// Whether this file stands at `path`, by whatever name.
    fn is_at(&self, path: &Path) -> bool {
        std::fs::symlink_metadata(path)
            .is_ok_and(|found| (found.dev(), found.ino()) == self.identity)
    }

    /// Returns the device and inode of the file at the path.
    fn found(&self) -> io::Result<(u64, u64)> {
        let found = std::fs::symlink_metadata(&self.path)?;
        Ok((found.dev(), found.ino()))
    }
}

impl Watched {
    /// Looks at the path. Where the file is gone, binds it again; what somebody else has put
    /// there is left alone, unless it is a socket that nobody has listened on since the last
    /// look.
    fn look(&mut self, endpoint: &Endpoint) -> Option<Bound> {
        match self.file.found() {
            Ok(found) if found == self.file.identity => {
                (self.other, self.is_missing) = (None, false);
                return None;
            }
            Ok(found) if self.other != Some(found) => {
                self.other = Some(found);
                tracing::error!(%endpoint, "socket file was replaced by another program's");
                return None;
            }
            Ok(_) | Err(_) => {}
        }
        match self.bind_again(endpoint) {
            Ok(bound) => {
                (self.other, self.is_missing) = (None, false);
                bound
            }
            // It has been told that somebody else is there.
            Err(BindError::InUse(_) | BindError::NotASocket(_)) => None,
            Err(error) => {
                if !std::mem::replace(&mut self.is_missing, true) {
                    tracing::error!(%error, "socket file was removed and cannot be made again");
                }
                None
            }
        }
    }

    /// `None`: another server is starting there.
    fn bind_again(&self, endpoint: &Endpoint) -> Result<Option<Bound>, BindError> {
        let io_error = |source| BindError::Io {
            endpoint: endpoint.clone(),
            source,
        };
        // The folder of a pipe is made again as well.
        address(endpoint).map_err(io_error)?;
        let path = &self.file.path;
        let Some(_only_us) = BindLock::try_take(path).map_err(io_error)? else {
            return Ok(None);
        };
        clear_stale(endpoint, path)?;
        bind_path(path, self.kind, &self.access)
            .map_err(io_error)
            .map(Some)
    }
}

fn clear_stale(endpoint: &Endpoint, path: &Path) -> Result<(), BindError> {
    let io_error = |source| BindError::Io {
        endpoint: endpoint.clone(),
        source,
    };
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_error(error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(BindError::NotASocket(endpoint.clone()));
        }
        Ok(_) => {}
    }
    match knock(path) {
        Err(Errno::CONNREFUSED) => std::fs::remove_file(path).map_err(io_error),
        // Anything else may be a living server that this process cannot reach.
        _ => Err(BindError::InUse(endpoint.clone())),
    }
}

/// Connects, and does not wait for a server that accepts nobody (EAGAIN then). A socket of
/// another type says EPROTOTYPE where somebody listens.
fn knock(path: &Path) -> rustix::io::Result<()> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)
}

type Bound = (std::os::unix::net::UnixListener, SocketFile);

fn watched(
    endpoint: &Endpoint,
    path: &Path,
    kind: SocketType,
    access: &Access,
) -> Result<(std::os::unix::net::UnixListener, Option<Watched>), BindError> {
    let io_error = |source| BindError::Io {
        endpoint: endpoint.clone(),
        source,
    };
    let _only_us = BindLock::take(path).map_err(io_error)?;
    clear_stale(endpoint, path)?;
    let (listener, file) = bind_path(path, kind, access).map_err(io_error)?;
    let mut looks = interval(WATCH);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let watched = Watched {
        file,
        kind,
        access: access.clone(),
        looks,
        other: None,
        is_missing: false,
    };
    Ok((listener, Some(watched)))
}

fn bind_path(
    path: &Path,
    kind: SocketType,
    access: &Access,
) -> io::Result<(std::os::unix::net::UnixListener, SocketFile)> {
    let address = SocketAddrUnix::new(path)?;
    let listener = listening(&address, kind, Mode::RUSR | Mode::WUSR)?;
    let (node, found) = node::open_socket(path)?;
    let file = SocketFile {
        path: path.to_owned(),
        identity: (found.st_dev, found.st_ino),
    };
    // The umask can only have taken bits away: what is missing is added here.
    let mode = match access {
        Access::Owner => 0o600,
        Access::Group(name) => {
            node::set_group(&node, group_id(name)?)?;
            0o660
        }
        Access::Everyone => 0o666,
    };
    node::set_mode(&node, mode)?;
    Ok((listener, file))
}

/// Binds with `mode` set on the socket first, which its file is made with: there
/// is no moment at which it is open to more.
fn listening(
    address: &SocketAddrUnix,
    kind: SocketType,
    mode: Mode,
) -> io::Result<std::os::unix::net::UnixListener> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, kind, flags, None)?;
    fchmod(&socket, mode)?;
    bind(&socket, address)?;
    listen(&socket, BACKLOG)?;
    Ok(std::os::unix::net::UnixListener::from(socket))
}

/// The group's id from `/etc/group` (group(5)).
fn group_id(name: &str) -> io::Result<Gid> {
    std::fs::read_to_string("/etc/group")?
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            (fields.next()? == name).then(|| fields.nth(1)?.parse().ok())?
        })
        .next()
        .map(Gid::from_raw)
        .ok_or_else(|| {
            let problem = format!("no group {name:?} in /etc/group");
            io::Error::new(io::ErrorKind::NotFound, problem)
        })
}
