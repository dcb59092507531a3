//! From the connect to the login.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::AsyncWriteExt;

use super::error::{ClientError, End};
use super::heartbeat::SERVER_TIMEOUT;
use super::raw::RawSession;
use super::session::{self, Client, Events};
use super::stream::FrameReader;
use crate::link::Link;
use crate::transport::{
    ConnectFault, Connection, Endpoint, Peer, PeerTimeouts, Purpose, Trust, UnsafeFolder, connect,
};
use crate::wire::{
    ClientFrame, Gap, LoggedIn, Login, Resume, Role, Seq, ServerFrame, SessionId, Term, VERSION,
    Welcome, cbor,
};

/// A connection that nobody has logged in on yet.
pub struct Visitor {
    reader: FrameReader<Connection>,
    server: ServerTerms,
    peer: Option<Peer>,
    server_timeout: Duration,
}

/// The server's terms, from its `welcome`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerTerms {
    /// This session's number.
    pub session: SessionId,
    /// The server's name and version.
    pub server: String,
    /// The longest frame, in bytes, without its prefix.
    pub max_frame: u64,
    /// The longest body that a publish may have, in bytes; a server from before this key
    /// does not say it.
    pub max_body: Option<u64>,
    /// The server ends a session that sends no frame for so long; `None`: never. A
    /// [`Client`] pings often enough.
    pub idle_timeout: Option<Duration>,
    /// The features that this endpoint serves, of those that the contract names.
    pub features: Vec<String>,
    /// The bounds of those features.
    pub limits: BTreeMap<String, u64>,
}

impl ServerTerms {
    fn of(welcome: Welcome<'_>) -> ServerTerms {
        let features = welcome.features.into_iter().map(Cow::into_owned);
        let limits = welcome.limits.unwrap_or_default().into_iter();
        ServerTerms {
            session: welcome.session,
            server: welcome.server.into_owned(),
            max_frame: welcome.max_frame,
            max_body: welcome.max_body,
            idle_timeout: welcome.idle_timeout.map(Duration::from_millis),
            features: features.collect(),
            limits: limits
                .map(|(name, bound)| (name.into_owned(), bound))
                .collect(),
        }
    }
}

/// Where an earlier session stopped reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumePoint {
    /// The stream's name.
    pub stream: String,
    /// The last seq that was read.
    pub after: Seq,
    /// The term of the session that read it, where the server said it.
    pub term: Option<Term>,
}

impl ResumePoint {
    /// Returns the broadcasts that were read up to here and are not in the history of the server.
    fn forked(&self, who: &LoggedInAs) -> Option<Gap> {
        let is_forked = self.stream == who.stream && who.seq < self.after;
        // Without terms a resume ahead of the stream is answered with a gap.
        (is_forked && self.term.is_some()).then_some(Gap {
            from: who.seq.next(),
            to: self.after,
        })
    }
}

impl LoggedInAs {
    /// Where a session that is lost before its first broadcast goes on.
    pub fn resume_point(&self) -> ResumePoint {
        ResumePoint {
            stream: self.stream.clone(),
            after: self.seq,
            term: self.term,
        }
    }
}

/// Who a client is, and where its broadcasts begin.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedInAs {
    /// The user's name, as the server knows it.
    pub user: String,
    /// What the user may do.
    pub role: Role,
    /// Whether this login created the user.
    pub registered: bool,
    /// Names the sequence that seqs count in.
    pub stream: String,
    /// The last seq before the first broadcast.
    pub seq: Seq,
    /// Numbers the start of the server on the stream; a resume says it.
    pub term: Option<Term>,
    /// The broadcasts that a resume has read of another history, as after a restore of an older
    /// copy: this history's broadcasts under these seqs are sent again, or a gap is.
    pub forked: Option<Gap>,
    /// How fast the session may send frames that ask for something, as in `100/s`; `None`:
    /// as fast as they are answered.
    pub request_rate: Option<String>,
    /// The session's number.
    pub session: SessionId,
    /// The longest body that a publish may have, in bytes, where the server says it.
    pub max_body: Option<u64>,
    /// The server ends a session that sends no frame for so long; `None`: never. A
    /// [`Client`] pings often enough; a [`RawSession`] leaves that to its user.
    pub idle_timeout: Option<Duration>,
    /// The server's process id, on a local endpoint.
    pub server_pid: Option<i32>,
}

/// Connects.
pub(super) async fn open(
    endpoint: &Endpoint,
    purpose: Purpose,
    trust: &Trust,
) -> Result<Connection, ClientError> {
    connect(endpoint, purpose, trust)
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

impl Client {
    /// Connects and waits for the server's welcome. On a local endpoint the server must be
    /// of this process's own user, of root, or the only one that could have made the path;
    /// on a `tls:` endpoint the system's trusted roots must vouch for it.
    ///
    /// # Errors
    /// Nobody listens there, the server is full or stopping, or it is no arauto.
    pub async fn connect(endpoint: &Endpoint) -> Result<Visitor, ClientError> {
        Client::connect_with(endpoint, &Trust::system()).await
    }

    /// The same, with this trust: see [`Trust`].
    ///
    /// # Errors
    /// See [`Client::connect`]; or it is not a server that is trusted.
    pub async fn connect_with(endpoint: &Endpoint, trust: &Trust) -> Result<Visitor, ClientError> {
        let connection = open(endpoint, Purpose::Frames, trust).await?;
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
        let (version, server) = welcome.ok_or_else(|| no_welcome(endpoint))??;
        if version != VERSION {
            let problem = format!("it speaks version {version}, this client {VERSION}");
            return Err(ClientError::Protocol(problem));
        }
        reader.set_limit(server.max_frame);
        Ok(Visitor {
            reader,
            server,
            peer,
            server_timeout: SERVER_TIMEOUT,
        })
    }
}

impl Visitor {
    /// The session's number.
    pub fn session(&self) -> SessionId {
        self.server.session
    }

    /// The server's name and version.
    pub fn server(&self) -> &str {
        &self.server.server
    }

    /// Returns the limits and features of the server.
    pub fn terms(&self) -> &ServerTerms {
        &self.server
    }

    /// Takes a server that answers nothing for so long for lost, and no longer waits for it:
    /// 30 s where this is not called. The session pings when a third of it has passed in
    /// silence. On TCP the system's own timeouts are set to the same.
    #[must_use]
    pub fn with_server_timeout(mut self, timeout: Duration) -> Visitor {
        let timeouts = PeerTimeouts::within(timeout);
        self.reader.source().set_peer_timeouts(&timeouts);
        self.server_timeout = timeout.max(Duration::from_millis(30));
        self
    }

    /// Logs in; a name seen for the first time registers. Broadcasts begin now.
    ///
    /// # Errors
    /// The server refuses, or the connection breaks.
    pub async fn login(self, user: &str, password: &str) -> Result<(Client, Events), ClientError> {
        self.enter(user, password, None).await
    }

    /// Logs in and hears first what came since an earlier session.
    ///
    /// # Errors
    /// See [`Visitor::login`].
    pub async fn resume(
        self,
        user: &str,
        password: &str,
        from: &ResumePoint,
    ) -> Result<(Client, Events), ClientError> {
        self.enter(user, password, Some(from)).await
    }

    /// Logs in and hands the connection over as it is: what follows is the bytes of
    /// frames, and nobody looks at them. For proxies and load generators.
    ///
    /// # Errors
    /// See [`Visitor::login`].
    pub async fn login_raw(self, user: &str, password: &str) -> Result<RawSession, ClientError> {
        let entered = self.log_in(user, password, None).await?;
        Ok(RawSession::new(entered))
    }

    async fn enter(
        self,
        user: &str,
        password: &str,
        from: Option<&ResumePoint>,
    ) -> Result<(Client, Events), ClientError> {
        let server_timeout = self.server_timeout;
        let entered = self.log_in(user, password, from).await?;
        let (buffer, limit) = (entered.buffer, entered.max_frame);
        Ok(session::start(
            entered.connection,
            buffer,
            limit,
            entered.who,
            server_timeout,
        ))
    }

    async fn log_in(
        mut self,
        user: &str,
        password: &str,
        from: Option<&ResumePoint>,
    ) -> Result<Entered, ClientError> {
        let login = ClientFrame::Login(Login {
            id: 0,
            user: Cow::Borrowed(user),
            password: Cow::Borrowed(password),
            resume: from.map(|from| Resume {
                stream: Cow::Borrowed(&from.stream),
                after: from.after,
                term: from.term,
            }),
        });
        let mut bytes = Vec::new();
        cbor::encode(&login, &mut bytes);
        let connection = self.reader.source();
        let sent = connection.write_all(&bytes).await;
        sent.map_err(|error| ClientError::Lost(error.to_string()))?;
        let flushed = connection.flush().await;
        flushed.map_err(|error| ClientError::Lost(error.to_string()))?;
        loop {
            let step = self
                .reader
                .next(step)
                .await?
                .ok_or_else(ClientError::no_closing)??;
            if let Some(mut who) = step {
                who.session = self.server.session;
                who.forked = from.and_then(|from| from.forked(&who));
                who.max_body = self.server.max_body;
                who.idle_timeout = self.server.idle_timeout;
                who.server_pid = self.peer.and_then(|peer| peer.pid());
                let (connection, buffer, max_frame) = self.reader.into_source();
                return Ok(Entered {
                    connection,
                    buffer,
                    max_frame,
                    who,
                });
            }
        }
    }
}

/// A connection on which a login has just been answered.
pub(super) struct Entered {
    pub(super) connection: Connection,
    /// What was read behind the login's answer.
    pub(super) buffer: BytesMut,
    pub(super) max_frame: usize,
    pub(super) who: LoggedInAs,
}

/// What a frame before the login's answer means; `None`: nothing yet.
fn step(frame: ServerFrame<'_>) -> Result<Option<LoggedInAs>, ClientError> {
    match frame {
        ServerFrame::LoggedIn(login) => Ok(Some(logged_in(login))),
        // Its error comes next.
        ServerFrame::Stopping(_) => Ok(None),
        other => Err(unexpected(&other)),
    }
}

fn logged_in(login: LoggedIn<'_>) -> LoggedInAs {
    LoggedInAs {
        user: login.user.into_owned(),
        role: login.role,
        registered: login.registered,
        stream: login.stream.into_owned(),
        seq: login.seq,
        term: login.term,
        forked: None,
        request_rate: login.request_rate.map(Cow::into_owned),
        session: SessionId(0),
        max_body: None,
        idle_timeout: None,
        server_pid: None,
    }
}

fn unexpected(frame: &ServerFrame<'_>) -> ClientError {
    match frame {
        ServerFrame::Error(error) => ClientError::refused(error.clone()),
        ServerFrame::Closing(closing) => ClientError::Closed(closing.reason.clone().into_owned()),
        other => ClientError::unexpected("unexpected", other),
    }
}

fn no_welcome(endpoint: &Endpoint) -> ClientError {
    let or_what = match endpoint {
        Endpoint::Tcp { .. } => "is it a tls: endpoint, or another program's?",
        _ => "is it another program's?",
    };
    ClientError::Lost(format!("it ended without a welcome: {or_what}"))
}

impl End {
    pub(super) fn of(closing: crate::wire::Closing<'_>) -> End {
        End {
            reason: closing.reason.into_owned(),
            last_seq: closing.last_seq,
            accepted: closing.accepted,
            refused: closing.refused,
        }
    }
}
