//! An endpoint to listen on, with its options.

mod error;
mod options;

use std::str::FromStr;

pub use self::error::{ListenError, OptionError};
pub use self::options::HandlerOption;
use self::options::Options;
use crate::framing::Framing;
use crate::topic::Pattern;
use crate::transport::{Access, ClientCert, Endpoint, Remote};
use crate::wire::Dialect;
use crate::wire::raw::{Direction, Terminator};

/// An endpoint to listen on, with its options.
///
/// ```
/// let listen: arauto::Listen = "unix:/run/x.sock?dialect=text&max=10".parse()?;
/// assert_eq!(listen.max, Some(10));
/// # Ok::<_, arauto::ListenError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// How frames become bytes there.
    pub dialect: Dialect,
    /// The most sessions at once there; `None`: only the server's own limit holds.
    pub max: Option<usize>,
    /// The patterns of the topics whose messages a raw `outbound` endpoint sends, each once and in
    /// order; `None`: all messages.
    pub filter: Option<Vec<Pattern<'static>>>,
    /// Whether an unknown name registers there; the raw dialect has no names.
    pub registration: bool,
    /// Answers requests there; `None`: [`Config::handler`](super::Config::handler) does.
    pub handler: Option<HandlerOption>,
    /// The users of this machine that may connect.
    pub access: Access,
    /// Whether other hosts may connect to a windows pipe.
    pub remote: Remote,
    /// Whether clients must show a certificate, on a `tls:` endpoint of a server that
    /// asks for one; `None`: they may.
    pub client_cert: Option<ClientCert>,
}

impl Listen {
    /// Returns an endpoint with every option at its default.
    pub fn new(endpoint: Endpoint) -> Listen {
        Listen {
            registration: !matches!(endpoint, Endpoint::Tls { .. }),
            endpoint,
            dialect: Dialect::Cbor,
            max: None,
            filter: None,
            handler: None,
            access: Access::Owner,
            remote: Remote::Reject,
            client_cert: None,
        }
    }

    fn with_options(endpoint: Endpoint, options: Options) -> Result<Listen, OptionError> {
        let mut listen = Listen::new(endpoint);
        listen.dialect = options.dialect.dialect()?;
        if options.remote.is_some() && !listen.endpoint.may_have_remote_clients() {
            return Err(OptionError::RemoteWithoutPipe);
        }
        if let Some(registration) = options.dialect.registration {
            listen.registration = registration;
        }
        listen.max = options.max;
        listen.filter = options.filter;
        listen.handler = options.handler;
        listen.access = options.access.unwrap_or(listen.access);
        listen.remote = options.remote.unwrap_or(listen.remote);
        listen.client_cert = options.client_cert;
        listen.check()?;
        Ok(listen)
    }

    pub(super) fn is_tls(&self) -> bool {
        matches!(self.endpoint, Endpoint::Tls { .. })
    }

    /// Returns the framing that it asks of a windows pipe: the raw dialect has no other
    /// bounds there than those of messages.
    pub(super) fn pipe(&self) -> Framing {
        match self.dialect {
            Dialect::Cbor | Dialect::Text(_) => Framing::Stream,
            Dialect::Raw(_) => Framing::Messages,
        }
    }

    /// Checks that the options go together.
    pub(super) fn check(&self) -> Result<(), OptionError> {
        // The kind of a socket that is passed is not known before it is: then this check is made again.
        let is_known = !matches!(self.endpoint, Endpoint::Systemd(_));
        let is_stream = is_known && self.endpoint.framing(self.pipe()) == Framing::Stream;
        match self.dialect.raw() {
            Some(raw) if raw.terminator == Terminator::Nul && is_stream => {
                Err(OptionError::NulOfLines)
            }
            Some(raw) if raw.direction == Direction::Outbound && self.handler.is_some() => {
                Err(OptionError::HandlerOfOutbound)
            }
            raw if self.filter.is_some()
                && raw.is_none_or(|raw| raw.direction != Direction::Outbound) =>
            {
                Err(OptionError::FilterWithoutOutbound)
            }
            _ if self.remote == Remote::Accept && !self.endpoint.may_have_remote_clients() => {
                Err(OptionError::RemoteWithoutPipe)
            }
            _ if self.client_cert.is_some() && !self.is_tls() => {
                Err(OptionError::ClientCertWithoutTls)
            }
            Some(_) if self.is_tls() && self.client_cert != Some(ClientCert::Required) => {
                Err(OptionError::RawTlsOpenToAll)
            }
            _ => Ok(()),
        }
    }
}

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (endpoint, options) = text.split_once('?').unwrap_or((text, ""));
        let endpoint = endpoint.parse::<Endpoint>()?;
        let options = Options::parse(options);
        let listen = options.and_then(|options| Listen::with_options(endpoint, options));
        listen.map_err(|problem| ListenError::Option {
            endpoint: text.to_owned(),
            problem,
        })
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
    use crate::wire::{Charset, RawDialect};

    fn listen(text: &str) -> Listen {
        text.parse().expect("the options are all known")
    }

    #[test]
    fn listen_options_are_parsed() {
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
    fn raw_listener_accepts_its_own_options() {
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
    fn outbound_listener_has_each_pattern_of_its_filters_once() {
        let raw = "unix:/x?dialect=raw&direction=outbound";
        let listen = listen(&format!(
            "{raw}&filter=b/%2C/%2525,a/%26/#&filter=b/+&filter=b/+"
        ));
        let filter = listen.filter.unwrap_or_default();
        let texts: Vec<_> = filter.iter().map(Pattern::as_str).collect();
        assert_eq!(texts, ["a/&/#", "b/+", "b/,/%25"]);
        for (filter, problem) in [
            (
                "a,b/#/c",
                "the pattern \"b/#/c\" of filter is wrong: level 2 is \"#\"",
            ),
            ("a,,b", "the pattern \"\" of filter is wrong: it is empty"),
            ("%ff", "not utf-8"),
        ] {
            let text = format!("{raw}&filter={filter}");
            let error = text.parse::<Listen>().expect_err(&text).to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn tls_listener_registers_only_if_it_says_so() {
        assert!(!listen("tls:0.0.0.0:7443").registration);
        assert!(listen("tls:0.0.0.0:7443?registration=open").registration);
        let asking = listen("tls:h:1?dialect=raw&client-cert=required");
        assert_eq!(asking.client_cert, Some(ClientCert::Required));
    }

    #[test]
    fn unknown_listen_option_is_named() {
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
    fn conflicting_listen_options_are_named() {
        for (text, what) in [
            ("unix:/x?direction=outbound", "direction"),
            ("unix:/x?dialect=text&terminator=nul", "terminator"),
            ("unix:/x?dialect=raw&terminator=nul", "terminator"),
            ("unix:/x?dialect=raw&registration=closed", "registration"),
            (
                "unix:/x?dialect=raw&direction=outbound&handler=echo",
                "handler",
            ),
            ("unix:/x?filter=a", "filter"),
            ("unix:/x?dialect=text&filter=a", "filter"),
            ("unix:/x?dialect=raw&filter=a", "filter"),
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
