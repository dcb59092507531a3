//! The client: connects, logs in, sends requests and messages, receives broadcasts. No actors.
//!
//! [`Client::builder`] makes a [`Client`], which sends, and its [`Events`], which receive; with
//! [`ClientBuilder::reconnect`] they outlive a break of the connection. [`Client::connect`] does
//! the same in two steps, by a [`Handshake`]. A [`Producer`] publishes each message exactly once. [`Client::ask`]
//! asks a service that other clients answer, and [`Client::offer`] answers one. A [`RawSession`] is for
//! programs that move frames on without looking into each. [`RawPipe`] is for listeners of the raw dialect, which
//! know neither logins nor frames.
//!
//! Inside, a [`Client`] and its [`Events`] share a slot (`slot.rs`) that holds the current
//! session (`session.rs`); one task (`reconnect.rs`) reads that session and replaces it, and
//! another writes (`writer.rs`). The calls of services that the client offers are the session's
//! (`calls/`), and each is answered by a task of its own.
//!
#![cfg_attr(feature = "server", doc = "```")]
#![cfg_attr(not(feature = "server"), doc = "```ignore")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use arauto::{Body, Client, Config, Incoming, Server};
//!
//! # let folder = tempfile::tempdir()?;
//! # let endpoint = format!("unix:{}", folder.path().join("a.sock").display());
//! let mut config = Config::default();
//! config.listen = vec![endpoint.parse()?];
//! let server = Server::start(config)?;
//!
//! # let runtime = tokio::runtime::Runtime::new()?;
//! # runtime.block_on(async {
//! let handshake = Client::connect(&endpoint.parse()?).await?;
//! let (client, mut events) = handshake.login("ana", "segredo").await?;
//! assert_eq!(client.request("straße").await?, Body::text("STRASSE"));
//!
//! let seq = client.publish("bom dia").await?;
//! let Some(Incoming::Event(event)) = events.next().await else {
//!     panic!("a client receives its own messages");
//! };
//! assert_eq!(event.seq(), seq);
//!
//! client.fim().await?;
//! server.stop().await;
//! # Ok::<_, Box<dyn std::error::Error>>(()) })?;
//! # Ok(()) }
//! ```

mod ask;
mod backoff;
mod builder;
mod calls;
mod cursors;
mod error;
mod events;
mod filter;
mod handle;
mod handshake;
mod heartbeat;
mod incoming;
mod login;
mod offer;
mod pending_reply;
mod pipe;
mod producer;
mod raw;
mod reader;
mod reconnect;
mod repeat;
mod retry;
mod services;
mod session;
mod shared;
mod slot;
mod stream;
mod topics;
mod writer;

pub use ask::{Ask, ServiceReply};
pub use backoff::Backoff;
pub use builder::ClientBuilder;
pub use error::{Break, ClientError, End};
pub use events::Events;
pub use filter::{CurrentFilter, FilterChange};
pub use handle::Client;
pub use handshake::Handshake;
pub use incoming::{Incoming, StoppingNotice};
pub use login::{LoggedInAs, ResumePoint, ServerTerms};
pub use offer::{Call, CallError, CallReply, OfferBuilder, Responder};
pub use pending_reply::PendingReply;
pub use pipe::RawPipe;
pub use producer::{Producer, PublishedOnce};
pub use raw::RawSession;
pub use reconnect::Reconnect;
pub use retry::RetryClass;
