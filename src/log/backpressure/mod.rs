//! Back-pressure: publishers wait for readers that keep up and fall behind for a moment.
//!
//! Without back-pressure, a publisher that outruns the machine pushes every reader off the log's
//! tail, healthy ones too. With back-pressure on lag alone, one stalled reader stops all
//! publishers. So a reader that lags by more than the window holds publishers only if it has
//! read at the live edge before, and only within its user's budget if it is slower than the
//! least rate. `lag_table` has the rules, docs/limits.md what a publisher can rely on.
//!
//! A reader reports its position when its socket is full and when it has read everything, so
//! there is no work per message.

#[cfg(any(test, fuzzing))]
mod saved;

mod budget;
mod lag_table;
mod limits;

use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use self::lag_table::{LagTable, Report};
pub use self::limits::BackpressureLimits;
#[cfg(any(test, fuzzing))]
pub use self::saved::SavedProgress;
use super::waiters::{Key, Waiters};
use crate::sync::Mutex;

/// The shortest and the longest interval at which a waiting publisher asks again.
const SOONEST: Duration = Duration::from_millis(5);
const LATEST: Duration = Duration::from_millis(125);

/// Decides whether publishers wait for lagging readers.
#[derive(Debug)]
pub struct Backpressure {
    patience: Duration,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    lag_table: LagTable,
    publishers: Waiters,
}

impl State {
    /// Wakes the waiting publishers, which ask again.
    fn wake_publishers(&mut self, now: Instant) {
        if !self.publishers.is_empty() {
            self.lag_table.settle(now);
            self.publishers.take().for_each(Waker::wake);
        }
    }
}

/// A reader's progress, as publishers see it. Dropping it releases them.
#[derive(Debug)]
pub struct TrackedReader {
    /// Whether it has read everything at some time since its start, or since it fell behind.
    is_live: bool,
    /// When its full socket last took more.
    moved_at: Option<Instant>,
    /// Bytes that it had taken when its socket was last full.
    taken: u64,
    /// Its index among the lagging readers.
    index: Option<usize>,
    state: Arc<Mutex<State>>,
}

impl TrackedReader {
    /// Notes that this user's reader lags: it is at `position` of the `written` bytes of the log,
    /// and has taken `taken` bytes so far (which a gap does not count towards). A reader without a
    /// login is named by its peer; `None` is a part of the server.
    pub fn note(&mut self, user: Option<&Arc<str>>, position: u64, taken: u64, written: u64) {
        let now = Instant::now();
        if self.index.is_some() && taken > self.taken {
            self.moved_at = Some(now);
        }
        self.taken = taken;
        let report = Report {
            user: user.cloned(),
            position,
            taken,
            moved_at: self.moved_at,
            is_live: self.is_live,
        };
        let mut state = self.state.lock();
        match self.index {
            None => self.index = Some(state.lag_table.enter(report, written)),
            Some(index) => {
                if state.lag_table.update(index, &report, written, now) {
                    state.wake_publishers(now);
                }
            }
        }
    }

    /// Notes that the reader has read everything; `taken` as above. A reader that has
    /// taken nothing has read nothing.
    pub fn note_caught_up(&mut self, taken: u64) {
        self.is_live |= taken > 0;
        self.leave();
    }

    /// Notes that the reader has fallen off the log, or ends: it holds no publisher before it
    /// has caught up.
    pub fn stop_holding(&mut self) {
        self.is_live = false;
        self.leave();
    }

    fn leave(&mut self) {
        if let Some(index) = self.index.take() {
            let now = Instant::now();
            let mut state = self.state.lock();
            if state.lag_table.leave(index, now) {
                state.wake_publishers(now);
            }
        }
    }
}

impl Drop for TrackedReader {
    fn drop(&mut self) {
        self.leave();
    }
}

/// A publisher's registration among those that wait for readers. Dropping it removes the
/// publisher. It takes one word while the publisher does not wait.
#[derive(Debug, Default)]
pub struct PublishWait(Option<Box<WaitingPublisher>>);

#[derive(Debug)]
struct WaitingPublisher {
    key: Option<Key>,
    state: Arc<Mutex<State>>,
}

impl Drop for PublishWait {
    fn drop(&mut self) {
        let Some(waiting) = self.0.take() else {
            return;
        };
        let mut state = waiting.state.lock();
        state.publishers.deregister(waiting.key);
        if state.publishers.is_empty() {
            state.lag_table.settle(Instant::now());
        }
    }
}

/// Bytes that were admitted and are not visible in the log yet. Dropping it ends that.
#[derive(Debug)]
pub struct InFlightBytes {
    bytes: u64,
    state: Arc<Mutex<State>>,
}

impl Drop for InFlightBytes {
    fn drop(&mut self) {
        let mut state = self.state.lock();
        state.lag_table.arrived(self.bytes);
        state.wake_publishers(Instant::now());
    }
}

impl Backpressure {
    pub(super) fn new(limits: BackpressureLimits) -> Self {
        Backpressure {
            patience: limits.patience,
            state: Arc::new(Mutex::new(State {
                lag_table: LagTable::new(limits, Instant::now()),
                publishers: Waiters::default(),
            })),
        }
    }

    /// Creates the progress of a reader.
    pub fn reader(&self) -> TrackedReader {
        TrackedReader {
            is_live: false,
            moved_at: None,
            taken: 0,
            index: None,
            state: Arc::clone(&self.state),
        }
    }

    /// Counts admitted bytes until they are in the log: many publishers that are admitted at
    /// once could fill it otherwise.
    pub fn count_in_flight(&self, bytes: usize) -> InFlightBytes {
        let bytes = bytes as u64;
        self.state.lock().lag_table.send(bytes);
        InFlightBytes {
            bytes,
            state: Arc::clone(&self.state),
        }
    }

    /// Whether a publisher may go on, with the log's end at `written`.
    ///
    /// If it may not, `waker` is woken when a reader has moved. A stalled reader wakes nothing,
    /// so ask again after [`Backpressure::retry_interval`] at the latest.
    pub fn may_publish(&self, written: u64, wait: &mut PublishWait, waker: &Waker) -> bool {
        let mut state = self.state.lock();
        let now = Instant::now();
        if !state.lag_table.may_publish(written, now) {
            let waiting = wait.0.get_or_insert_with(|| {
                Box::new(WaitingPublisher {
                    key: None,
                    state: Arc::clone(&self.state),
                })
            });
            state.publishers.register(&mut waiting.key, waker);
            return false;
        }
        if let Some(waiting) = wait.0.take() {
            state.publishers.deregister(waiting.key);
        }
        state.wake_publishers(now); // the others may go on too
        true
    }

    /// Returns how soon a waiting publisher must ask again, as a stalled reader wakes nothing.
    pub fn retry_interval(&self) -> Duration {
        (self.patience / 2).clamp(SOONEST, LATEST)
    }

    /// Returns the count of waiting publishers.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.state.lock().publishers.len()
    }
}
