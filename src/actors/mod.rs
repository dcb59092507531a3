//! The actors and the messages between them.
//!
//! ```text
//! acceptor --hands over--> session --asks--> auth
//!                             |  \---asks--> hub (appends to the log)
//!                             \------asks--> supervisor
//! supervisor --orders--> sessions
//! ```
//!
//! Only the session imports other actors. A message type lives in the file of the
//! actor that handles it; what the supervisor sends to actors that it does not
//! know is [`supervisor::Order`].

pub mod acceptor;
pub mod admission;
pub mod auth;
pub mod draining;
pub mod handler;
pub mod hub;
pub(crate) use crate::link;
pub mod log_limit;
pub mod permits;
pub mod ping;
pub mod sentinel;
pub mod session;
mod spare;
pub mod supervisor;
pub mod turn;
pub mod unauthenticated;
