//! The options behind an endpoint's `?`, one by one.

use std::sync::Arc;

use percent_encoding::percent_decode_str;

use super::error::OptionError;
use crate::actors::handler::{Echo, Fixed, Handler, Upper};
use crate::topic::Pattern;
use crate::transport::{Access, ClientCert, Remote};
use crate::wire::raw::{Direction, Terminator};
use crate::wire::{Charset, Dialect, RawDialect};

/// The options of an endpoint; `None`: the option is not given.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) dialect: DialectOptions,
    pub(super) max: Option<usize>,
    pub(super) filter: Option<Vec<Pattern<'static>>>,
    pub(super) handler: Option<HandlerOption>,
    pub(super) access: Option<Access>,
    pub(super) remote: Option<Remote>,
    pub(super) client_cert: Option<ClientCert>,
}

/// The options that make up a dialect. They come in any order.
#[derive(Debug, Default)]
pub(super) struct DialectOptions {
    kind: DialectKind,
    charset: Option<Charset>,
    direction: Option<Direction>,
    terminator: Option<Terminator>,
    /// Whether an unknown name registers. It is here as the raw dialect has no names.
    pub(super) registration: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
enum DialectKind {
    #[default]
    Cbor,
    Text,
    Raw,
}

/// A handler that an endpoint's options can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandlerOption {
    /// Answers in upper case.
    Upper,
    /// Answers with the request.
    Echo,
    /// Answers with this text.
    Fixed(String),
}

impl HandlerOption {
    pub(in crate::server) fn build(&self) -> Arc<dyn Handler> {
        match self {
            HandlerOption::Upper => Arc::new(Upper),
            HandlerOption::Echo => Arc::new(Echo),
            HandlerOption::Fixed(text) => Arc::new(Fixed(text.clone())),
        }
    }
}

impl Options {
    /// Reads `name=value` pairs with `&` between them.
    pub(super) fn parse(text: &str) -> Result<Options, OptionError> {
        let mut options = Options::default();
        for option in text.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            options.set(name, value)?;
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), OptionError> {
        let dialect = &mut self.dialect;
        match name {
            "dialect" => {
                let known = [
                    ("cbor", DialectKind::Cbor),
                    ("text", DialectKind::Text),
                    ("raw", DialectKind::Raw),
                ];
                dialect.kind = choose("dialect", value, &known)?;
            }
            "encoding" => dialect.charset = Some(value.parse()?),
            "direction" => {
                let known = [
                    ("duplex", Direction::Duplex),
                    ("outbound", Direction::Outbound),
                ];
                dialect.direction = Some(choose("direction", value, &known)?);
            }
            "terminator" => {
                let known = [("none", Terminator::None), ("nul", Terminator::Nul)];
                dialect.terminator = Some(choose("terminator", value, &known)?);
            }
            "registration" => {
                let known = [("open", true), ("closed", false)];
                dialect.registration = Some(choose("registration", value, &known)?);
            }
            "max" => {
                let max = value.parse().ok().filter(|max| *max > 0);
                let wrong = || not_one_of("max", value, "a number above 0");
                self.max = Some(max.ok_or_else(wrong)?);
            }
            "filter" => {
                let patterns = self.filter.get_or_insert_default();
                for text in value.split(',') {
                    patterns.push(pattern(text)?);
                }
                patterns.sort();
                patterns.dedup();
            }
            "handler" => self.handler = Some(handler(value)?),
            "access" => self.access = Some(value.parse()?),
            "remote" => self.remote = Some(value.parse()?),
            "client-cert" => self.client_cert = Some(value.parse()?),
            _ => return Err(OptionError::Unknown(name.to_owned())),
        }
        Ok(())
    }
}

impl DialectOptions {
    /// Returns the dialect, where its options go together.
    pub(super) fn dialect(&self) -> Result<Dialect, OptionError> {
        let charset = self.charset.unwrap_or_default();
        match self.kind {
            DialectKind::Cbor if self.charset.is_some_and(|charset| charset != Charset::Utf8) => {
                Err(OptionError::EncodingWithoutText)
            }
            DialectKind::Cbor | DialectKind::Text if self.direction.is_some() => {
                Err(OptionError::DirectionWithoutRaw)
            }
            DialectKind::Cbor | DialectKind::Text if self.terminator.is_some() => {
                Err(OptionError::TerminatorWithoutRaw)
            }
            DialectKind::Raw if self.registration.is_some() => Err(OptionError::RegistrationOfRaw),
            DialectKind::Cbor => Ok(Dialect::Cbor),
            DialectKind::Text => Ok(Dialect::Text(charset)),
            DialectKind::Raw => Ok(Dialect::Raw(RawDialect {
                charset,
                direction: self.direction.unwrap_or_default(),
                terminator: self.terminator.unwrap_or_default(),
            })),
        }
    }
}

fn choose<T: Copy>(
    option: &'static str,
    value: &str,
    known: &[(&str, T)],
) -> Result<T, OptionError> {
    let found = known.iter().find(|(name, _)| *name == value);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        let (last, others) = names.split_last().unwrap_or((&"", &[]));
        not_one_of(option, value, &format!("{} or {last}", others.join(", ")))
    })
}

fn not_one_of(option: &'static str, value: &str, expected: &str) -> OptionError {
    OptionError::Value {
        option,
        value: value.to_owned(),
        expected: expected.to_owned(),
    }
}

/// Reads a pattern in which `,`, `&` and `%` are percent-encoded.
fn pattern(text: &str) -> Result<Pattern<'static>, OptionError> {
    let text = percent_decode_str(text).decode_utf8();
    let text = text.map_err(|_| OptionError::FilterNotUtf8)?.into_owned();
    Pattern::new(text.clone()).map_err(|problem| OptionError::Filter {
        pattern: text,
        problem,
    })
}

fn handler(value: &str) -> Result<HandlerOption, OptionError> {
    match value.split_once(':') {
        None if value == "upper" => Ok(HandlerOption::Upper),
        None if value == "echo" => Ok(HandlerOption::Echo),
        Some(("fixed", text)) => {
            let text = percent_decode_str(text).decode_utf8();
            let text = text.map_err(|_| OptionError::FixedNotUtf8)?;
            Ok(HandlerOption::Fixed(text.into_owned()))
        }
        _ => Err(not_one_of("handler", value, "upper, echo or fixed:TEXT")),
    }
}
