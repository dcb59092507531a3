//! What a server is made with.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::accounts::HashCost;
use crate::actors::handler::{Echo, Fixed, Handler, Upper};
use crate::actors::hub::Clock;
use crate::actors::session::SlowPolicy;
use crate::actors::supervisor::PhaseObserver;
use crate::log::{LogLimits, PaceLimits, Retention};
use crate::transport::{Access, Endpoint};
use crate::wire::{Charset, Dialect, MAX_FRAME, Millis, Role};

/// An endpoint to listen on, with its options.
///
/// ```
/// let listen: arauto::Listen = "unix:/run/x.sock?dialect=text&max=10".parse()?;
/// assert_eq!(listen.max, Some(10));
/// # Ok::<_, arauto::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Where.
    pub endpoint: Endpoint,
    /// How frames become bytes there.
    pub dialect: Dialect,
    /// The most sessions at once there; `None` is the server's own limit.
    pub max: Option<usize>,
    /// Whether an unknown name registers there.
    pub registration: bool,
    /// What answers requests there; `None` is [`Config::handler`].
    pub handler: Option<HandlerOption>,
    /// Who of this machine may connect.
    pub access: Access,
}

/// A handler that an endpoint's options can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandlerOption {
    /// Upper case.
    Upper,
    /// The same back.
    Echo,
    /// Always this text.
    Fixed(String),
}

impl HandlerOption {
    pub(super) fn build(&self) -> Arc<dyn Handler> {
        match self {
            HandlerOption::Upper => Arc::new(Upper),
            HandlerOption::Echo => Arc::new(Echo),
            HandlerOption::Fixed(text) => Arc::new(Fixed(text.clone())),
        }
    }
}

/// What is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl Listen {
    /// An endpoint with every option at its default.
    pub fn new(endpoint: Endpoint) -> Listen {
        Listen {
            endpoint,
            dialect: Dialect::Cbor,
            max: None,
            registration: true,
            handler: None,
            access: Access::Owner,
        }
    }

    fn set(&mut self, name: &str, value: &str, charset: &mut Charset) -> Result<(), String> {
        match name {
            "dialect" => {
                self.dialect = match value {
                    "cbor" => Dialect::Cbor,
                    "text" => Dialect::Text(Charset::Utf8),
                    "raw" => return Err("the raw dialect is not served by this version".to_owned()),
                    _ => return Err(choice("dialect", value, "cbor or text")),
                }
            }
            "encoding" => {
                let known = Charset::ALL.iter().find(|known| known.as_str() == value);
                let names = "utf-8, utf-16le or windows-1252";
                *charset = *known.ok_or_else(|| choice("encoding", value, names))?;
            }
            "max" => {
                let max = value.parse().ok().filter(|max| *max > 0);
                self.max = Some(max.ok_or_else(|| choice("max", value, "a number above 0"))?);
            }
            "registration" => {
                self.registration = match value {
                    "open" => true,
                    "closed" => false,
                    _ => return Err(choice("registration", value, "open or closed")),
                }
            }
            "handler" => self.handler = Some(handler(value)?),
            "access" => self.access = value.parse()?,
            "direction" | "terminator" | "remote" => {
                let why = "it belongs to the raw dialect or to windows pipes";
                return Err(format!(
                    "option {name:?} is not served by this version: {why}"
                ));
            }
            _ => {
                let known = "dialect, encoding, max, registration, handler, access";
                return Err(choice("option", name, known));
            }
        }
        Ok(())
    }
}

fn choice(what: &str, got: &str, known: &str) -> String {
    format!("no {what} {got:?}: it is {known}")
}

fn handler(value: &str) -> Result<HandlerOption, String> {
    match value.split_once(':') {
        None if value == "upper" => Ok(HandlerOption::Upper),
        None if value == "echo" => Ok(HandlerOption::Echo),
        Some(("fixed", text)) => {
            let text = percent_decode_str(text).decode_utf8();
            let text = text.map_err(|_| "the text of handler=fixed: is not utf-8".to_owned())?;
            Ok(HandlerOption::Fixed(text.into_owned()))
        }
        _ => Err(choice("handler", value, "upper, echo or fixed:TEXT")),
    }
}

impl FromStr for Listen {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (endpoint, options) = text.split_once('?').unwrap_or((text, ""));
        let endpoint = endpoint.parse::<Endpoint>();
        let mut listen = Listen::new(endpoint.map_err(|error| ConfigError(error.to_string()))?);
        let mut charset = Charset::default();
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            listen
                .set(name, value, &mut charset)
                .map_err(|problem| ConfigError(format!("endpoint {text:?}: {problem}")))?;
        }
        match &mut listen.dialect {
            Dialect::Text(own) => *own = charset,
            Dialect::Cbor if charset != Charset::Utf8 => {
                let problem = "encoding is for the text dialect: add dialect=text";
                return Err(ConfigError(format!("endpoint {text:?}: {problem}")));
            }
            Dialect::Cbor => {}
        }
        Ok(listen)
    }
}

impl From<Endpoint> for Listen {
    fn from(endpoint: Endpoint) -> Self {
        Listen::new(endpoint)
    }
}

/// What a server is made with. [`Config::default`] is what `arauto serve` runs,
/// but for the data folder, which is the embedding program's to choose.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen.
    pub listen: Vec<Listen>,
    /// Where accounts, and the journal, are kept; `None`: accounts last as long as
    /// the server runs.
    pub data: Option<PathBuf>,
    /// Keep broadcasts on disk, and how much of them; `None`: in memory only. It
    /// needs [`Config::data`].
    pub journal: Option<Retention>,
    /// The most that stopping may take.
    pub drain_timeout: Duration,
    /// Threads that sessions are spread over.
    pub arbiters: usize,
    /// The most sessions at once.
    pub max_sessions: usize,
    /// The longest frame, in bytes without its prefix.
    pub max_frame: usize,
    /// From a connect to its login.
    pub login_timeout: Duration,
    /// Without a frame from a client; `None` is for ever.
    pub idle_timeout: Option<Duration>,
    /// What becomes of a reader that falls off the log's tail.
    pub slow: SlowPolicy,
    /// How much the log keeps, and how long publishers wait for readers.
    pub log: LogLimits,
    /// The role of those who register by themselves.
    pub default_role: Role,
    /// What one password hash costs.
    pub hash_cost: HashCost,
    /// Password hashes at once.
    pub hashing: usize,
    /// Logins that may wait for a hash.
    pub logins_waiting: usize,
    /// What answers requests, where the endpoint does not say.
    pub handler: Arc<dyn Handler>,
    /// Tells the time of a broadcast.
    pub clock: Clock,
    /// Hears of each phase of the stop when it is over; the first is `trigger`.
    pub on_phase: PhaseObserver,
}

impl Default for Config {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Config {
            listen: vec![Listen::new(Endpoint::Pipe("arauto".to_owned()))],
            data: None,
            journal: None,
            drain_timeout: Duration::from_secs(20),
            arbiters: 1,
            max_sessions: 20_000,
            max_frame: MAX_FRAME,
            login_timeout: Duration::from_secs(10),
            idle_timeout: None,
            slow: SlowPolicy::Gap,
            log: LogLimits {
                bytes: 64 << 20,
                pace: PaceLimits {
                    window: 8 << 20,
                    min_rate: 1 << 20,
                    patience: Duration::from_secs(1),
                },
            },
            default_role: Role::Escritor,
            hash_cost: HashCost::default(),
            hashing: (cores / 2).max(1),
            logins_waiting: 20_000,
            handler: Arc::new(Upper),
            clock: Arc::new(Millis::now),
            on_phase: Arc::new(|_| {}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read() {
        let text = "unix:/x?dialect=text&encoding=utf-16le&max=2&registration=closed\
                    &handler=fixed:a%20b&access=group:adm";
        let listen: Listen = text.parse().expect("they are all known");
        assert_eq!(listen.dialect, Dialect::Text(Charset::Utf16Le));
        assert_eq!((listen.max, listen.registration), (Some(2), false));
        assert_eq!(listen.handler, Some(HandlerOption::Fixed("a b".to_owned())));
        assert_eq!(listen.access, Access::Group("adm".to_owned()));
    }

    #[test]
    fn what_is_no_option_is_named() {
        for text in [
            "unix:/x?dialect=x",
            "unix:/x?max=0",
            "unix:/x?max=-1",
            "unix:/x?registration",
            "unix:/x?handler=fixed",
            "unix:/x?handler=fixed:%ff",
            "unix:/x?access=me",
            "unix:/x?encoding=latin1",
            "unix:/x?encoding=utf-16le",
            "unix:/x?zz=1",
            "unix:/x?direction=outbound",
            "unix:/x?dialect=raw",
            "nothing",
        ] {
            let error = text.parse::<Listen>().expect_err(text).to_string();
            assert!(error.contains(text), "{error}");
        }
    }
}
