//! Listeners: made safely, closed without cutting off who is already there.

use std::io;
use std::net::SocketAddr;
use std::str::FromStr;
use std::task::{Context, Poll};

use tokio::net::TcpListener;

use super::unix::UnixDoor;
use super::{Connection, Endpoint, Peer};

/// Who of this machine may connect to a socket in the file system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Access {
    /// The server's own user: mode 0600.
    #[default]
    Owner,
    /// A group's members too: mode 0660.
    Group(String),
    /// Everybody: mode 0666.
    Everyone,
}

impl FromStr for Access {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "owner" => Ok(Access::Owner),
            None if text == "everyone" => Ok(Access::Everyone),
            Some(("group", name)) if !name.is_empty() => Ok(Access::Group(name.to_owned())),
            _ => Err(format!(
                "no access {text:?}: it is owner, group:NAME or everyone"
            )),
        }
    }
}

/// Why an endpoint cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// A living server has it.
    #[error("{0} is taken by a server that is running: stop it, or choose another --listen")]
    InUse(Endpoint),
    /// Something that is no socket stands at the path.
    #[error(
        "{0} is taken by a file that is not a socket: move it away, or choose another --listen"
    )]
    NotASocket(Endpoint),
    /// Plain TCP beyond this machine.
    #[error("{0} is not loopback ({1}): plain tcp is for this machine only")]
    NotLoopback(Endpoint, SocketAddr),
    /// A group's access to a name that has no file.
    #[error("{0} has no file that access=group could be set on: use unix:PATH")]
    NoFile(Endpoint),
    /// The system does not let it.
    #[error("{endpoint} cannot be listened on: {source}")]
    Io {
        /// Which.
        endpoint: Endpoint,
        /// What the system says.
        source: io::Error,
    },
}

/// An endpoint that is listened on. Dropping it takes a socket's file away.
#[derive(Debug)]
pub struct Listener {
    endpoint: Endpoint,
    door: Door,
    /// An abstract name has no file whose mode could keep others out.
    own_user_only: bool,
}

#[derive(Debug)]
enum Door {
    Unix(UnixDoor),
    Tcp(TcpListener),
}

impl Listener {
    /// Listens on `endpoint`.
    ///
    /// # Errors
    /// See [`BindError`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn bind(endpoint: &Endpoint, access: &Access) -> Result<Listener, BindError> {
        let (endpoint, door) = match endpoint {
            Endpoint::Tcp { host, port } => bind_tcp(endpoint, host, *port).await?,
            _ => {
                let door = UnixDoor::bind(endpoint, access)?;
                (endpoint.clone(), Door::Unix(door))
            }
        };
        let is_abstract = matches!(endpoint, Endpoint::Abstract(_));
        Ok(Listener {
            own_user_only: is_abstract && *access == Access::Owner,
            endpoint,
            door,
        })
    }

    /// Where it listens; a port that the system chose is filled in.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Whether this peer may stay, where the system itself lets everybody connect.
    pub fn admits(&self, peer: &Peer) -> bool {
        !self.own_user_only || peer.is_same_user() || peer.is_root()
    }

    /// The next connection.
    pub fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Connection>> {
        Poll::Ready(match &mut self.door {
            Door::Unix(door) => std::task::ready!(door.poll_accept(cx)).map(Connection::Unix),
            Door::Tcp(listener) => {
                std::task::ready!(listener.poll_accept(cx)).and_then(|(stream, _)| {
                    stream.set_nodelay(true)?;
                    Ok(Connection::Tcp(stream))
                })
            }
        })
    }

    /// Lets nobody new in; who has connected already can still be accepted. Of
    /// TCP, which has no such call, the last moment's callers may be cut off.
    pub fn close_to_new(&mut self) {
        if let Door::Unix(door) = &mut self.door {
            door.close_to_new();
        }
    }
}

async fn bind_tcp(
    endpoint: &Endpoint,
    host: &str,
    port: u16,
) -> Result<(Endpoint, Door), BindError> {
    let io_error = |source| BindError::Io {
        endpoint: endpoint.clone(),
        source,
    };
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, port))
        .await
        .map_err(io_error)?
        .collect();
    if let Some(address) = addresses.iter().find(|address| !address.ip().is_loopback()) {
        return Err(BindError::NotLoopback(endpoint.clone(), *address));
    }
    let listener = match TcpListener::bind(&*addresses).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            return Err(BindError::InUse(endpoint.clone()));
        }
        bound => bound.map_err(io_error)?,
    };
    let port = listener.local_addr().map_err(io_error)?.port();
    let host = host.to_owned();
    Ok((Endpoint::Tcp { host, port }, Door::Tcp(listener)))
}
