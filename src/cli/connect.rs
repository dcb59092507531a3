//! What every client's command shares: where, who, and the login.

use std::time::Duration;

use arauto::{Client, ClientError, Endpoint, Events, ResumePoint, Trust};

use super::exit::{Failure, sysexits};
use super::os;
use super::password::PasswordArgs;
use super::tls::TrustArgs;

/// How long a login may take, the wait for a busy server included.
const PATIENCE: Duration = Duration::from_secs(60);

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

    /// The user to log in as; a new name registers [default: the OS user's name].
    #[arg(long, value_name = "NAME", env = "ARAUTO_USER")]
    user: Option<String>,

    #[command(flatten)]
    password: PasswordArgs,

    #[command(flatten)]
    tls: TrustArgs,
}

/// Who logs in where: kept to log in again after a break.
pub(super) struct Account {
    endpoint: Endpoint,
    trust: Trust,
    user: String,
    password: String,
}

impl ConnectArgs {
    pub(super) fn endpoint_text(&self) -> &str {
        &self.connect
    }

    /// Whom to take for the server.
    pub(super) fn trust(&self) -> Result<Trust, Failure> {
        self.tls.trust()
    }

    /// Asks for what is missing.
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
        })
    }
}

/// A client takes the server's own spelling, options and all.
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
        .ok_or_else(|| Failure::new(sysexits::USAGE, "the OS user has no name: give --user NAME"))
}

impl Account {
    /// Whether nobody can be reached there any more.
    pub(super) async fn is_gone(&self) -> bool {
        let visitor = Client::connect_with(&self.endpoint, &self.trust).await;
        visitor.is_err()
    }

    /// Connects and logs in; `from` resumes.
    pub(super) async fn log_in(
        &self,
        from: Option<&ResumePoint>,
    ) -> Result<(Client, Events), Failure> {
        let entered = tokio::time::timeout(PATIENCE, self.enter(from)).await;
        let entered = entered.map_err(|_| {
            let message = format!("{} did not answer in {PATIENCE:?}", self.endpoint);
            Failure::new(sysexits::TEMPFAIL, message)
        })?;
        Ok(entered?)
    }

    async fn enter(&self, from: Option<&ResumePoint>) -> Result<(Client, Events), ClientError> {
        let visitor = Client::connect_with(&self.endpoint, &self.trust).await?;
        match from {
            None => visitor.login(&self.user, &self.password).await,
            Some(from) => visitor.resume(&self.user, &self.password, from).await,
        }
    }
}

/// For what only asks: the broadcasts are not read.
pub(super) async fn log_in_to_ask(args: &ConnectArgs) -> Result<Client, Failure> {
    let (client, events) = args.account()?.log_in(None).await?;
    drop(events);
    Ok(client)
}
