//! Errors of endpoints with options.

use crate::parse_error::ParseError;
use crate::topic::TopicError;
use crate::transport::EndpointError;

/// An endpoint with options that cannot be listened on as it is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The endpoint itself is not one.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// An option is unknown, has a wrong value, or does not go with the others.
    #[error("endpoint {endpoint:?}: {problem}")]
    Option {
        /// The endpoint with its options, as it was written.
        endpoint: String,
        /// The problem.
        problem: OptionError,
    },
}

/// A problem with the options of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionError {
    /// There is no such option.
    #[error(
        "unknown option {0:?}: the options are dialect, encoding, direction, terminator, max, registration, \
         filter, handler, access, remote and client-cert"
    )]
    Unknown(String),
    /// An option does not have such a value.
    #[error("invalid {option} {value:?}: it must be {expected}")]
    Value {
        /// The option's name.
        option: &'static str,
        /// The value that was given.
        value: String,
        /// The values that it may have.
        expected: String,
    },
    /// A value that the option's own type refuses.
    #[error(transparent)]
    Refused(#[from] ParseError),
    /// The text of `handler=fixed:TEXT` is not UTF-8 once it is decoded.
    #[error("the text of handler=fixed: is not utf-8")]
    FixedNotUtf8,
    /// A pattern of `filter` is not UTF-8 once it is decoded.
    #[error("a pattern of filter is not utf-8")]
    FilterNotUtf8,
    /// A pattern of `filter` is none.
    #[error("the pattern {pattern:?} of filter is wrong: {problem}")]
    Filter {
        /// The pattern, with its percent-encoding decoded.
        pattern: String,
        /// The problem, and its place in the pattern.
        problem: TopicError,
    },
    /// `filter` where clients do not only listen.
    #[error(
        "filter applies only to the raw dialect with direction=outbound; other clients choose \
         their own filter"
    )]
    FilterWithoutOutbound,
    /// `encoding` on an endpoint of the cbor dialect, which is always UTF-8.
    #[error(
        "encoding applies only to the text and the raw dialect: add dialect=text or dialect=raw"
    )]
    EncodingWithoutText,
    /// `direction` on an endpoint of another dialect.
    #[error("direction applies only to the raw dialect: add dialect=raw")]
    DirectionWithoutRaw,
    /// `terminator` on an endpoint of another dialect.
    #[error("terminator applies only to the raw dialect: add dialect=raw")]
    TerminatorWithoutRaw,
    /// `registration` on an endpoint of the raw dialect.
    #[error("registration does not apply to the raw dialect, which has no login")]
    RegistrationOfRaw,
    /// `terminator=nul` where lines are carried.
    #[error("terminator=nul applies only to messages, but this endpoint carries lines")]
    NulOfLines,
    /// `handler` where clients only listen.
    #[error("handler does not apply to direction=outbound, where clients send no requests")]
    HandlerOfOutbound,
    /// `remote` on another endpoint than a windows pipe.
    #[error("remote applies only to windows pipes")]
    RemoteWithoutPipe,
    /// `client-cert` on another endpoint than a `tls:` one.
    #[error("client-cert applies only to tls endpoints")]
    ClientCertWithoutTls,
    /// The raw dialect on a `tls:` endpoint that is open to every host.
    #[error("the raw dialect has no login: on a tls endpoint add client-cert=required")]
    RawTlsOpenToAll,
    /// A `tls:` endpoint without a certificate.
    #[error("it needs a certificate and its key: see `arauto tls init`")]
    NoCertificate,
    /// `client-cert` without an authority that signs clients' certificates.
    #[error(
        "client-cert needs an authority that signs clients' certificates: give --tls-client-ca"
    )]
    NoClientAuthority,
}
