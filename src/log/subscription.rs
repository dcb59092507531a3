//! A reader of only the broadcasts that are for its session.

use std::sync::Arc;
use std::task::Waker;

use super::Log;
use super::parts::Parts;
use super::subscribers::{Frames, Next, Selection, Subscribers};
use crate::topic::{Pattern, SubscriberId};
use crate::wire::{Gap, Seq};

/// A reader of the broadcasts that are for a session with a filter: messages to its user, messages
/// whose topic its filter matches, and presence changes if it wants them. Messages without a topic
/// are not for it, so its filter must not have the pattern `#`.
///
/// It belongs to one thread's notifier, and is removed from it when it is dropped.
#[derive(Debug)]
pub struct Subscription {
    log: Arc<Log>,
    shard: usize,
    id: SubscriberId,
}

/// The next thing that a subscription reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selected {
    /// Nothing more up to this seq. The waker is woken once there is.
    Nothing {
        /// Everything up to here was read.
        until: Seq,
        /// Whether the session should be told so, because it has not been told anything for some
        /// time.
        is_passed_due: bool,
    },
    /// Whole frames with their seqs, in order.
    Frames(Frames),
    /// Some of these seqs were for the session, or may have been, and are no longer held.
    Gap(Gap),
}

impl Subscription {
    /// Creates a reader of what is behind `after`, for a thread with the number `shard`.
    ///
    /// # Panics
    /// If the log has no more than `shard` notifiers.
    pub fn new(log: &Arc<Log>, shard: usize, after: Seq, wanted: Selection<'_>) -> Subscription {
        let id = {
            let parts = log.read_parts();
            log.notifier(shard).add_subscriber(wanted, after, &parts)
        };
        let log = Arc::clone(log);
        Subscription { log, shard, id }
    }

    /// Returns the patterns of the filter.
    pub fn filter(&self) -> Vec<Pattern<'static>> {
        let subscribers = self.log.notifier(self.shard).subscribers();
        subscribers.filter(self.id).collect()
    }

    /// Returns the seq up to which everything was read; `None` if more is to be read.
    pub fn read_until(&self) -> Option<Seq> {
        let subscribers = self.log.notifier(self.shard).subscribers();
        subscribers.done_until(self.id)
    }

    /// Returns the count of the stream's bytes before the first pending broadcast, or that of all
    /// bytes if none is pending.
    pub fn position(&self) -> u64 {
        let parts = self.log.read_parts();
        let subscribers = self.log.notifier(self.shard).subscribers();
        subscribers.position(self.id, &parts)
    }

    /// Reads what comes next: frames of about `bytes` bytes in total, at least one. If there is
    /// nothing, `waker` is woken once there is something.
    pub fn read(&mut self, bytes: usize, waker: &Waker) -> Selected {
        self.with(
            |id, subscribers, parts| match subscribers.next(id, parts, bytes) {
                Next::Nothing(until) => Selected::Nothing {
                    until,
                    is_passed_due: subscribers.register(id, waker),
                },
                Next::Gap(gap) => Selected::Gap(gap),
                Next::Frames(frames) => Selected::Frames(frames),
            },
        )
    }

    /// Runs `act` with both locks, after new broadcasts were dispatched.
    fn with<T>(&mut self, act: impl FnOnce(SubscriberId, &mut Subscribers, &Parts) -> T) -> T {
        let mut wakers = Vec::new();
        let parts = self.log.read_parts();
        let mut subscribers = self.log.notifier(self.shard).subscribers();
        subscribers.dispatch(&parts, &mut wakers);
        let done = act(self.id, &mut subscribers, &parts);
        drop(subscribers);
        drop(parts);
        wakers.into_iter().for_each(Waker::wake);
        done
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.log.notifier(self.shard).remove_subscriber(self.id);
    }
}
