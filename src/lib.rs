//! A message server for the programs of one host, and its client.
//!
//! Clients connect over named pipes, unix sockets, loopback TCP or TLS and log in; the first
//! login of a name registers it. They send requests, which a [`Handler`] answers, and publish
//! messages, which every session receives in one numbered sequence without a hole. A server
//! that is told to stop loses nothing that it has accepted, and proves it in a [`Report`].
//!
#![cfg_attr(all(feature = "client", feature = "server"), doc = "```")]
#![cfg_attr(not(all(feature = "client", feature = "server")), doc = "```ignore")]
//! use arauto::{Body, Client, Config, Event, Incoming, Server};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let endpoint = format!("unix:{}", folder.path().join("s").display());
//! # #[cfg(windows)]
//! # let endpoint = format!("pipe:arauto-front-page-{}", std::process::id());
//! let mut config = Config::default();
//! config.listen = vec![endpoint.parse()?]; // as in unix:/run/arauto.sock
//! let server = Server::start(config)?; // on a thread of its own
//!
//! let builder = Client::builder(endpoint.parse()?);
//! let (client, mut events) = builder.user("ana").password("segredo").connect().await?;
//! assert_eq!(client.request("straße").await?, Body::text("STRASSE"));
//!
//! let published = client.publish("bom dia").await?;
//! match events.next().await {
//!     Some(Incoming::Event(Event::Message { seq, body, .. })) => {
//!         assert_eq!((seq, body), (published, Body::text("bom dia")));
//!     }
//!     other => panic!("a session receives its own messages: {other:?}"),
//! }
//!
//! server.stop().await;
//! assert_eq!(server.stopped().await.exit, 0); // everything accepted was delivered
//! # Ok(()) }
//! ```
//!
//! # Where to begin
//! - [`Server::start`] runs a server on a thread of its own, [`Server::bind`] on the actix system
//!   of its caller. [`Config`] sets what it does, and a [`Handler`] of yours answers requests.
//! - [`Client::builder`] connects a client; with [`ClientBuilder::reconnect`] it logs in again
//!   after a break and resumes. [`Client::producer`] publishes each message exactly once.
//!   [`Client::ask`] sends requests to a service, and [`Client::offer`] answers them.
//! - [`wire`] has the frames themselves, for programs that read and write them without a client.
//! - The features `client` and `server` bring either half without the other, and `cli` the
//!   program `arauto`; docs/library.md has their costs.
//!
//! # A map of the crate
//! | module | what it holds |
//! |---|---|
//! | [`wire`] | frames and their bytes, in each dialect |
//! | `topic` | topics, the patterns that match them, and an operator's rules |
//! | `accounts` | users, passwords, roles |
//! | `store` | one SQLite file, and the one thread that writes it |
//! | `log` | the broadcasts, once each, and the cursors that read them |
//! | `close` | the phases of a stop, counts, evidence, [`Report`] |
//! | `counters` | counts for monitoring |
//! | `audit` | events for an audit log |
//! | `sync` | atomics and locks, or a model checker's in their place |
//! | `rate` | rate limits (token buckets) |
//! | `deadline` | deadlines for a peer's input, judged after the input is read |
//! | `framing` | whether a connection keeps the boundaries of messages |
//! | `link` | what sessions need of a connection, and acceptors of a listener |
//! | `transport` | endpoints, listeners, connections: everything that knows the system |
//! | `actors` | acceptor, session, auth, hub, supervisor |
//! | `server` | binds all of these together |
//! | `client` | the client, without actors |
//!
//! From `main` to the sessions' core it is two hops: `cli::serve` calls [`Server::bind`], which
//! starts the actors. docs/architecture.md has the picture, and docs/shutdown.md the contract of
//! the stop.

#![cfg_attr(
    not(all(feature = "client", feature = "server")),
    allow(
        rustdoc::broken_intra_doc_links,
        reason = "items of the other half are linked"
    )
)]

#[cfg(feature = "server")]
mod accounts;
#[cfg(feature = "server")]
mod actors;
#[cfg(feature = "server")]
mod audit;
#[cfg(feature = "server")]
pub mod backup {
    //! Copies of a data folder's database: made while a server runs, put back while none does.
    pub use crate::store::{Copied, CopiedStream, CopyError, back_up, restore};
}
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "server")]
mod close;
#[cfg(feature = "server")]
mod counters;
#[cfg_attr(
    not(any(feature = "client", feature = "server")),
    allow(dead_code, reason = "transport uses a part of it")
)]
mod deadline;
mod framing;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(all(test, shuttle))]
mod interleavings;
#[cfg(feature = "server")]
pub mod limits {
    //! The limits of a server by their names, for programs that offer them as flags or settings.
    pub use crate::server::{Applies, Limit, Unit, Value};
}
#[cfg_attr(
    not(all(feature = "client", feature = "server")),
    allow(dead_code, unused_imports, reason = "each side uses its half of it")
)]
mod link;
#[cfg(feature = "server")]
mod log;
mod parse_error;
#[cfg(any(feature = "client", feature = "server"))]
#[cfg_attr(
    not(feature = "server"),
    allow(dead_code, reason = "clients only read rates")
)]
mod rate;
#[cfg(all(any(feature = "client", feature = "server"), any(test, fuzzing)))]
mod saved_time;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "server")]
mod services;
#[cfg(feature = "server")]
mod store;
#[cfg(feature = "server")]
mod sync;
mod topic;
#[cfg_attr(
    not(all(feature = "client", feature = "server")),
    allow(dead_code, unused_imports, reason = "each side uses its half of it")
)]
mod transport;
pub mod wire;

#[cfg(feature = "server")]
#[doc(hidden)]
pub mod internal;

#[cfg(feature = "server")]
pub use accounts::{HashCost, NameError, UserName};
#[cfg(feature = "server")]
pub use actors::handler::{Answer, Echo, Fixed, Handler, HandlerError, Outcome, Request, Upper};
#[cfg(feature = "server")]
pub use actors::hub::Clock;
#[cfg(feature = "server")]
pub use actors::session::SlowPolicy;
#[cfg(feature = "server")]
pub use actors::supervisor::PhaseObserver;
#[cfg(feature = "server")]
pub use audit::{AccountChange, Audit, AuditEvent};
#[cfg(feature = "client")]
pub use client::{
    Ask, Backoff, Break, Call, CallError, CallReply, Client, ClientBuilder, ClientError,
    CurrentFilter, End, Events, FilterChange, Handshake, Incoming, LoggedInAs, OfferBuilder,
    PendingReply, Producer, PublishedOnce, RawPipe, RawSession, Reconnect, Responder, ResumePoint,
    RetryClass, ServerTerms, ServiceReply, StoppingNotice,
};
#[cfg(feature = "server")]
pub use close::{
    ActorLine, ActorName, CallEnd, CallParty, Component, Evidence, ExitCode, Fate, KnownCall,
    KnownRoute, Micros, NotForIt, Observation, PhaseLine, RecentCalls, RecentRoutes, RecordedCall,
    Report, RoutedBroadcast, SessionCalls, SessionFilter, SessionOutcome, SessionRecord,
    SubscribeRules, Times, Trouble, Undecided,
};
#[cfg(feature = "server")]
pub use counters::{Counts, DurationCounts};
#[cfg(feature = "server")]
pub use log::{BackpressureLimits, LogLimits, Retention};
pub use parse_error::ParseError;
#[cfg(any(feature = "client", feature = "server"))]
pub use rate::Rate;
#[cfg(feature = "server")]
pub use server::{
    Config, ConfigError, Feed, HandlerOption, Limits, Listen, ListenError, OptionError, PartState,
    ProbeOutcome, ProbedPart, PublishError, ReconfigureError, Server, ServerBuilder, ServerError,
    ServerHandle, ServerPart, ServiceFigures, SessionCounts, Statistics, StopStatus, Storage,
    Timeouts,
};
#[cfg(feature = "server")]
pub use store::{FolderError, StoreError};
pub use topic::{LONGEST_TOPIC, Pattern, Topic, TopicError, Wildcard};
#[cfg(feature = "server")]
pub use transport::{
    Access, BindError, CertificateInfo, ClientCert, PassedSocket, PeerTimeouts, Remote, TlsConfig,
};
#[cfg(feature = "client")]
pub use transport::{ConnectFault, Trust, UnknownServerUser, UnsafeFolder, UntrustedServer};
pub use transport::{
    Endpoint, EndpointError, Fingerprint, FingerprintError, LocalUser, Peer, TlsError,
};
pub use wire::{
    Body, CloseReason, ErrorCode, Event, Gap, Headers, KeptValue, Millis, Named, NewMessage,
    Passed, Phase, Role, Seq, SessionId, StopReason, Term,
};
