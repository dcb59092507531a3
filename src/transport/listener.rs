//! Listeners: bound safely, and closed without cutting off clients that have connected.

use std::io;
use std::task::{Context, Poll, ready};

use tokio::net::TcpListener;

use super::system::{LONGEST_MESSAGE, LocalListener, OpenError, OpenedSocket, tcp};
use super::tcp::Tcp;
use super::tcp_listener::{addresses, bind_tcp, check_loopback, do_overlap};
use super::tls::{HandshakeConfig, Tls};
use super::{
    Access, BindError, Connection, ConnectionTimeouts, Detached, Endpoint, ListenOptions,
    PassedSocket, Peer, Remote, failure_of,
};
use crate::framing::{Failure, Framing};
use crate::link::{Accept, IncomingConnection, PeerId};

/// The number of attempts at one accept in a stop, when it fails for a moment or the client has
/// gone already. There is no time for pauses.
const ATTEMPTS: u32 = 64;

const ACCESS_OF_THE_FILE: &str = "the maker of the socket sets the mode of its file (SocketMode= and \
                                  SocketGroup=): leave access out";

/// An endpoint that is listened on. Dropping it removes a socket's file, unless the socket was
/// passed.
#[derive(Debug)]
pub struct Listener {
    endpoint: Endpoint,
    /// The framing of its connections.
    framing: Framing,
    socket: ListeningSocket,
    /// Whether other users' clients are refused: an abstract name has no file whose mode could
    /// keep them out.
    own_user_only: bool,
    timeouts: ConnectionTimeouts,
    /// Another program made the socket, and may have it open too: nothing that this listener does
    /// may keep the next one from accepting there.
    is_passed: bool,
}

/// A connection that was accepted, its peer, and whether the peer may stay.
#[derive(Debug)]
pub struct AcceptedConnection {
    /// The connection, which has no runtime yet.
    pub connection: Detached,
    /// The peer.
    pub peer: Peer,
    /// Whether the listener's access allows the peer.
    pub is_admitted: bool,
}

#[derive(Debug)]
enum ListeningSocket {
    Local(LocalListener),
    Tcp(TcpListener),
    Tls(TcpListener, HandshakeConfig),
}

impl Listener {
    /// Listens on `endpoint`.
    ///
    /// # Errors
    /// See [`BindError`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn bind(
        endpoint: &Endpoint,
        options: &ListenOptions<'_>,
    ) -> Result<Listener, BindError> {
        if options.remote == Remote::Accept && !endpoint.may_have_remote_clients() {
            let why = "remote=accept is for windows pipes";
            return Err(BindError::NotHere(endpoint.clone(), why));
        }
        let (endpoint, socket) = match endpoint {
            Endpoint::Tcp { host, port } => {
                let addresses = addresses(endpoint, host, *port).await?;
                check_loopback(endpoint, &addresses)?;
                let (listener, port) = bind_tcp(endpoint, &addresses)?;
                let host = host.clone();
                (Endpoint::Tcp { host, port }, ListeningSocket::Tcp(listener))
            }
            Endpoint::Tls { host, port } => {
                let Some(tls) = options.tls.clone() else {
                    let why = "it has no certificate";
                    return Err(BindError::NotHere(endpoint.clone(), why));
                };
                let addresses = addresses(endpoint, host, *port).await?;
                let (listener, port) = bind_tcp(endpoint, &addresses)?;
                let host = host.clone();
                (
                    Endpoint::Tls { host, port },
                    ListeningSocket::Tls(listener, tls),
                )
            }
            Endpoint::RemotePipe { .. } => {
                let why = "a pipe is listened on by its own host, as pipe:NAME";
                return Err(BindError::NotHere(endpoint.clone(), why));
            }
            _ => {
                let listener = LocalListener::bind(endpoint, options)?;
                (endpoint.clone(), ListeningSocket::Local(listener))
            }
        };
        Ok(Listener::new(endpoint, socket, options))
    }

    /// Listens on a socket that was passed. Its address becomes the listener's endpoint.
    ///
    /// # Errors
    /// See [`BindError`]. The rules are those of [`Listener::bind`]: TCP is for loopback only.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn on_passed(
        passed: &PassedSocket,
        options: &ListenOptions<'_>,
    ) -> Result<Listener, BindError> {
        let named = || Endpoint::Systemd(passed.name().to_owned());
        let unsuitable = |problem| {
            let endpoint = named();
            BindError::Passed { endpoint, problem }
        };
        let io_error = |source| BindError::io(&named(), source);
        let opened = passed.descriptor().open().map_err(|error| match error {
            OpenError::Unsuitable(problem) => unsuitable(problem),
            OpenError::Io(source) => io_error(source),
        })?;
        let (endpoint, socket) = match opened {
            OpenedSocket::Local(endpoint, socket) => {
                match (&endpoint, options.access) {
                    (_, Access::Owner) | (Endpoint::Abstract(_), Access::Everyone) => {}
                    (Endpoint::Abstract(_), Access::Group(_)) => {
                        return Err(BindError::NoFile(endpoint));
                    }
                    _ => return Err(unsuitable(ACCESS_OF_THE_FILE)),
                }
                let listener = LocalListener::passed(&endpoint, socket).map_err(io_error)?;
                (endpoint, ListeningSocket::Local(listener))
            }
            OpenedSocket::Tcp(address, socket) => {
                check_loopback(&named(), &[address])?;
                let listener = TcpListener::from_std(socket).map_err(io_error)?;
                let (host, port) = (address.ip().to_string(), address.port());
                (Endpoint::Tcp { host, port }, ListeningSocket::Tcp(listener))
            }
        };
        Ok(Listener {
            is_passed: true,
            ..Listener::new(endpoint, socket, options)
        })
    }

    fn new(endpoint: Endpoint, socket: ListeningSocket, options: &ListenOptions<'_>) -> Listener {
        let is_abstract = matches!(endpoint, Endpoint::Abstract(_));
        Listener {
            own_user_only: is_abstract && *options.access == Access::Owner,
            framing: endpoint.framing(options.pipe),
            endpoint,
            socket,
            timeouts: options.timeouts.clone(),
            is_passed: false,
        }
    }

    /// Returns the endpoint, with the port that the system chose.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the longest frame that its connections can carry, if there is such a limit.
    pub fn longest_frame(&self) -> Option<usize> {
        match self.framing {
            Framing::Stream => None,
            Framing::Messages => {
                matches!(self.endpoint, Endpoint::SeqPacket(_)).then_some(LONGEST_MESSAGE)
            }
        }
    }

    /// Returns whether this peer may stay, where the system lets every user connect.
    fn admits(&self, peer: &Peer) -> bool {
        !self.own_user_only || peer.is_same_user() || peer.is_root()
    }

    /// Finds out the peer, and whether it may stay.
    fn accepted(&self, connection: Connection) -> io::Result<AcceptedConnection> {
        let peer = connection.peer()?;
        Ok(AcceptedConnection {
            is_admitted: self.admits(&peer),
            peer,
            connection: connection.detach()?,
        })
    }

    fn poll_connection(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Connection>> {
        let timeouts = &self.timeouts.peer();
        Poll::Ready(match &mut self.socket {
            ListeningSocket::Local(listener) => {
                ready!(listener.poll_accept(cx)).map(Connection::Local)
            }
            ListeningSocket::Tcp(listener) => ready!(listener.poll_accept(cx))
                .map(|(stream, _)| Connection::Tcp(Tcp::new(stream, timeouts))),
            ListeningSocket::Tls(listener, tls) => {
                ready!(listener.poll_accept(cx)).map(|(stream, _)| {
                    let tcp = Tcp::new(stream, timeouts);
                    Connection::Tls(Box::new(Tls::accepted(tcp, tls.clone())))
                })
            }
        })
    }

    fn next_waiting(&mut self) -> Option<Connection> {
        for _ in 0..ATTEMPTS {
            match self.accept_now() {
                Ok(connection) => return Some(connection),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                Err(error) => match failure_of(&error) {
                    Failure::Transient | Failure::PeerGone => {}
                    Failure::MessageTooLong | Failure::OwnSide => break,
                },
            }
        }
        tracing::warn!(endpoint = %self.endpoint, "waiting connections not accepted");
        None
    }

    fn accept_now(&mut self) -> io::Result<Connection> {
        let timeouts = &self.timeouts.peer();
        Ok(match &mut self.socket {
            ListeningSocket::Local(listener) => Connection::Local(listener.accept_now()?),
            ListeningSocket::Tcp(listener) => {
                Connection::Tcp(Tcp::new(tcp::accept_now(listener)?, timeouts))
            }
            ListeningSocket::Tls(listener, tls) => {
                let tcp = Tcp::new(tcp::accept_now(listener)?, timeouts);
                Connection::Tls(Box::new(Tls::accepted(tcp, tls.clone())))
            }
        })
    }

    /// Checks that `endpoint` is not this one by another name.
    ///
    /// # Errors
    /// Only one of the two can be listened on ([`BindError::Own`]), or a name cannot be looked up.
    pub async fn check_apart(&self, endpoint: &Endpoint) -> Result<(), BindError> {
        let is_same = match (&self.socket, endpoint) {
            (ListeningSocket::Local(listener), _) => listener.is_at(endpoint),
            (
                ListeningSocket::Tcp(listener) | ListeningSocket::Tls(listener, _),
                Endpoint::Tcp { host, port } | Endpoint::Tls { host, port },
            ) => match listener.local_addr() {
                // Of a name's addresses the first that can be is listened on.
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
        let connection = ready!(self.poll_connection(cx))?;
        Poll::Ready(self.accepted(connection))
    }

    fn poll_watch(&mut self, cx: &mut Context<'_>) {
        if let ListeningSocket::Local(listener) = &mut self.socket {
            listener.poll_watch(cx);
        }
    }

    fn close_to_new(&mut self) {
        // shutdown(2) would close the socket to the next server too.
        if let ListeningSocket::Local(listener) = &mut self.socket
            && !self.is_passed
        {
            listener.close_to_new();
        }
    }

    fn accept_waiting(&mut self) -> Option<AcceptedConnection> {
        if self.is_passed {
            return None; // they wait for the next server
        }
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
