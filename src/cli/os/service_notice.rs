//! Notices to the service manager, the same on each system.

use std::time::Duration;

/// A notice to the service manager.
#[derive(Debug, Clone)]
#[cfg_attr(windows, expect(dead_code, reason = "a service has no line of text"))]
pub(in crate::cli) enum ServiceNotice {
    /// The server serves: after its start, or after a reload.
    Ready,
    /// The server works: feeds the watchdog.
    Alive,
    /// A line for people about the state of the server.
    Status(String),
    /// A reload begins; [`ServiceNotice::Ready`] ends it.
    Reloading,
    /// A stop begins, whose first part takes so long at most.
    Stopping(Duration),
    /// The stop is at the part that is named, which takes so long at most.
    StillStopping(String, Duration),
    /// The process ends with this exit code, for this reason.
    Failed(u8, String),
}
