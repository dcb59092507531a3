//! A reader of only the broadcasts that are for its session.

use std::sync::Arc;
use std::task::Waker;

use super::Log;
use super::frames::Frames;
use super::subscribers::{MemberId, Next, Selection};
use crate::topic::Pattern;
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
    id: MemberId,
    /// The log's head, and the count of wake-ups, when the subscription was last registered.
    registered_at: Option<(Seq, u64)>,
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
    /// Whole frames. If nothing follows them so far, the waker is woken once something does.
    Frames(Frames),
    /// Nothing so far, and there is more to search: read again.
    Searched,
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
        Subscription {
            log,
            shard,
            id,
            registered_at: None,
        }
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

    /// Whether there is nothing new since the last read, which has registered its waker. `false` if
    /// that is not known.
    pub fn has_nothing_new(&self) -> bool {
        self.registered_at.is_some_and(|(head, wakes)| {
            head == self.log.head() && wakes == self.log.notifier(self.shard).wakes()
        })
    }

    /// Reads what comes next: frames of about `bytes` bytes in total, at least one. If there is
    /// nothing more, `waker` is woken once there is something.
    pub fn read(&mut self, bytes: usize, waker: &Waker) -> Selected {
        let parts = self.log.read_parts();
        let notifier = self.log.notifier(self.shard);
        let mut subscribers = notifier.subscribers();
        if subscribers.dispatch(&parts) {
            notifier.note_dispatched();
        }
        self.registered_at = None;
        let wakes = notifier.wakes();
        let selected = match subscribers.next(self.id, &parts, bytes) {
            Next::Nothing(until) => {
                self.registered_at = Some((until, wakes));
                Selected::Nothing {
                    until,
                    is_passed_due: subscribers.register(self.id, waker),
                }
            }
            Next::Searched => Selected::Searched,
            Next::Gap(gap) => Selected::Gap(gap),
            Next::Frames(frames) => {
                if let Some(until) = subscribers.done_until(self.id) {
                    subscribers.register(self.id, waker);
                    self.registered_at = Some((until, wakes));
                }
                Selected::Frames(frames)
            }
        };
        // Not from here: a woken session may write at once, and have others woken in its turn.
        if subscribers.has_due() {
            notifier.notify_for_subscribers();
        }
        selected
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.log.notifier(self.shard).remove_subscriber(self.id);
    }
}
