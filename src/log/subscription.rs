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

    /// Returns the count of the filter's patterns, and the first ones, at most this many.
    pub fn first_patterns(&self, most: usize) -> (usize, Vec<Pattern<'static>>) {
        let subscribers = self.log.notifier(self.shard).subscribers();
        let patterns = subscribers.filter(self.id);
        (patterns.len(), patterns.take(most).collect())
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
                subscribers.register(self.id, waker);
                Selected::Nothing {
                    until,
                    is_passed_due: subscribers.take_passed_due(self.id),
                }
            }
            Next::Searched => Selected::Searched,
            Next::Gap(gap) => Selected::Gap(gap),
            Next::Frames(frames) => {
                if let Some(until) = subscribers.done_until(self.id) {
                    subscribers.register(self.id, waker);
                    // Otherwise the next read finds nothing, and tells the session so.
                    let is_passed_due = subscribers.is_passed_due(self.id);
                    self.registered_at = (!is_passed_due).then_some((until, wakes));
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

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake};

    use super::*;
    use crate::log::{Appender, BackpressureLimits, Content, LogLimits};
    use crate::topic::Route;
    use crate::wire::Millis;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A session's subscription to a topic, and how often it was woken.
    struct Session {
        subscription: Subscription,
        wakes: Arc<Wakes>,
    }

    impl Session {
        fn of(log: &Arc<Log>, topic: &str) -> Session {
            let filter = [Pattern::new(topic).expect("it is a pattern")];
            let wanted = Selection {
                user: "ana",
                filter: &filter,
                presence: false,
            };
            let mut session = Session {
                subscription: Subscription::new(log, 0, Seq::ZERO, wanted),
                wakes: Arc::default(),
            };
            assert_eq!(session.read(), []);
            session
        }

        /// Reads once. Returns the seqs that were found.
        fn read(&mut self) -> Vec<Seq> {
            let waker = Waker::from(Arc::clone(&self.wakes));
            match self.subscription.read(usize::MAX, &waker) {
                Selected::Frames(frames) => frames.iter().map(|(seq, _)| seq).collect(),
                Selected::Nothing { .. } => Vec::new(),
                other => panic!("{other:?}"),
            }
        }

        fn wakes(&self) -> usize {
            self.wakes.0.load(Ordering::Relaxed)
        }
    }

    fn log() -> (Arc<Log>, Appender) {
        let limits = LogLimits {
            bytes: 1 << 20,
            backpressure: BackpressureLimits::default(),
        };
        Log::new("s".to_owned(), limits, 1)
    }

    /// Commits a message to each of these topics, on the thread of its readers.
    fn publish(appender: &mut Appender, topics: &[&str]) {
        let contents = topics.iter().map(|topic| Content {
            route: Some(Route::Topic(topic)),
            ..Content::body(&[0x60])
        });
        let pushed = appender.push_messages(Millis(0), "rui", contents);
        pushed.expect("it is not sealed");
        appender.commit_here(0);
    }

    #[test]
    fn session_that_reads_wakes_no_other_one() {
        let (log, mut appender) = log();
        let [mut first, mut second] = ["a", "b"].map(|topic| Session::of(&log, topic));
        publish(&mut appender, &["a", "b"]);
        assert_eq!(first.read(), [Seq(1)]);
        assert_eq!((first.wakes(), second.wakes()), (0, 0));
        log.wake_readers(0);
        assert_eq!((first.wakes(), second.wakes()), (1, 1));
        assert_eq!(second.read(), [Seq(2)]);
    }

    #[test]
    fn session_that_waits_for_its_turn_finds_several_messages() {
        let (log, mut appender) = log();
        let mut sessions: Vec<_> = (0..100).map(|_| Session::of(&log, "a")).collect();
        publish(&mut appender, &["a"]);
        log.wake_readers(0);
        let woken = sessions.iter().filter(|session| session.wakes() == 1);
        assert_eq!(woken.count(), 64);
        publish(&mut appender, &["a"]);
        log.wake_readers(0);
        let last = sessions.last_mut().expect("there are some");
        assert_eq!((last.wakes(), last.read()), (1, vec![Seq(1), Seq(2)]));
    }

    #[test]
    fn session_knows_without_a_look_whether_something_is_new() {
        let (log, mut appender) = log();
        let mut session = Session::of(&log, "a");
        assert!(session.subscription.has_nothing_new());
        publish(&mut appender, &["a"]);
        assert!(!session.subscription.has_nothing_new());
        assert_eq!(session.read(), [Seq(1)]);
        assert!(session.subscription.has_nothing_new());
        log.notifier(0).subscribers().make_passed_due();
        log.wake_readers(0);
        assert!(!session.subscription.has_nothing_new());
    }

    #[test]
    fn broadcast_that_another_session_finds_first_is_told_to_all() {
        let (log, mut appender) = log();
        let [mut first, _second] = ["a", "b"].map(|topic| Session::of(&log, topic));
        publish(&mut appender, &["c"]);
        // The first session is busy with its client, and looks before the relay does.
        assert_eq!(first.read(), []);
        let dispatched = pin!(log.notifier(0).dispatched());
        let mut cx = Context::from_waker(Waker::noop());
        assert!(
            dispatched.poll(&mut cx).is_ready(),
            "`passed` is due for both"
        );
    }

    #[test]
    fn frames_do_not_hide_that_a_session_is_to_tell_where_the_stream_is() {
        let (log, mut appender) = log();
        let mut session = Session::of(&log, "a");
        publish(&mut appender, &["a", "b"]);
        log.wake_readers(0);
        log.notifier(0).subscribers().make_passed_due();
        assert_eq!(session.read(), [Seq(1)]);
        assert!(!session.subscription.has_nothing_new());
        let told = session.subscription.read(1, Waker::noop());
        let expected = Selected::Nothing {
            until: Seq(2),
            is_passed_due: true,
        };
        assert_eq!(told, expected);
    }
}
