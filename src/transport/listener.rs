//! Listeners: made safely, closed without cutting off who is already there.

use std::io;
use std::net::SocketAddr;
use std::str::FromStr;
use std::task::{Context, Poll, ready};

use tokio::net::TcpListener;

use super::system::{LONGEST_MESSAGE, LocalDoor, tcp};
use super::tcp::Tcp;
use super::tls::{Tls, TlsDoor};
use super::{Connection, Endpoint, Peer, PeerTimeouts, failure_of};
use crate::framing::{Failure, Framing};
use crate::link::{Accept, IncomingConnection, PeerId};

/// How often an accept in a stop is tried at once, where it fails for a moment or the caller
/// has gone already. There is no time for pauses.
const TRIES: u32 = 64;

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

/// Whether a windows pipe lets clients of other hosts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Remote {
    /// This host's only.
    #[default]
    Reject,
    /// Those too that windows lets in.
    Accept,
}

impl FromStr for Remote {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "reject" => Ok(Remote::Reject),
            "accept" => Ok(Remote::Accept),
            _ => Err(format!("no remote {text:?}: it is reject or accept")),
        }
    }
}

/// How an endpoint is opened to clients.
#[derive(Debug, Clone)]
pub struct Opening<'a> {
    /// Who of this machine may connect.
    pub access: &'a Access,
    /// Who of other hosts may, to a windows pipe.
    pub remote: Remote,
    /// Of which type a windows pipe is made; others are what they are.
    pub pipe: Framing,
    /// The most clients at once that a windows pipe has instances for: the others wait
    /// until one is free. Elsewhere the acceptor counts.
    #[cfg_attr(not(windows), expect(dead_code, reason = "sockets have no instances"))]
    pub max: Option<usize>,
    /// What handshakes are made with, where the endpoint has any.
    pub tls: Option<TlsDoor>,
    /// When a TCP peer that answers nothing is given up.
    pub peer_timeouts: PeerTimeouts,
}

/// Why an endpoint cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another program listens there.
    #[error("{0} is taken by another program that is running: stop it, or choose another --listen")]
    InUse(Endpoint),
    /// This server listens there already.
    #[error("{endpoint} is taken by this server's own {other}: leave one of the two out")]
    Own {
        /// The one that cannot be listened on besides.
        endpoint: Endpoint,
        /// The one that is listened on.
        other: Endpoint,
    },
    /// Something that is no socket stands at the path.
    #[error(
        "{0} is taken by a file that is not a socket: move it away, or choose another --listen"
    )]
    NotASocket(Endpoint),
    /// Plain TCP beyond this machine.
    #[error(
        "{0} is not loopback ({1}): plain tcp is for this machine only, others come in by tls:"
    )]
    NotLoopback(Endpoint, SocketAddr),
    /// A group's access to a name that has no file.
    #[error("{0} has no file that access=group could be set on: use unix:PATH")]
    NoFile(Endpoint),
    /// A windows pipe's option, or a pipe of another host.
    #[error("{0} cannot be listened on: {1}")]
    NotHere(Endpoint, &'static str),
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
    /// What its connections carry.
    framing: Framing,
    door: Door,
    /// An abstract name has no file whose mode could keep others out.
    own_user_only: bool,
    peer_timeouts: PeerTimeouts,
}

/// A connection that was accepted, its peer, and whether the peer may stay.
#[derive(Debug)]
pub struct AcceptedConnection {
    /// The connection, on the runtime of the thread that has accepted it.
    pub connection: Connection,
    /// The peer.
    pub peer: Peer,
    /// Whether the listener's access allows the peer.
    pub is_admitted: bool,
}

#[derive(Debug)]
enum Door {
    Local(LocalDoor),
    Tcp(TcpListener),
    Tls(TcpListener, TlsDoor),
}

impl Listener {
    /// Listens on `endpoint`.
    ///
    /// # Errors
    /// See [`BindError`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn bind(endpoint: &Endpoint, opening: &Opening<'_>) -> Result<Listener, BindError> {
        if opening.remote == Remote::Accept && !endpoint.may_have_remote_clients() {
            let why = "remote=accept is for windows pipes";
            return Err(BindError::NotHere(endpoint.clone(), why));
        }
        let (endpoint, door) = match endpoint {
            Endpoint::Tcp { host, port } => {
                let addresses = addresses(endpoint, host, *port).await?;
                check_loopback(endpoint, &addresses)?;
                let (listener, port) = bind_tcp(endpoint, &addresses).await?;
                let host = host.clone();
                (Endpoint::Tcp { host, port }, Door::Tcp(listener))
            }
            Endpoint::Tls { host, port } => {
                let Some(tls) = opening.tls.clone() else {
                    let why = "it has no certificate";
                    return Err(BindError::NotHere(endpoint.clone(), why));
                };
                let addresses = addresses(endpoint, host, *port).await?;
                let (listener, port) = bind_tcp(endpoint, &addresses).await?;
                let host = host.clone();
                (Endpoint::Tls { host, port }, Door::Tls(listener, tls))
            }
            Endpoint::RemotePipe { .. } => {
                let why = "a pipe is listened on by its own host, as pipe:NAME";
                return Err(BindError::NotHere(endpoint.clone(), why));
            }
            _ => {
                let door = LocalDoor::bind(endpoint, opening)?;
                (endpoint.clone(), Door::Local(door))
            }
        };
        let is_abstract = matches!(endpoint, Endpoint::Abstract(_));
        Ok(Listener {
            own_user_only: is_abstract && *opening.access == Access::Owner,
            framing: endpoint.framing(opening.pipe),
            endpoint,
            door,
            peer_timeouts: opening.peer_timeouts,
        })
    }

    /// Where it listens; a port that the system chose is filled in.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The longest frame that its connections can carry, where there is such a limit.
    pub fn longest_frame(&self) -> Option<usize> {
        match self.framing {
            Framing::Stream => None,
            Framing::Messages => {
                matches!(self.endpoint, Endpoint::SeqPacket(_)).then_some(LONGEST_MESSAGE)
            }
        }
    }

    /// Whether this peer may stay, where the system itself lets everybody connect.
    fn admits(&self, peer: &Peer) -> bool {
        !self.own_user_only || peer.is_same_user() || peer.is_root()
    }

    /// Tells who has connected, and whether the peer may stay.
    fn accepted(&self, connection: Connection) -> io::Result<AcceptedConnection> {
        let peer = connection.peer()?;
        Ok(AcceptedConnection {
            is_admitted: self.admits(&peer),
            peer,
            connection,
        })
    }

    fn poll_accept_any(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Connection>> {
        let timeouts = &self.peer_timeouts;
        Poll::Ready(match &mut self.door {
            Door::Local(door) => ready!(door.poll_accept(cx)).map(Connection::Local),
            Door::Tcp(listener) => ready!(listener.poll_accept(cx))
                .map(|(stream, _)| Connection::Tcp(Tcp::new(stream, timeouts))),
            Door::Tls(listener, tls) => ready!(listener.poll_accept(cx)).map(|(stream, _)| {
                let tcp = Tcp::new(stream, timeouts);
                Connection::Tls(Tls::accepted(tcp, tls.clone()))
            }),
        })
    }

    fn next_waiting(&mut self) -> Option<Connection> {
        for _ in 0..TRIES {
            match self.accept_now() {
                Ok(connection) => return Some(connection),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(error) => match failure_of(&error) {
                    Failure::Transient | Failure::PeerGone => {}
                    Failure::MessageTooLong | Failure::OwnSide => break,
                },
            }
        }
        tracing::warn!(endpoint = %self.endpoint, "waiting connections cannot be accepted");
        None
    }

    fn accept_now(&mut self) -> io::Result<Connection> {
        let timeouts = &self.peer_timeouts;
        Ok(match &mut self.door {
            Door::Local(door) => Connection::Local(door.accept_now()?),
            Door::Tcp(listener) => Connection::Tcp(Tcp::new(tcp::accept_now(listener)?, timeouts)),
            Door::Tls(listener, tls) => {
                let tcp = Tcp::new(tcp::accept_now(listener)?, timeouts);
                Connection::Tls(Tls::accepted(tcp, tls.clone()))
            }
        })
    }

    /// Whether `endpoint` can be listened on besides this one.
    ///
    /// # Errors
    /// It is the same place by another name.
    pub async fn check_apart(&self, endpoint: &Endpoint) -> Result<(), BindError> {
        let is_same = match (&self.door, endpoint) {
            (Door::Local(door), _) => door.is_at(endpoint),
            (
                Door::Tcp(listener) | Door::Tls(listener, _),
                Endpoint::Tcp { host, port } | Endpoint::Tls { host, port },
            ) => match listener.local_addr() {
                // Only the first of a name's addresses is listened on where it can be.
                Ok(own) if own.port() == *port => {
                    let others = addresses(endpoint, host, *port).await?;
                    others.first().is_some_and(|other| do_overlap(own, *other))
                }
                _ => false,
            },
            _ => false,
        };
        if !is_same {
            return Ok(());
        }
        Err(BindError::Own {
            endpoint: endpoint.clone(),
            other: self.endpoint.clone(),
        })
    }
}

impl Accept for Listener {
    type Connection = AcceptedConnection;

    fn failure_of(&self, error: &io::Error) -> Failure {
        failure_of(error)
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<AcceptedConnection>> {
        let connection = ready!(self.poll_accept_any(cx))?;
        Poll::Ready(self.accepted(connection))
    }

    fn poll_watch(&mut self, cx: &mut Context<'_>) {
        if let Door::Local(door) = &mut self.door {
            door.poll_watch(cx);
        }
    }

    fn close_to_new(&mut self) {
        if let Door::Local(door) = &mut self.door {
            door.close_to_new();
        }
    }

    fn accept_waiting(&mut self) -> Option<AcceptedConnection> {
        loop {
            let connection = self.next_waiting()?;
            // A client that has gone already needs no answer.
            if let Ok(accepted) = self.accepted(connection) {
                return Some(accepted);
            }
        }
    }
}

impl IncomingConnection for AcceptedConnection {
    fn peer_id(&self) -> PeerId {
        self.peer.id()
    }
}

async fn addresses(
    endpoint: &Endpoint,
    host: &str,
    port: u16,
) -> Result<Vec<SocketAddr>, BindError> {
    let found = tokio::net::lookup_host((host, port)).await;
    found
        .map(Iterator::collect)
        .map_err(|source| BindError::io(endpoint, source))
}

fn check_loopback(endpoint: &Endpoint, addresses: &[SocketAddr]) -> Result<(), BindError> {
    match addresses.iter().find(|address| !address.ip().is_loopback()) {
        Some(address) => Err(BindError::NotLoopback(endpoint.clone(), *address)),
        None => Ok(()),
    }
}

/// A listener, and its port.
async fn bind_tcp(
    endpoint: &Endpoint,
    addresses: &[SocketAddr],
) -> Result<(TcpListener, u16), BindError> {
    let mut outcome = Err(io::ErrorKind::AddrNotAvailable.into());
    for address in addresses {
        outcome = tcp::listen(*address);
        if outcome.is_ok() {
            break;
        }
    }
    let listener = match outcome {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            return Err(BindError::InUse(endpoint.clone()));
        }
        bound => bound.map_err(|source| BindError::io(endpoint, source))?,
    };
    let address = listener.local_addr();
    let port = address
        .map_err(|source| BindError::io(endpoint, source))?
        .port();
    Ok((listener, port))
}

/// Whether the system lets only one listen: an unspecified address is all of its family,
/// and of no other ([`tcp::listen`]).
fn do_overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let is_same_family = one.is_ipv4() == other.is_ipv4();
    let is_any = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && is_same_family && (is_any || one.ip() == other.ip())
}

impl BindError {
    /// Whether another configuration is needed, and not another moment.
    pub fn is_of_the_configuration(&self) -> bool {
        match self {
            BindError::Own { .. } => true,
            BindError::Io { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidFilename
            ),
            _ => false,
        }
    }

    fn io(endpoint: &Endpoint, source: io::Error) -> BindError {
        BindError::Io {
            endpoint: endpoint.clone(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_overlap_within_their_family_only() {
        let address = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let overlap = |one: &str, other: &str| do_overlap(address(one), address(other));
        assert!(overlap("127.0.0.1:7000", "127.0.0.1:7000"));
        assert!(overlap("0.0.0.0:7000", "127.0.0.1:7000"));
        assert!(overlap("[::1]:7000", "[::]:7000"));
        assert!(!overlap("0.0.0.0:7000", "[::]:7000"));
        assert!(!overlap("127.0.0.1:7000", "127.0.0.2:7000"));
        assert!(!overlap("127.0.0.1:7000", "127.0.0.1:7001"));
    }
}
