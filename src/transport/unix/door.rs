//! Binding a socket so that no living server loses its own, and no stranger
//! gets in between.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::fs::{FlockOperation, Gid, Mode, chmod, chown, fchmod, flock};
use rustix::net::{
    AddressFamily, Shutdown, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, listen,
    shutdown, socket_with,
};
use tokio::net::{UnixListener, UnixStream};

use super::address::{UnixAddress, address};
use super::local::Local;
use crate::transport::{Access, BindError, Endpoint, Opening};

/// Connections that may wait for their accept; the kernel caps it by somaxconn.
const BACKLOG: i32 = 4096;

/// Another server that starts in the same folder is done within this time.
const LOOKS: u32 = 100;
const LOOK: Duration = Duration::from_millis(20);

/// A unix socket that is listened on; its file goes with it.
#[derive(Debug)]
pub(in crate::transport) struct LocalDoor {
    listener: UnixListener,
    endpoint: Endpoint,
    file: Option<SocketFile>,
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
            UnixAddress::Path(path) => bind_file(endpoint, &path, SocketType::STREAM, access)?,
            UnixAddress::SeqPacket(path) => {
                bind_file(endpoint, &path, SocketType::SEQPACKET, access)?
            }
        };
        let listener = UnixListener::from_std(listener).map_err(io_error)?;
        Ok(LocalDoor {
            listener,
            endpoint: endpoint.clone(),
            file,
        })
    }

    pub(in crate::transport) fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Local>> {
        let (socket, _address) = ready!(self.listener.poll_accept(cx))?;
        Poll::Ready(Local::new(socket, &self.endpoint))
    }

    pub(in crate::transport) fn accept_now(&mut self) -> io::Result<Local> {
        let socket = accept_now(&self.listener)?;
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
        let ours = std::fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == self.identity);
        if ours && let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "the socket file stays behind");
        }
    }
}

/// Two servers that find the same stale socket must not both replace it: the
/// folder is locked from the look to the bind. It is no lock on anybody else.
fn lock_folder(path: &Path) -> io::Result<File> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let file = File::open(folder)?;
    for _ in 0..LOOKS {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => std::thread::sleep(LOOK),
            locked => return locked.map(|()| file).map_err(io::Error::from),
        }
    }
    let problem = format!(
        "the folder {} is locked by another program",
        folder.display()
    );
    Err(io::Error::new(io::ErrorKind::WouldBlock, problem))
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
    // A socket of another type says EPROTOTYPE where somebody listens.
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(io_error)
        }
        // Anything else may be a living server that this process cannot reach.
        _ => Err(BindError::InUse(endpoint.clone())),
    }
}

type Bound = (std::os::unix::net::UnixListener, Option<SocketFile>);

fn bind_file(
    endpoint: &Endpoint,
    path: &Path,
    kind: SocketType,
    access: &Access,
) -> Result<Bound, BindError> {
    let io_error = |source| BindError::Io {
        endpoint: endpoint.clone(),
        source,
    };
    let _only_us = lock_folder(path).map_err(io_error)?;
    clear_stale(endpoint, path)?;
    let (listener, file) = bind_path(path, kind, access).map_err(io_error)?;
    Ok((listener, Some(file)))
}

fn bind_path(
    path: &Path,
    kind: SocketType,
    access: &Access,
) -> io::Result<(std::os::unix::net::UnixListener, SocketFile)> {
    let address = SocketAddrUnix::new(path)?;
    let listener = listening(&address, kind, Mode::RUSR | Mode::WUSR)?;
    let found = std::fs::symlink_metadata(path)?;
    let file = SocketFile {
        path: path.to_owned(),
        identity: (found.dev(), found.ino()),
    };
    // The umask can only have taken bits away: what is missing is added here.
    let (mode, group) = match access {
        Access::Owner => (Mode::from_raw_mode(0o600), None),
        Access::Group(name) => (Mode::from_raw_mode(0o660), Some(group_id(name)?)),
        Access::Everyone => (Mode::from_raw_mode(0o666), None),
    };
    if group.is_some() {
        chown(path, None, group)?;
    }
    chmod(path, mode)?;
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
