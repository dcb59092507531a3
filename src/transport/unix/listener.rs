//! A unix socket that is listened on.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::task::{Context, Poll, ready};

use rustix::net::{Shutdown, SocketAddrUnix, SocketFlags, SocketType, accept_with, shutdown};
use tokio::net::UnixListener;

use super::address::{UnixAddress, address};
use super::local::Local;
use super::socket_file::{WatchedFile, identity, listen_at};
use crate::transport::{Access, BindError, Endpoint, ListenOptions};

/// A unix socket that is listened on. Dropping it removes its file, unless the socket was passed.
#[derive(Debug)]
pub(in crate::transport) struct LocalListener {
    /// `None` for an abstract name, for a socket that was passed, and once the listener is closed
    /// to new clients. Declared first: while the listener is open, no other file gets its inode.
    file: Option<WatchedFile>,
    listener: UnixListener,
    /// Listeners whose file was removed; clients may still wait there to be accepted.
    former: Vec<UnixListener>,
    endpoint: Endpoint,
}

impl LocalListener {
    pub(in crate::transport) fn bind(
        endpoint: &Endpoint,
        options: &ListenOptions<'_>,
    ) -> Result<Self, BindError> {
        let access = options.access;
        let bind_file = |path, kind| {
            let (listener, file) = WatchedFile::bind(endpoint, path, kind, access)?;
            Ok((listener, Some(file)))
        };
        let address = address(endpoint).map_err(|source| BindError::io(endpoint, source))?;
        let (listener, file) = match &address {
            UnixAddress::Abstract(_) if matches!(access, Access::Group(_)) => {
                return Err(BindError::NoFile(endpoint.clone()));
            }
            UnixAddress::Abstract(name) => (bind_abstract(endpoint, name)?, None),
            UnixAddress::Path(path) => bind_file(path, SocketType::STREAM)?,
            UnixAddress::SeqPacket(path) => bind_file(path, SocketType::SEQPACKET)?,
        };
        Ok(LocalListener {
            file,
            listener,
            former: Vec::new(),
            endpoint: endpoint.clone(),
        })
    }

    /// Listens on a socket that was passed and that does not block. `endpoint` is its address.
    pub(in crate::transport) fn passed(endpoint: &Endpoint, socket: OwnedFd) -> io::Result<Self> {
        Ok(LocalListener {
            file: None,
            listener: UnixListener::from_std(socket.into())?,
            former: Vec::new(),
            endpoint: endpoint.clone(),
        })
    }

    /// Checks the socket's file when it is time to, and restores it if it is missing.
    pub(in crate::transport) fn poll_watch(&mut self, cx: &mut Context<'_>) {
        while let Some(file) = &mut self.file
            && let Poll::Ready(listener) = file.poll_restored(&self.endpoint, cx)
        {
            let former = std::mem::replace(&mut self.listener, listener);
            self.former.push(former);
        }
    }

    /// Accepts the next client of a listener whose file was removed.
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

    /// Returns whether this listener's socket is that of `endpoint`, by whatever name.
    pub(in crate::transport) fn is_at(&self, endpoint: &Endpoint) -> bool {
        match address(endpoint) {
            Ok(UnixAddress::Abstract(_)) => self.endpoint == *endpoint,
            Ok(UnixAddress::Path(path) | UnixAddress::SeqPacket(path)) => match &self.file {
                Some(file) => file.is_at(&path),
                None => self.is_passed_at(&path),
            },
            Err(_) => false,
        }
    }

    /// Returns whether this is a socket that was passed, and its file is at `path`.
    fn is_passed_at(&self, path: &Path) -> bool {
        let (Endpoint::Unix(own) | Endpoint::SeqPacket(own)) = &self.endpoint else {
            return false;
        };
        identity(own).is_ok_and(|own| identity(path).is_ok_and(|found| found == own))
    }

    pub(in crate::transport) fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Local>> {
        if let Some(socket) = self.accept_former()? {
            return Poll::Ready(self.connection(socket));
        }
        let (socket, _address) = ready!(self.listener.poll_accept(cx))?;
        Poll::Ready(Local::new(socket.into_std()?, &self.endpoint))
    }

    /// Accepts a client that waits at this moment.
    ///
    /// # Errors
    /// The kind is `WouldBlock` if none waits.
    pub(in crate::transport) fn accept_now(&mut self) -> io::Result<Local> {
        let socket = match self.accept_former() {
            Ok(Some(socket)) => socket,
            _ => accept_now(&self.listener)?,
        };
        self.connection(socket)
    }

    fn connection(&self, socket: OwnedFd) -> io::Result<Local> {
        Local::new(UnixStream::from(socket), &self.endpoint)
    }

    /// Refuses new clients and removes the file. `shutdown` on a listening unix socket refuses
    /// each later connect and leaves those that wait for their accept (unix_stream_connect in
    /// the kernel's net/unix/af_unix.c checks RCV_SHUTDOWN).
    pub(in crate::transport) fn close_to_new(&mut self) {
        self.file = None;
        if let Err(error) = shutdown(&self.listener, Shutdown::Read) {
            tracing::debug!(%error, "listening socket not shut down");
        }
    }
}

fn bind_abstract(endpoint: &Endpoint, name: &str) -> Result<UnixListener, BindError> {
    let bound = SocketAddrUnix::new_abstract_name(name.as_bytes())
        .map_err(io::Error::from)
        .and_then(|address| listen_at(&address, SocketType::STREAM))
        .and_then(UnixListener::from_std);
    bound.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse(endpoint.clone()),
        _ => BindError::io(endpoint, error),
    })
}

/// Accepts without asking the runtime whether a client waits.
pub(super) fn accept_now(listener: &impl AsFd) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(accept_with(listener, flags)?)
}
