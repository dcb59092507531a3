//! An endpoint to listen on, with its options.

use std::str::FromStr;
use std::sync::Arc;

use percent_encoding::percent_decode_str;

use crate::actors::handler::{Echo, Fixed, Handler, Upper};
use crate::framing::Framing;
use crate::transport::{Access, ClientCert, Endpoint, Remote};
use crate::wire::raw::{Direction, Terminator};
use crate::wire::{Charset, Dialect, RawDialect};

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
    /// Whether an unknown name registers there; in the raw dialect nobody has one.
    pub registration: bool,
    /// What answers requests there; `None` is [`Config::handler`](super::Config::handler).
    pub handler: Option<HandlerOption>,
    /// Who of this machine may connect.
    pub access: Access,
    /// Who of other hosts may, to a windows pipe.
    pub remote: Remote,
    /// Whether clients must show a certificate, on a `tls:` endpoint of a server that
    /// asks for one; `None`: they may.
    pub client_cert: Option<ClientCert>,
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
            registration: !matches!(endpoint, Endpoint::Tls { .. }),
            endpoint,
            dialect: Dialect::Cbor,
            max: None,
            handler: None,
            access: Access::Owner,
            remote: Remote::Reject,
            client_cert: None,
        }
    }

    pub(super) fn is_tls(&self) -> bool {
        matches!(self.endpoint, Endpoint::Tls { .. })
    }

    /// The framing that it asks of a windows pipe: the raw dialect has no other bounds
    /// there than those of messages.
    pub(super) fn pipe(&self) -> Framing {
        match self.dialect {
            Dialect::Cbor | Dialect::Text(_) => Framing::Stream,
            Dialect::Raw(_) => Framing::Messages,
        }
    }

    /// What does not go together, in words.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let framing = self.endpoint.framing(self.pipe());
        match self.dialect.raw() {
            Some(raw) if raw.terminator == Terminator::Nul && framing == Framing::Stream => {
                Err("terminator=nul is for messages, and this endpoint carries lines")
            }
            Some(raw) if raw.direction == Direction::Outbound && self.handler.is_some() => {
                Err("handler is for direction=duplex: nobody asks anything of outbound")
            }
            _ if self.remote == Remote::Accept && !self.endpoint.may_have_remote_clients() => {
                Err("remote is for windows pipes")
            }
            _ if self.client_cert.is_some() && !self.is_tls() => {
                Err("client-cert is for tls endpoints")
            }
            // Nobody logs in there: it would be open to every host.
            Some(_) if self.is_tls() && self.client_cert != Some(ClientCert::Required) => {
                Err("the raw dialect knows no login: on tls it needs client-cert=required")
            }
            _ => Ok(()),
        }
    }
}

/// The options of a dialect, which are known before the dialect is.
#[derive(Debug, Default)]
struct Spoken {
    name: Name,
    charset: Option<Charset>,
    direction: Option<Direction>,
    terminator: Option<Terminator>,
    registration: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
enum Name {
    #[default]
    Cbor,
    Text,
    Raw,
}

impl Spoken {
    fn dialect(&self) -> Result<Dialect, &'static str> {
        let charset = self.charset.unwrap_or_default();
        match self.name {
            Name::Cbor if self.charset.is_some_and(|charset| charset != Charset::Utf8) => {
                Err("encoding is for the text and the raw dialect: add dialect=text or dialect=raw")
            }
            Name::Cbor | Name::Text if self.direction.is_some() => {
                Err("direction is for the raw dialect: add dialect=raw")
            }
            Name::Cbor | Name::Text if self.terminator.is_some() => {
                Err("terminator is for the raw dialect: add dialect=raw")
            }
            Name::Raw if self.registration.is_some() => {
                Err("registration is not for the raw dialect: nobody logs in there")
            }
            Name::Cbor => Ok(Dialect::Cbor),
            Name::Text => Ok(Dialect::Text(charset)),
            Name::Raw => Ok(Dialect::Raw(RawDialect {
                charset,
                direction: self.direction.unwrap_or_default(),
                terminator: self.terminator.unwrap_or_default(),
            })),
        }
    }
}

fn set(listen: &mut Listen, spoken: &mut Spoken, name: &str, value: &str) -> Result<(), String> {
    match name {
        "dialect" => {
            let names = [
                ("cbor", Name::Cbor),
                ("text", Name::Text),
                ("raw", Name::Raw),
            ];
            spoken.name = choose("dialect", value, &names)?;
        }
        "encoding" => spoken.charset = Some(value.parse()?),
        "direction" => {
            let names = [
                ("duplex", Direction::Duplex),
                ("outbound", Direction::Outbound),
            ];
            spoken.direction = Some(choose("direction", value, &names)?);
        }
        "terminator" => {
            let names = [("none", Terminator::None), ("nul", Terminator::Nul)];
            spoken.terminator = Some(choose("terminator", value, &names)?);
        }
        "max" => {
            let max = value.parse().ok().filter(|max| *max > 0);
            listen.max = Some(max.ok_or_else(|| choice("max", value, "a number above 0"))?);
        }
        "registration" => {
            let open = choose("registration", value, &[("open", true), ("closed", false)])?;
            spoken.registration = Some(open);
            listen.registration = open;
        }
        "handler" => listen.handler = Some(handler(value)?),
        "access" => listen.access = value.parse()?,
        "remote" if listen.endpoint.may_have_remote_clients() => listen.remote = value.parse()?,
        "client-cert" => listen.client_cert = Some(value.parse()?),
        "remote" => return Err("option \"remote\" is for windows pipes".to_owned()),
        _ => {
            let known = "dialect, encoding, direction, terminator, max, registration, handler, \
                         access, remote or client-cert";
            return Err(choice("option", name, known));
        }
    }
    Ok(())
}

fn choose<T: Copy>(what: &str, got: &str, known: &[(&str, T)]) -> Result<T, String> {
    let found = known.iter().find(|(name, _)| *name == got);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        let (last, others) = names.split_last().unwrap_or((&"", &[]));
        choice(what, got, &format!("{} or {last}", others.join(", ")))
    })
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
        let wrong = |problem: &str| ConfigError(format!("endpoint {text:?}: {problem}"));
        let mut spoken = Spoken::default();
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            set(&mut listen, &mut spoken, name, value).map_err(|problem| wrong(&problem))?;
        }
        listen.dialect = spoken.dialect().map_err(wrong)?;
        listen.check().map_err(wrong)?;
        Ok(listen)
    }
}

impl From<Endpoint> for Listen {
    fn from(endpoint: Endpoint) -> Self {
        Listen::new(endpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(text: &str) -> Listen {
        text.parse().expect("the options are all known")
    }

    #[test]
    fn options_are_read() {
        let listen = listen(
            "unix:/x?dialect=text&encoding=utf-16le&max=2&registration=closed\
             &handler=fixed:a%20b&access=group:adm",
        );
        assert_eq!(listen.dialect, Dialect::Text(Charset::Utf16Le));
        assert_eq!((listen.max, listen.registration), (Some(2), false));
        assert_eq!(listen.handler, Some(HandlerOption::Fixed("a b".to_owned())));
        assert_eq!(listen.access, Access::Group("adm".to_owned()));
    }

    #[test]
    fn a_raw_listener_has_options_of_its_own() {
        let raw = |text| listen(text).dialect.raw().expect("it is raw");
        assert_eq!(raw("unix:/x?dialect=raw"), RawDialect::default());
        let outbound = raw("pipe:x?dialect=raw&direction=outbound&encoding=windows-1252");
        assert_eq!(outbound.direction, Direction::Outbound);
        assert_eq!(outbound.charset, Charset::Windows1252);
        // The order of the options says nothing.
        let nul = raw("seqpacket:/x?terminator=nul&direction=duplex&dialect=raw");
        assert_eq!(nul.terminator, Terminator::Nul);
        assert_eq!(nul.direction, Direction::Duplex);
    }

    #[test]
    fn nobody_registers_on_tls_unless_it_says_so() {
        assert!(!listen("tls:0.0.0.0:7443").registration);
        assert!(listen("tls:0.0.0.0:7443?registration=open").registration);
        let asking = listen("tls:h:1?dialect=raw&client-cert=required");
        assert_eq!(asking.client_cert, Some(ClientCert::Required));
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
            "nothing",
        ] {
            let error = text.parse::<Listen>().expect_err(text).to_string();
            assert!(error.contains(text), "{error}");
        }
    }

    #[test]
    fn options_that_do_not_go_together_are_named() {
        for (text, what) in [
            ("unix:/x?direction=outbound", "direction"),
            ("unix:/x?dialect=text&terminator=nul", "terminator"),
            ("unix:/x?dialect=raw&terminator=nul", "terminator"),
            ("unix:/x?dialect=raw&registration=closed", "registration"),
            (
                "unix:/x?dialect=raw&direction=outbound&handler=echo",
                "handler",
            ),
            ("unix:/x?remote=accept", "remote"),
            ("tcp:127.0.0.1:0?remote=reject", "remote"),
            ("tcp:127.0.0.1:0?client-cert=required", "client-cert"),
            ("tls:127.0.0.1:0?dialect=raw", "client-cert"),
        ] {
            let error = text.parse::<Listen>().expect_err(text).to_string();
            assert!(error.contains(text), "{error}");
            assert!(
                error.contains(&format!("{what} ")) || error.contains(what),
                "{error}"
            );
        }
    }
}
