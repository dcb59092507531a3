//! The hub: assigns each broadcast its seq and tracks who is present.
//!
//! It does no work per session. Publishes that arrive together are appended together and become
//! visible with one wake-up per thread; with a journal, once they are on disk ([`commit_queue`]). An
//! uncontended publish on the hub's own thread needs no message to the hub ([`direct`]). Messages
//! that their producers have numbered, and those with a value to keep, are judged here ([`judged`],
//! [`producers`]): nothing else knows which numbers are in the stream, and how much is kept. Read
//! positions that the server remembers for its clients are here too ([`cursors`]): they are stored
//! with the batches of broadcasts.

mod actor;
mod address;
mod commit_queue;
mod contents;
mod cursors;
mod deadline_timer;
mod direct;
mod judged;
mod messages;
mod not_published;
mod presence;
mod producers;
mod state;

pub use self::actor::Hub;
pub use self::address::HubAddress;
pub use self::contents::Contents;
pub use self::cursors::{
    CheckCursor, CursorInfo, CursorLease, CursorRefusal, ListCursors, OpenCursor, OpenedCursor,
    RemoveCursor,
};
pub use self::judged::{JudgedContents, Verdict};
pub use self::messages::{
    Forget, HubLimits, Join, Joined, Leave, Publish, PublishJudged, Seal, SetLimits, Stop,
    Verdicts, Who,
};
pub use self::not_published::NotPublished;
pub use self::presence::PresenceLimits;
pub use self::producers::Producers;
pub use self::state::{Clock, HubSetup};

#[cfg(all(test, shuttle))]
mod interleavings;
#[cfg(test)]
mod tests;
