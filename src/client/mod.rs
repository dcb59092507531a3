//! The client: connect, log in, ask, publish, hear. No actors.
//!
//! [`Client::connect`] gives a [`Visitor`], its login a [`Client`] for asking and
//! an [`Events`] for hearing. Who moves frames on without looking into each takes
//! a [`RawSession`] instead. [`RawPipe`] is for listeners of the raw dialect, which
//! know neither logins nor frames.
//!
#![cfg_attr(feature = "server", doc = "```")]
#![cfg_attr(not(feature = "server"), doc = "```ignore")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use arauto::{Body, Client, Config, Incoming, Server, StopReason};
//!
//! # let folder = tempfile::tempdir()?;
//! # let endpoint = format!("unix:{}", folder.path().join("a.sock").display());
//! let mut config = Config::default();
//! config.listen = vec![endpoint.parse()?];
//! let server = Server::start(config)?;
//!
//! # let runtime = tokio::runtime::Runtime::new()?;
//! # runtime.block_on(async {
//! let visitor = Client::connect(&endpoint.parse()?).await?;
//! let (client, mut events) = visitor.login("ana", "segredo").await?;
//! assert_eq!(client.request("straße").await?, Body::text("STRASSE"));
//!
//! let seq = client.publish("bom dia").await?;
//! let Some(Incoming::Event(event)) = events.next().await else {
//!     panic!("one hears oneself");
//! };
//! assert_eq!(event.seq(), seq);
//!
//! client.fim().await?;
//! server.stop(StopReason::Fim).await;
//! # Ok::<_, Box<dyn std::error::Error>>(()) })?;
//! # Ok(()) }
//! ```

mod backoff;
mod error;
mod handshake;
mod heartbeat;
mod pipe;
mod raw;
mod retry;
mod session;
mod stream;

pub use backoff::Backoff;
pub use error::{ClientError, End};
pub use handshake::{LoggedInAs, ResumePoint, ServerTerms, Visitor};
pub use pipe::RawPipe;
pub use raw::RawSession;
pub use retry::RetryClass;
pub use session::{Client, Events, Incoming, PendingReply, StoppingNotice};
