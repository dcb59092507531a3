//! The hub: assigns each broadcast its seq and tracks who is present.
//!
//! It does no work per session. Publishes that arrive together are appended together and become
//! visible with one wake-up per thread; with a journal, once they are on disk ([`commit_queue`]). An
//! uncontended publish on the hub's own thread needs no message to the hub ([`direct`]).

mod actor;
mod address;
mod bodies;
mod commit_queue;
mod deadline_timer;
mod direct;
mod messages;
mod not_published;
mod presence;
mod state;

pub use self::actor::Hub;
pub use self::address::HubAddress;
pub use self::bodies::Bodies;
pub use self::messages::{Join, Joined, Leave, Publish, Seal, Stop, Who};
pub use self::not_published::NotPublished;
pub use self::presence::PresenceLimits;
pub use self::state::{Clock, HubSetup};

#[cfg(test)]
mod tests;
