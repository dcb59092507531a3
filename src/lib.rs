//! A message server for programs on one host, and its client.
//!
//! Clients connect over named pipes, unix sockets, loopback TCP or TLS, log in (the first login of a
//! name registers it), ask and are answered, publish and hear every broadcast in
//! one numbered sequence without a hole. Inside, each connection is an actor; a
//! supervisor takes them all down in order, losing nothing that was accepted, and
//! says so in a [`Report`].
//!
//! # Use it
//! - [`Server::start`] or [`Server::bind`] with a [`Config`] run a server inside
//!   your program; write a [`Handler`] to answer requests.
//! - [`Client::connect`] is the other side.
//!
//! # Find your way
//! From `main` to the core it is two hops: `cli::serve` calls [`Server::bind`],
//! which starts the actors.
//!
//! | room | what it holds |
//! |---|---|
//! | [`wire`] | frames and their bytes, in each dialect |
//! | `accounts` | who may log in |
//! | `store` | what outlives the process: one SQLite file, one thread that writes |
//! | `log` | the broadcasts, once each, and the cursors that read them |
//! | `close` | what a shutdown promises: phases, counts, evidence, [`Report`] |
//! | `sync` | what threads share: atomics and locks, or a scheduler's in their place |
//! | `rate` | so many in a time: token buckets |
//! | `deadline` | what a peer must send in time: judged after the input is read |
//! | `framing` | streams and messages, as rooms tell each other of them |
//! | `link` | what sessions need of a connection, and acceptors of a listener |
//! | `transport` | endpoints, listeners, connections: all that knows the system |
//! | `actors` | acceptor, session, auth, hub, supervisor |
//! | `server` | binds all of these together |
//! | `client` | the other side, without actors |
//!
//! docs/architecture.md has the picture, docs/shutdown.md what stopping takes, docs/library.md
//! the cargo features.

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
pub mod backup {
    //! Copies of a data folder's database: made while a server runs, put back while none does.
    pub use crate::store::{Copied, CopiedStream, CopyError, back_up, restore};
}
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "server")]
mod close;
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
    pub use crate::server::{Limit, Unit, Value};
}
#[cfg_attr(
    not(all(feature = "client", feature = "server")),
    allow(dead_code, unused_imports, reason = "each side uses its half of it")
)]
mod link;
#[cfg(feature = "server")]
mod log;
#[cfg(feature = "server")]
mod rate;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "server")]
mod store;
#[cfg(feature = "server")]
mod sync;
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
#[cfg(feature = "client")]
pub use client::{
    Backoff, Break, Client, ClientBuilder, ClientError, End, EndReason, Events, Handshake,
    Incoming, LoggedInAs, PendingReply, RawPipe, RawSession, Reconnect, ResumePoint, RetryClass,
    ServerTerms, StoppingNotice,
};
#[cfg(feature = "server")]
pub use close::{
    ActorLine, CloseReason, Evidence, ExitCode, Fate, Micros, Phase, PhaseLine, Report,
    SessionOutcome, SessionRecord, StopReason, Times,
};
#[cfg(feature = "server")]
pub use log::{BackpressureLimits, LogLimits, Retention};
#[cfg(feature = "server")]
pub use rate::Rate;
#[cfg(feature = "server")]
pub use server::{
    Config, ConfigError, Feed, HandlerOption, Limits, Listen, ListenError, OptionError,
    PublishError, Server, ServerBuilder, ServerError, ServerHandle, StopStatus, Storage, Timeouts,
};
#[cfg(feature = "server")]
pub use store::{FolderError, StoreError};
#[cfg(feature = "server")]
pub use transport::{Access, BindError, ClientCert, PeerTimeouts, Remote, TlsConfig};
#[cfg(feature = "client")]
pub use transport::{ConnectFault, Trust, UnknownServerUser, UnsafeFolder, UntrustedServer};
pub use transport::{
    Endpoint, EndpointError, Fingerprint, FingerprintError, LocalUser, Peer, TlsError,
};
pub use wire::{Body, ErrorCode, Event, Gap, Millis, Role, Seq, SessionId, Term};
