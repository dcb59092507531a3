//! The hub: assigns each broadcast its seq and tracks who is present.
//!
//! It does no work per session. Publishes that arrive together are appended together and become
//! visible with one wake-up per thread; with a journal, once they are on disk ([`commit_queue`]). An
//! uncontended publish on the hub's own thread needs no message to the hub ([`direct`]). Messages
//! that their producers have numbered are judged here ([`producers`]): nothing else knows which of
//! them are in the stream.

mod actor;
mod address;
mod bodies;
mod commit_queue;
mod deadline_timer;
mod direct;
mod messages;
mod not_published;
mod numbered;
mod presence;
mod producers;
mod state;

pub use self::actor::Hub;
pub use self::address::HubAddress;
pub use self::bodies::Bodies;
pub use self::messages::{
    Forget, Join, Joined, Leave, Publish, PublishNumbered, Seal, Stop, Verdicts, Who,
};
pub use self::not_published::NotPublished;
pub use self::numbered::{NumberedBodies, Verdict};
pub use self::presence::PresenceLimits;
pub use self::state::{Clock, HubSetup};

#[cfg(test)]
mod tests;
