//! The state of the server in one line, for the service manager.

use std::time::Duration;

use arauto::{Report, ServerHandle};
use tokio::time::{MissedTickBehavior, interval};

use crate::cli::os::{self, ServiceNotice};
use crate::cli::stopping::{ProgressReporter, SignalReceiver};

/// How often the line may change. Finding it out asks the supervisor for a number, and no session
/// for anything.
const INTERVAL: Duration = Duration::from_secs(5);

/// How long a service manager may delay the exit.
const NOTIFYING: Duration = Duration::from_millis(300);

/// Reports the number of sessions and the newest seq, now and whenever they have changed, until the
/// process ends.
pub(super) async fn report_status(
    server: ServerHandle,
    progress: ProgressReporter<Option<Report>>,
) {
    let mut times = interval(INTERVAL);
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut reported = None;
    loop {
        times.tick().await;
        let state = (server.count_sessions().await, server.head());
        if reported.replace(state) != Some(state) {
            let (sessions, head) = state;
            progress.status(format!("serving; sessions: {sessions}, head: {head}"));
        }
    }
}

/// Notifies the service manager that the process ends with this exit code.
pub(super) fn notify_failed(receiver: &mut SignalReceiver, code: u8, message: &str) {
    if !os::has_service_manager() {
        return;
    }
    let notice = ServiceNotice::Failed(code, message.to_owned());
    // Without an answer in time the exit code is all that it gets to know.
    let _ = receiver.finish(NOTIFYING, move || os::notify(&notice));
}
