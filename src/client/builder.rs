//! The ways to a client: one call, a builder, or a handshake in two steps.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::error::ClientError;
use super::events::Events;
use super::filter::Wanted;
use super::handle::Client;
use super::handshake::Handshake;
use super::login::{Begin, LoggedInConnection, ResumePoint};
use super::raw::RawSession;
use super::reconnect::{Account, Password, Reconnect, Relogin, Task};
use super::session::Session;
use super::slot::Slot;
use crate::transport::{Endpoint, Trust};

/// Items that may wait to be read.
const QUEUE: usize = 1024;

/// Builds a client: see [`Client::builder`].
#[derive(Debug, Clone)]
#[must_use = "it connects with `connect`"]
pub struct ClientBuilder {
    account: Account,
    from: Option<ResumePoint>,
    reconnect: Option<Reconnect>,
}

impl Client {
    /// Returns a builder of a client of the server at this endpoint.
    ///
    /// ```no_run
    /// # async fn client() -> Result<(), Box<dyn std::error::Error>> {
    /// use arauto::{Client, Incoming, Reconnect};
    ///
    /// let (client, mut events) = Client::builder("unix:/run/arauto.sock".parse()?)
    ///     .user("ana")
    ///     .password("segredo")
    ///     .reconnect(Reconnect::new())
    ///     .connect()
    ///     .await?;
    /// while let Some(incoming) = events.next().await {
    ///     match incoming {
    ///         Incoming::Event(event) => client.ack(event.seq()).await?,
    ///         Incoming::Disconnected(error) => eprintln!("{error}; connecting again"),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub fn builder(endpoint: Endpoint) -> ClientBuilder {
        ClientBuilder {
            account: Account {
                endpoint,
                trust: Trust::system(),
                user: String::new(),
                password: Password(String::new()),
                server_timeout: None,
                wanted: Wanted::default(),
                cursor: None,
            },
            from: None,
            reconnect: None,
        }
    }

    /// Connects and waits for the server's welcome. On a local endpoint the server must be
    /// of this process's own user, of root, or the only one that could have made the path;
    /// on a `tls:` endpoint the system's trusted roots must vouch for it.
    ///
    /// Cancel safety: the connection is closed.
    ///
    /// # Errors
    /// No server listens there, it is full or stopping, or it is no arauto.
    pub async fn connect(endpoint: &Endpoint) -> Result<Handshake, ClientError> {
        Client::connect_with(endpoint, &Trust::system()).await
    }

    /// Connects as [`Client::connect`] does, with this trust: see [`Trust`].
    ///
    /// # Errors
    /// See [`Client::connect`]; or the server is not trusted.
    pub async fn connect_with(
        endpoint: &Endpoint,
        trust: &Trust,
    ) -> Result<Handshake, ClientError> {
        Handshake::connect(endpoint, trust).await
    }
}

impl ClientBuilder {
    /// Sets the user's name. A name that the server has not seen registers.
    pub fn user(mut self, name: impl Into<String>) -> ClientBuilder {
        self.account.user = name.into();
        self
    }

    /// Sets the password.
    pub fn password(mut self, password: impl Into<String>) -> ClientBuilder {
        self.account.password = Password(password.into());
        self
    }

    /// Sets the servers that are trusted; by default [`Trust::system`].
    pub fn trust(mut self, trust: Trust) -> ClientBuilder {
        self.account.trust = trust;
        self
    }

    /// Sets how long the server may be silent before the session counts as lost: see
    /// [`Handshake::with_server_timeout`].
    pub fn server_timeout(mut self, timeout: Duration) -> ClientBuilder {
        self.account.server_timeout = Some(timeout);
        self
    }

    /// Begins with the broadcasts since an earlier session.
    pub fn resume(mut self, from: ResumePoint) -> ClientBuilder {
        self.from = Some(from);
        self
    }

    /// Selects messages: those whose topic one of the patterns matches, and those to this user. No
    /// pattern selects only the latter; without a filter every message comes.
    ///
    /// The filter is sent with each login, with the changes that [`Client::change_filter`] has made.
    /// It needs the feature `topics`.
    pub fn filter(
        mut self,
        patterns: impl IntoIterator<Item = impl Into<String>>,
    ) -> ClientBuilder {
        let patterns = patterns.into_iter().map(Into::into);
        self.account.wanted.filter = Some(patterns.collect());
        self
    }

    /// Sets whether [`Event::Joined`](crate::Event::Joined) and
    /// [`Event::Left`](crate::Event::Left) come. By default they come if there is no filter. It
    /// needs the feature `topics`.
    pub fn presence(mut self, is_wanted: bool) -> ClientBuilder {
        self.account.wanted.presence = Some(is_wanted);
        self
    }

    /// Asks for the kept values of the topics that the filter matches, without a filter for all,
    /// at each login: see [`Incoming::Kept`](crate::Incoming::Kept). It needs the feature `topics`.
    pub fn kept(mut self) -> ClientBuilder {
        self.account.wanted.kept = true;
        self
    }

    /// Begins behind the last broadcast that was acknowledged ([`Client::ack`]) under this name of the
    /// account: the server remembers it. A name that it does not know begins now
    /// ([`LoggedInAs::cursor_new`](crate::LoggedInAs::cursor_new)).
    ///
    /// It takes the place of [`ClientBuilder::resume`], also for later sessions. What was delivered
    /// and not acknowledged is delivered again after a restart of the server, but not twice by one
    /// client while the same server runs. A cursor has one session: a second login with it ends
    /// the first with `superseded`.
    pub fn cursor(mut self, name: impl Into<String>) -> ClientBuilder {
        self.account.cursor = Some(name.into());
        self
    }

    /// Connects again, and resumes, when a session ends for a reason that may pass
    /// ([`RetryClass::RetryAfterLogin`](crate::RetryClass::RetryAfterLogin)). By default the
    /// client ends with its session.
    ///
    /// The first login is one attempt all the same: a wrong endpoint is told at once.
    pub fn reconnect(mut self, policy: Reconnect) -> ClientBuilder {
        self.reconnect = Some(policy);
        self
    }

    /// Connects and logs in. It must run on a tokio runtime, which moves the session's frames
    /// from then on.
    ///
    /// Cancel safety: the connection is closed; a new name may have registered.
    ///
    /// # Errors
    /// No server listens there or none that is trusted, it refuses, or it does not serve a feature
    /// that is asked for ([`ClientError::NotServed`]).
    pub async fn connect(self) -> Result<(Client, Events), ClientError> {
        let login = {
            let account = &self.account;
            account.log_in(self.from.as_ref(), &account.wanted).await?
        };
        let account = self.account;
        let relogin = self.reconnect.map(|policy| Relogin { account, policy });
        Ok(start(login, relogin))
    }
}

impl Handshake {
    /// Logs in; a name that the server has not seen registers. Broadcasts begin now.
    ///
    /// Cancel safety: the connection is closed; a new name may have registered.
    ///
    /// # Errors
    /// The server refuses, or the connection breaks.
    pub async fn login(self, user: &str, password: &str) -> Result<(Client, Events), ClientError> {
        let login = self.log_in(user, password, Begin::Now).await?;
        Ok(start(login, None))
    }

    /// Logs in, and begins with the broadcasts since an earlier session.
    ///
    /// # Errors
    /// See [`Handshake::login`].
    pub async fn resume(
        self,
        user: &str,
        password: &str,
        from: &ResumePoint,
    ) -> Result<(Client, Events), ClientError> {
        let login = self.log_in(user, password, Begin::Resume(from)).await?;
        Ok(start(login, None))
    }

    /// Logs in and returns the connection as bare bytes, for proxies and load generators: the
    /// frames behind the login are not looked at.
    ///
    /// # Errors
    /// See [`Handshake::login`].
    pub async fn login_raw(self, user: &str, password: &str) -> Result<RawSession, ClientError> {
        let login = self.log_in(user, password, Begin::Now).await?;
        Ok(RawSession::new(login))
    }
}

fn start(login: LoggedInConnection, relogin: Option<Relogin>) -> (Client, Events) {
    let (session, reader) = Session::start(login);
    let who = Arc::clone(session.who());
    let (sender, incoming) = mpsc::channel(QUEUE);
    let slot = Arc::new(Slot::new(session));
    let task = Task::new(&slot, sender, relogin);
    tokio::spawn(task.run(reader, who));
    let client = Client::new(slot);
    let events = Events::new(incoming, client.clone());
    (client, events)
}
