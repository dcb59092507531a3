//! The time that a shutdown has left, which a second signal cuts short.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::{timeout, timeout_at};

use super::Status;
use crate::close::{Deadlines, Phase, StopReason};

/// A deadline that passed so long ago has passed while this process did not run. Input from
/// that time is still in the sockets: the sessions have this long to read it.
const SUSPENDED: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(250);

pub(super) struct StopClock {
    deadlines: RefCell<Deadlines>,
    phase: Cell<Phase>,
    total: Duration,
    forced: Cell<bool>,
    fallen: Cell<Option<&'static str>>,
    hurried: Notify,
    /// Bounds how long the store waits for other processes.
    limit: RefCell<Option<StoreLimit>>,
}

type StoreLimit = Box<dyn Fn(Instant)>;

/// The time that the store keeps for its own work after waiting for others: a quarter of its
/// time, and at most this.
const CLOSING: Duration = Duration::from_millis(250);

impl StopClock {
    pub(super) fn new(total: Duration) -> Self {
        StopClock {
            deadlines: RefCell::new(Deadlines::new(Instant::now(), total)),
            phase: Cell::new(Phase::Trigger),
            total,
            forced: Cell::new(false),
            fallen: Cell::new(None),
            hurried: Notify::new(),
            limit: RefCell::new(None),
        }
    }

    pub(super) fn start(&self, now: Instant) {
        *self.deadlines.borrow_mut() = Deadlines::new(now, self.total);
    }

    /// Has the store told how long it may wait, now and whenever that changes.
    pub(super) fn limit(&self, limit: StoreLimit) {
        *self.limit.borrow_mut() = Some(limit);
        self.limit_store();
    }

    /// The store waits for other processes so long that its phase can end in time.
    fn limit_store(&self) {
        let now = Instant::now();
        let end = self.deadlines.borrow().of(Phase::Store, now);
        let left = end.saturating_duration_since(now);
        if let Some(limit) = &*self.limit.borrow() {
            limit(end - CLOSING.min(left / 4));
        }
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        if phase == Phase::Store {
            self.limit_store();
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase.get()
    }

    pub(super) fn hurry(&self, left: Duration) {
        self.forced.set(true);
        self.deadlines.borrow_mut().hurry(Instant::now(), left);
        self.hurried.notify_waiters();
        self.limit_store();
    }

    pub(super) fn is_forced(&self) -> bool {
        self.forced.get()
    }

    pub(super) fn note_panic(&self, what: &'static str) {
        self.fallen.set(Some(what));
    }

    pub(super) fn fallen(&self) -> Option<&'static str> {
        self.fallen.get()
    }

    pub(super) fn total(&self) -> Duration {
        self.total
    }

    pub(super) fn status(&self, reason: StopReason) -> Status {
        Status {
            reason,
            phase: self.phase.get(),
            remaining: self.deadlines.borrow().remaining(Instant::now()),
        }
    }

    /// Runs `work` until the phase's deadline, which may come closer meanwhile.
    /// `None`: it was not done by then.
    pub(super) async fn within<T>(
        &self,
        phase: Phase,
        began: Instant,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let mut work = std::pin::pin!(work);
        loop {
            let hurried = self.hurried.notified();
            let deadline = self.deadlines.borrow().of(phase, began);
            tokio::select! {
                biased;
                done = timeout_at(deadline.into(), &mut work) => {
                    let late = Instant::now().saturating_duration_since(deadline);
                    return match done {
                        Err(_) if late > SUSPENDED => timeout(LOOK, work).await.ok(),
                        done => done.ok(),
                    };
                }
                () = hurried => {}
            }
        }
    }
}
