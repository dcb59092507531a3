//! Feeds the service manager's watchdog while the server works.
//!
//! A watchdog that a timer feeds shows only that the timer runs. This one is fed after a round trip
//! through every part that sessions depend on, by the first thread, which none of them can block. If
//! a part stands still, the service manager gets no notice, and ends and restarts the process.

use std::collections::BTreeSet;
use std::time::Duration;

use arauto::{ProbeOutcome, ServerHandle};
use tokio::time::{MissedTickBehavior, interval};

use super::notices::NoticeSender;
use crate::cli::os::ServiceNotice;

/// How often the watchdog is fed within its time, so that one late answer does not end the server.
const FEEDS: u32 = 4;

/// Probes the server and feeds the watchdog, whose time is `limit`, until the process ends.
pub(super) async fn feed(server: ServerHandle, limit: Duration, notices: NoticeSender) {
    let step = limit / FEEDS;
    let mut times = interval(step);
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watch = Watch::default();
    loop {
        times.tick().await;
        if watch.note(&server.probe(step).await) {
            notices.send(ServiceNotice::Alive);
        }
    }
}

/// The parts that did not answer the last probe.
#[derive(Debug, Default)]
struct Watch {
    silent: BTreeSet<String>,
}

impl Watch {
    /// Takes the outcome of a probe, and logs what has changed. Returns whether all parts answer.
    fn note(&mut self, outcome: &ProbeOutcome) -> bool {
        let silent: BTreeSet<String> = outcome.silent().map(|part| part.to_string()).collect();
        for part in silent.difference(&self.silent) {
            tracing::error!(part, "part of the server does not answer; watchdog not fed");
        }
        for part in self.silent.difference(&silent) {
            tracing::warn!(part, "part of the server answers again");
        }
        self.silent = silent;
        self.silent.is_empty()
    }
}
