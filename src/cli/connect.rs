//! Connects and logs in, for every client's command.

use std::time::Duration;

use arauto::{
    Backoff, Client, ClientError, Endpoint, Events, Reconnect, ResumePoint, RetryClass, Trust,
};

use super::exit::{Failure, sysexits};
use super::network::on_network;
use super::os;
use super::password::PasswordArgs;
use super::tls::TrustArgs;

/// The time limit of a login, including retries while the server is busy.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

#[derive(clap::Args)]
pub(super) struct ConnectArgs {
    /// The server's endpoint: pipe:NAME, unix:PATH, unix:@NAME, seqpacket:PATH,
    /// tcp:HOST:PORT or tls:HOST:PORT.
    #[arg(
        long,
        value_name = "ENDPOINT",
        env = "ARAUTO_ENDPOINT",
        default_value = "pipe:arauto"
    )]
    connect: String,

    /// The user to log in as; a new name is registered [default: the OS user's name].
    #[arg(long, value_name = "NAME", env = "ARAUTO_USER")]
    user: Option<String>,

    #[command(flatten)]
    password: PasswordArgs,

    #[command(flatten)]
    tls: TrustArgs,

    /// End the session if the server sends nothing for this long.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = server_timeout)]
    server_timeout: Duration,
}

/// Everything that a login needs.
#[derive(Clone)]
pub(super) struct Account {
    endpoint: Endpoint,
    trust: Trust,
    user: String,
    password: String,
    server_timeout: Duration,
    reconnect: Option<Reconnect>,
    /// Sessions begin behind the last ack of this cursor.
    cursor: Option<String>,
    wanted: Wanted,
}

/// The messages that a login asks for.
#[derive(Clone, Default)]
pub(super) struct Wanted {
    /// The patterns of the topics; `None` for every message.
    pub(super) filter: Option<Vec<String>>,
    /// Whether the kept values come first.
    pub(super) kept: bool,
    /// Whether no `joined` and `left` may come.
    pub(super) is_without_presence: bool,
}

/// A login that failed.
pub(super) struct NotLoggedIn {
    pub(super) failure: Failure,
    pub(super) class: RetryClass,
    /// The wait that the server asks for before the next attempt.
    pub(super) retry_after: Option<Duration>,
    /// Whether a server answered and refused the login; otherwise no server was reached.
    pub(super) was_answered: bool,
}

impl ConnectArgs {
    pub(super) fn endpoint_text(&self) -> &str {
        &self.connect
    }

    /// Returns the servers to trust.
    pub(super) fn trust(&self) -> Result<Trust, Failure> {
        self.tls.trust()
    }

    /// Collects everything that a login needs, and prompts for a missing password.
    pub(super) fn account(&self) -> Result<Account, Failure> {
        let endpoint = endpoint(&self.connect)?;
        let trust = self.trust()?;
        let user = match &self.user {
            Some(user) => user.clone(),
            None => os_user()?,
        };
        let prompt = format!("password of {user} (a new name registers with it): ");
        let password = self.password.password(&prompt)?;
        Ok(Account {
            endpoint,
            trust,
            user,
            password,
            server_timeout: self.server_timeout,
            reconnect: None,
            wanted: Wanted::default(),
            cursor: None,
        })
    }
}

/// Parses an endpoint. The options of `arauto serve --listen` are accepted and ignored, except for
/// those of another dialect.
pub(super) fn endpoint(text: &str) -> Result<Endpoint, Failure> {
    let (endpoint, options) = text.split_once('?').unwrap_or((text, ""));
    let other = options.split('&').find_map(|option| match option {
        "dialect=text" => Some("for a text endpoint use socat or nc, as in examples/text.sh"),
        "dialect=raw" => Some("for a raw endpoint use leitor, escritor or pedir with --raw"),
        _ => None,
    });
    if let Some(way_out) = other {
        let message = format!("{text}: this client speaks cbor; {way_out}");
        return Err(Failure::new(sysexits::USAGE, message));
    }
    endpoint
        .parse()
        .map_err(|error: arauto::EndpointError| Failure::new(sysexits::USAGE, error.to_string()))
}

fn os_user() -> Result<String, Failure> {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|variable| std::env::var(variable).ok().filter(|name| !name.is_empty()))
        .or_else(os::user_name)
        .ok_or_else(|| Failure::new(sysexits::USAGE, "the OS user has no name; give --user NAME"))
}

impl Account {
    /// Makes sessions reconnect after a break.
    pub(super) fn reconnecting(mut self) -> Account {
        self.reconnect = Some(Reconnect::new().attempt_timeout(PATIENCE));
        self
    }

    /// Sets the messages that logins ask for.
    pub(super) fn wanting(mut self, wanted: Wanted) -> Account {
        self.wanted = wanted;
        self
    }

    /// Begins behind the last ack under this name, which the server remembers.
    pub(super) fn with_cursor(mut self, cursor: Option<String>) -> Account {
        self.cursor = cursor;
        self
    }

    /// Returns whether the server can no longer be reached.
    pub(super) async fn is_gone(&self) -> bool {
        let handshake = Client::connect_with(&self.endpoint, &self.trust).await;
        handshake.is_err()
    }

    /// Connects and logs in; `from` resumes.
    pub(super) async fn log_in(
        &self,
        from: Option<&ResumePoint>,
    ) -> Result<(Client, Events), Failure> {
        let attempt = self.attempt(from).await;
        attempt.map_err(|not_logged_in| not_logged_in.failure)
    }

    /// As [`Account::log_in`]; the error says what to do about the failure.
    pub(super) async fn attempt(
        &self,
        from: Option<&ResumePoint>,
    ) -> Result<(Client, Events), NotLoggedIn> {
        let (account, from) = (self.clone(), from.cloned());
        let entering =
            async move { tokio::time::timeout(PATIENCE, account.enter(from.as_ref())).await };
        match on_network(entering).await? {
            Ok(entered) => entered.map_err(NotLoggedIn::from),
            Err(_) => {
                let message = format!("{} did not answer in {PATIENCE:?}", self.endpoint);
                Err(NotLoggedIn {
                    failure: Failure::new(sysexits::TEMPFAIL, message),
                    class: RetryClass::RetryAfterLogin,
                    retry_after: None,
                    was_answered: false,
                })
            }
        }
    }

    /// Logs in; retries with waits while the server refuses for a reason that may pass.
    pub(super) async fn log_in_patiently(&self) -> Result<(Client, Events), Failure> {
        let mut backoff = Backoff::until(PATIENCE);
        loop {
            let refused = match self.attempt(None).await {
                Ok(session) => return Ok(session),
                Err(refused) if refused.was_answered && refused.class != RetryClass::Final => {
                    refused
                }
                Err(other) => return Err(other.failure),
            };
            match backoff.next_wait(refused.retry_after) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(refused.failure),
            }
        }
    }

    async fn enter(&self, from: Option<&ResumePoint>) -> Result<(Client, Events), ClientError> {
        let mut builder = Client::builder(self.endpoint.clone())
            .trust(self.trust.clone())
            .user(&self.user)
            .password(&self.password)
            .server_timeout(self.server_timeout);
        if let Some(cursor) = &self.cursor {
            builder = builder.cursor(cursor);
        } else if let Some(from) = from {
            builder = builder.resume(from.clone());
        }
        if let Some(filter) = &self.wanted.filter {
            builder = builder.filter(filter);
        }
        if self.wanted.kept {
            builder = builder.kept();
        }
        if self.wanted.is_without_presence {
            builder = builder.presence(false);
        }
        if let Some(policy) = &self.reconnect {
            builder = builder.reconnect(policy.clone());
        }
        builder.connect().await
    }
}

/// A failure of this process, not of the server.
impl From<Failure> for NotLoggedIn {
    fn from(failure: Failure) -> Self {
        NotLoggedIn {
            failure,
            class: RetryClass::Final,
            retry_after: None,
            was_answered: false,
        }
    }
}

impl From<ClientError> for NotLoggedIn {
    fn from(error: ClientError) -> Self {
        NotLoggedIn {
            class: error.retry_class(),
            retry_after: error.retry_after(),
            was_answered: matches!(error, ClientError::Refused { .. } | ClientError::Closed(_)),
            failure: error.into(),
        }
    }
}

fn server_timeout(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if (Duration::from_secs(1)..=Duration::from_secs(24 * 60 * 60)).contains(&time) {
        Ok(time)
    } else {
        Err("it must be between 1 s and a day".to_owned())
    }
}

/// Logs in, for a command that does not read broadcasts.
pub(super) async fn log_in_to_ask(args: &ConnectArgs) -> Result<Client, Failure> {
    let (client, events) = args.account()?.log_in(None).await?;
    drop(events);
    Ok(client)
}

/// As [`log_in_to_ask`], for a command that publishes: retries while the server refuses for a
/// reason that may pass.
pub(super) async fn log_in_to_publish(args: &ConnectArgs) -> Result<Client, Failure> {
    let (client, events) = args.account()?.log_in_patiently().await?;
    drop(events);
    Ok(client)
}
