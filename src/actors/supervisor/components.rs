//! The parts of a server beside its sessions, as the supervisor sees them.

use std::time::Instant;

use futures_util::future::LocalBoxFuture;

use crate::close::stop::StoreClosed;
use crate::close::{ActorLine, PhaseLine, RecentCalls, Report, Trouble};
use crate::log::Log;
use crate::wire::Seq;

/// The parts of a server that the supervisor stops and does not know.
///
/// The futures may be dropped before they are done, except where noted.
pub trait Components {
    /// The broadcasts.
    fn log(&self) -> &Log;

    /// Notes that the stop began at `now`.
    fn begin_stop(&self, now: Instant);

    /// Accepts no more connections and refuses unfinished logins. Resolves when every
    /// accepted session has sent [`Opened`](super::Opened). Runs to its end in any case.
    fn seal_listeners(&self) -> LocalBoxFuture<'static, ()>;

    /// Resolves when no accepted request is in work.
    fn requests_idle(&self) -> LocalBoxFuture<'static, ()>;

    /// Seals the log. Resolves to its final head, or `None` if the hub is gone.
    fn seal_log(&self) -> LocalBoxFuture<'static, Option<Seq>>;

    /// Stops the hub, then auth. Resolves when both have confirmed, or are gone.
    fn stop_actors(&self) -> LocalBoxFuture<'static, ()>;

    /// Sets until when the store waits for other processes.
    fn limit_store(&self, deadline: Instant);

    /// Closes the store and ends every thread.
    fn close_store(&self) -> LocalBoxFuture<'static, StoreClosed>;

    /// Returns the trouble of each part that [`Components::close_store`] still waits for.
    fn unclosed(&self) -> Vec<Trouble>;

    /// Returns when each actor was sealed and has stopped.
    fn actor_lines(&self) -> Vec<ActorLine>;

    /// Returns the newest calls to services, for the report of a stop that began at this moment.
    fn recent_calls(&self, began: Instant) -> RecentCalls;

    /// Takes note of a phase that is over.
    fn phase_over(&self, line: &PhaseLine);

    /// Takes the report: the server has stopped.
    fn stopped(&self, report: Report);
}
