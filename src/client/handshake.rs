//! From the connect to the login's answer.

use std::borrow::Cow;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::error::{Break, ClientError};
use super::filter::Wanted;
use super::heartbeat::SERVER_TIMEOUT;
use super::login::{Begin, LoggedInAs, LoggedInConnection, ServerTerms};
use super::stream::FrameReader;
use crate::link::Link;
use crate::transport::{
    ConnectFault, ConnectMode, Connection, Endpoint, Peer, PeerTimeouts, Trust, UnsafeFolder,
    connect,
};
use crate::wire::{ClientFrame, Feature, Login, Resume, ServerFrame, SessionId, VERSION, cbor};

/// A connection that has been welcomed and not logged in yet.
#[derive(Debug)]
pub struct Handshake {
    reader: FrameReader<Connection>,
    terms: ServerTerms,
    peer: Option<Peer>,
    server_timeout: Duration,
    wanted: Wanted,
}

/// Connects.
pub(super) async fn open(
    endpoint: &Endpoint,
    mode: ConnectMode,
    trust: &Trust,
) -> Result<Connection, ClientError> {
    connect(endpoint, mode, trust)
        .await
        .map_err(|error| match UnsafeFolder::of(&error) {
            Some(problem) => ClientError::UnsafeFolder {
                endpoint: endpoint.clone(),
                problem: problem.clone(),
            },
            None => ClientError::Connect {
                endpoint: endpoint.clone(),
                kind: error.kind(),
                fault: ConnectFault::of(&error),
                problem: error.to_string(),
            },
        })
}

impl Handshake {
    /// Connects and waits for the server's welcome.
    pub(super) async fn connect(
        endpoint: &Endpoint,
        trust: &Trust,
    ) -> Result<Handshake, ClientError> {
        let connection = open(endpoint, ConnectMode::Frames, trust).await?;
        connection.check_server(endpoint, trust)?;
        let peer = connection.peer().ok();
        let framing = connection.framing();
        let mut reader = FrameReader::new(connection, framing);
        let welcome = reader
            .next(|frame| match frame {
                ServerFrame::Welcome(welcome) => Ok((welcome.version, ServerTerms::of(welcome))),
                other => Err(unexpected(&other)),
            })
            .await?;
        let (version, terms) = welcome.ok_or_else(|| no_welcome(endpoint))??;
        if version != VERSION {
            let problem = format!("it speaks version {version}, this client {VERSION}");
            return Err(ClientError::Protocol(problem));
        }
        reader.set_limit(terms.max_frame);
        Ok(Handshake {
            reader,
            terms,
            peer,
            server_timeout: SERVER_TIMEOUT,
            wanted: Wanted::default(),
        })
    }

    /// Returns the session's number.
    pub fn session(&self) -> SessionId {
        self.terms.session
    }

    /// Returns the server's name and version.
    pub fn server(&self) -> &str {
        &self.terms.server
    }

    /// Returns the limits and features of the server.
    pub fn terms(&self) -> &ServerTerms {
        &self.terms
    }

    /// Sets how long the server may be silent before the session counts as lost: 30 s by
    /// default. The session pings when a third of it has passed in silence. On TCP the system's
    /// own timeouts are set to the same.
    #[must_use]
    pub fn with_server_timeout(mut self, timeout: Duration) -> Handshake {
        let timeouts = PeerTimeouts::within(timeout);
        self.reader.source().set_peer_timeouts(&timeouts);
        self.server_timeout = timeout.max(Duration::from_millis(30));
        self
    }

    /// Selects the messages of the session: those whose topic one of the patterns matches, and those
    /// to its user. It is as [`ClientBuilder::filter`](crate::ClientBuilder::filter).
    #[must_use]
    pub fn with_filter(
        mut self,
        patterns: impl IntoIterator<Item = impl Into<String>>,
    ) -> Handshake {
        let patterns = patterns.into_iter().map(Into::into);
        self.wanted.filter = Some(patterns.collect());
        self
    }

    /// Sets whether the session is told who comes and goes: see
    /// [`ClientBuilder::presence`](crate::ClientBuilder::presence).
    #[must_use]
    pub fn with_presence(mut self, is_wanted: bool) -> Handshake {
        self.wanted.presence = Some(is_wanted);
        self
    }

    /// Asks for the kept values: see [`ClientBuilder::kept`](crate::ClientBuilder::kept).
    #[must_use]
    pub fn with_kept(mut self) -> Handshake {
        self.wanted.kept = true;
        self
    }

    /// Sets what the session receives.
    pub(super) fn wanting(mut self, wanted: &Wanted) -> Handshake {
        self.wanted = wanted.clone();
        self
    }

    /// Sends the login and waits for its answer.
    pub(super) async fn log_in(
        mut self,
        user: &str,
        password: &str,
        begin: Begin<'_>,
    ) -> Result<LoggedInConnection, ClientError> {
        if !self.wanted.is_default() && !self.terms.serves(Feature::Topics) {
            return Err(ClientError::NotServed {
                feature: Feature::Topics,
            });
        }
        let cursor = match begin {
            Begin::Cursor(name) if self.terms.features.contains(&Feature::Cursor.into()) => {
                Some(Cow::Borrowed(name))
            }
            Begin::Cursor(_) => {
                return Err(ClientError::NotServed {
                    feature: Feature::Cursor,
                });
            }
            Begin::Now | Begin::Resume(_) => None,
        };
        let from = begin.point();
        let mut options = self.wanted.login_options();
        if let Some(name) = cursor {
            options.get_or_insert_default().cursor = Some(name);
        }
        let login = ClientFrame::Login(Box::new(Login {
            id: 0,
            user: Cow::Borrowed(user),
            password: Cow::Borrowed(password),
            resume: from.map(|from| Resume {
                stream: Cow::Borrowed(&from.stream),
                after: from.after,
                term: from.term,
            }),
            options,
        }));
        let mut bytes = Vec::new();
        cbor::encode(&login, &mut bytes);
        let connection = self.reader.source();
        connection.write_all(&bytes).await.map_err(Break::of)?;
        connection.flush().await.map_err(Break::of)?;
        loop {
            let terms = &self.terms;
            let answer = self
                .reader
                .next(|frame| answer(frame, terms))
                .await?
                .ok_or(Break::NoClosing)??;
            if let Some(mut who) = answer {
                who.forked = from.and_then(|from| from.forked(&who));
                who.server_pid = self.peer.and_then(|peer| peer.pid());
                let (connection, buffer, max_frame) = self.reader.into_source();
                return Ok(LoggedInConnection {
                    connection,
                    buffer,
                    max_frame,
                    who,
                    wanted: self.wanted,
                    server_timeout: self.server_timeout,
                });
            }
        }
    }
}

/// Reads the login's answer from a frame; `None`: the answer comes later.
fn answer(frame: ServerFrame<'_>, terms: &ServerTerms) -> Result<Option<LoggedInAs>, ClientError> {
    match frame {
        ServerFrame::LoggedIn(login) => Ok(Some(LoggedInAs::of(login, terms))),
        // Its error comes next.
        ServerFrame::Stopping(_) => Ok(None),
        other => Err(unexpected(&other)),
    }
}

fn unexpected(frame: &ServerFrame<'_>) -> ClientError {
    match frame {
        ServerFrame::Error(error) => ClientError::refused(error.clone()),
        ServerFrame::Closing(closing) => ClientError::Closed(closing.reason.clone().shortened()),
        other => ClientError::unexpected("unexpected", other),
    }
}

fn no_welcome(endpoint: &Endpoint) -> ClientError {
    ClientError::Lost(match endpoint {
        Endpoint::Tcp { .. } => Break::NoWelcomeOnTcp,
        _ => Break::NoWelcome,
    })
}
