//! Reloads of the settings, one after the other, on a thread that nothing waits for.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::background::BackgroundTasks;
use super::notices::NoticeSender;
use crate::admin::Reloaded;
use crate::cli::exit::{Failure, sysexits};
use crate::cli::os::ServiceNotice;

/// The outcome of a reload that has succeeded.
pub(in crate::cli) struct ReloadOutcome {
    /// The settings that have changed.
    pub(in crate::cli) reloaded: Reloaded,
    /// The time that a stop may take from now on.
    pub(in crate::cli) stop_limit: Duration,
}

/// Reads the settings again, and applies all of them or none. It may block.
pub(in crate::cli) type ReloadWork = Arc<dyn Fn() -> Result<ReloadOutcome, Failure> + Send + Sync>;

/// Where the outcome of one reload goes.
pub(super) type ReloadReply = oneshot::Sender<Result<Reloaded, Failure>>;

/// The time that a stop may take. Clones share it.
#[derive(Clone)]
pub(super) struct Budget(Arc<Mutex<Duration>>);

impl Budget {
    /// Returns this budget.
    pub(super) fn new(budget: Duration) -> Budget {
        Budget(Arc::new(Mutex::new(budget)))
    }

    /// Changes it.
    pub(super) fn set(&self, budget: Duration) {
        *self.0.lock() = budget;
    }

    /// Returns it as it is now.
    pub(super) fn get(&self) -> Duration {
        *self.0.lock()
    }
}

/// Runs reloads.
pub(super) struct Reloads {
    tasks: BackgroundTasks,
    budget: Budget,
    /// `None`: this server has no settings to reload, or does not serve yet.
    work: Option<ReloadWork>,
    /// A reload was asked for before the server served.
    is_due: bool,
}

impl Reloads {
    /// Starts the thread.
    pub(super) fn begin(budget: Budget) -> Reloads {
        Reloads {
            tasks: BackgroundTasks::begin("arauto-reload"),
            budget,
            work: None,
            is_due: false,
        }
    }

    /// Sets what a reload does.
    pub(super) fn set_work(&mut self, work: ReloadWork) {
        self.work = Some(work);
    }

    /// Whether a reload was asked for before the server served; the question is then answered.
    pub(super) fn take_due(&mut self) -> bool {
        std::mem::take(&mut self.is_due)
    }

    /// Runs a reload behind those that were asked for before; before the server serves, once it
    /// does. A reply that is dropped says that too many wait.
    pub(super) fn run(&mut self, notices: NoticeSender, reply: Option<ReloadReply>) {
        let Some(work) = self.work.clone() else {
            self.is_due = true;
            return;
        };
        let budget = self.budget.clone();
        self.tasks.run(move || {
            notices.send(ServiceNotice::Reloading);
            let outcome = work();
            notices.send(ServiceNotice::Ready);
            let outcome = outcome.map(|outcome| {
                budget.set(outcome.stop_limit);
                outcome.reloaded
            });
            conclude(outcome, reply);
        });
    }

    /// Refuses a reload, as the server stops.
    pub(super) fn refuse(&self, reply: Option<ReloadReply>) {
        let failure = Failure::new(sysexits::TEMPFAIL, "the server is stopping");
        conclude(Err(failure), reply);
    }
}

fn conclude(outcome: Result<Reloaded, Failure>, reply: Option<ReloadReply>) {
    if let Err(failure) = &outcome {
        let error = failure.message();
        tracing::error!(error, "settings not reloaded; the old ones stay in effect");
    }
    if let Some(reply) = reply {
        let _ = reply.send(outcome); // the operator may have gone
    }
}
