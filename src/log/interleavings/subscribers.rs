//! Readers with a filter get what is for them, and are told how far the stream is.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use shuttle::future::{JoinHandle, block_on, spawn};
use shuttle::thread;

use super::{LARGE, NO_WINDOW, RelayedLog, TINY, push, push_routed};
use crate::interleavings::explore;
use crate::log::{Appender, Log, Selected, Selection, Subscription};
use crate::topic::{Pattern, Route};
use crate::wire::Seq;

/// The tasks that have sessions tell their clients how far the stream is, without a delay.
pub(crate) struct PassedRelays([JoinHandle<()>; 2]);

impl PassedRelays {
    pub(crate) fn start(log: &Arc<Log>) -> PassedRelays {
        PassedRelays([0, 1].map(|shard| {
            let log = Arc::clone(log);
            spawn(async move {
                loop {
                    log.notifier(shard).dispatched().await;
                    log.notifier(shard).subscribers().make_passed_due();
                    log.notifier(shard).notify_for_subscribers();
                }
            })
        }))
    }

    pub(crate) fn end(self) {
        for relay in self.0 {
            relay.abort();
            let _ = block_on(relay);
        }
    }
}

/// A reader with a filter of one topic.
struct FilteredReader {
    subscription: Subscription,
    /// The last seq that its client was told of.
    told: Seq,
    /// Whether it has not met the head yet: then it tells its client where that is.
    is_catching_up: bool,
    /// The broadcasts that it got.
    got: Vec<Seq>,
    /// The broadcasts that it was told are gone.
    gone: Vec<Seq>,
}

impl FilteredReader {
    fn new(log: &Arc<Log>, shard: usize, after: Seq, user: &str, topic: &str) -> FilteredReader {
        let wanted = Selection {
            user,
            filter: &[Pattern::new(topic).expect("it is a pattern")],
            presence: false,
        };
        FilteredReader {
            subscription: Subscription::new(log, shard, after, wanted),
            told: after,
            is_catching_up: true,
            got: Vec::new(),
            gone: Vec::new(),
        }
    }

    /// Reads until the client was told of what is up to `cut`.
    async fn read_to(mut self, cut: Seq) -> FilteredReader {
        poll_fn(|cx| self.poll(cut, cx)).await;
        self
    }

    fn poll(&mut self, cut: Seq, cx: &mut Context<'_>) -> Poll<()> {
        while self.told < cut {
            match self.subscription.read(1, cx.waker()) {
                Selected::Frames(frames) => {
                    for (seq, _) in frames.iter() {
                        self.tell(seq);
                        self.got.push(seq);
                    }
                }
                Selected::Searched => {}
                Selected::Gap(gap) => {
                    assert!(gap.from > self.told, "it is told once");
                    self.tell(gap.to);
                    self.gone.extend((gap.from.0..=gap.to.0).map(Seq));
                }
                Selected::Nothing {
                    until,
                    is_passed_due,
                } => {
                    if !(std::mem::take(&mut self.is_catching_up) || is_passed_due) {
                        return Poll::Pending;
                    }
                    self.told = self.told.max(until);
                }
            }
        }
        Poll::Ready(())
    }

    fn tell(&mut self, seq: Seq) {
        assert!(seq > self.told, "each is seen once, in order");
        self.told = seq;
    }
}

/// Pushes four broadcasts: for the topic `a`, for the topic `b`, for the user `v`, for everyone.
/// Commits by themselves, and on the thread of the first readers.
fn append(appender: &mut Appender) {
    push_routed(appender, Route::Topic("a"));
    appender.commit();
    push_routed(appender, Route::Topic("b"));
    if appender.commit_here(0) {
        appender.log().wake_readers(0);
    }
    push_routed(appender, Route::User("v"));
    appender.commit();
    push(appender, 1);
    appender.commit();
}

/// The number of broadcasts that [`append`] pushes.
const APPENDED: Seq = Seq(4);

fn filtered_readers_are_told_of_everything() {
    let (relayed, mut appender) = RelayedLog::new(LARGE, NO_WINDOW);
    let passed = PassedRelays::start(&relayed.log);
    let readers = [(0, "u", "a"), (0, "v", "b"), (1, "w", "b")].map(|(shard, user, topic)| {
        let reader = FilteredReader::new(&relayed.log, shard, Seq::ZERO, user, topic);
        spawn(reader.read_to(APPENDED))
    });
    let hub = thread::spawn(move || {
        append(&mut appender);
        appender // no seal wakes a reader that still sleeps
    });
    let [a, b_and_own, b] = readers.map(|reader| block_on(reader).expect("nobody ends it"));
    assert_eq!(a.got, [Seq(1)]);
    assert_eq!(b_and_own.got, [Seq(2), Seq(3)]);
    assert_eq!(b.got, [Seq(2)]);
    drop(hub.join().expect("it does not panic"));
    passed.end();
    relayed.end();
}

#[test]
fn filtered_reader_asleep_is_told_how_far_the_stream_is() {
    explore(filtered_readers_are_told_of_everything);
}

fn own_broadcasts_are_got_or_told_as_gone() {
    let (relayed, mut appender) = RelayedLog::new(TINY, NO_WINDOW);
    let passed = PassedRelays::start(&relayed.log);
    let readers = [0, 1].map(|shard| {
        let reader = FilteredReader::new(&relayed.log, shard, Seq::ZERO, "u", "a");
        spawn(reader.read_to(Seq(5)))
    });
    let hub = thread::spawn(move || {
        for topic in ["a", "b", "a", "a", "b"] {
            push_routed(&mut appender, Route::Topic(topic));
            appender.commit();
        }
        appender
    });
    for reader in readers {
        let reader = block_on(reader).expect("nobody ends it");
        for own in [Seq(1), Seq(3), Seq(4)] {
            let times = reader.got.iter().chain(&reader.gone);
            assert_eq!(times.filter(|seq| **seq == own).count(), 1, "{own}");
        }
        let mut got = reader.got.iter();
        assert!(got.all(|seq| ![Seq(2), Seq(5)].contains(seq)));
    }
    drop(hub.join().expect("it does not panic"));
    passed.end();
    relayed.end();
}

#[test]
fn filtered_reader_passed_by_the_tail_gets_or_misses_its_own_once() {
    explore(own_broadcasts_are_got_or_told_as_gone);
}

/// The thread's others go on while a subscriber comes and another one goes.
fn subscribers_come_and_go() {
    let (relayed, mut appender) = RelayedLog::new(LARGE, NO_WINDOW);
    let passed = PassedRelays::start(&relayed.log);
    let stays = spawn(FilteredReader::new(&relayed.log, 0, Seq::ZERO, "u", "a").read_to(APPENDED));
    let other = thread::spawn({
        let log = Arc::clone(&relayed.log);
        move || {
            drop(FilteredReader::new(&log, 0, Seq::ZERO, "x", "a"));
            let after = log.head();
            let late = FilteredReader::new(&log, 0, after, "v", "b");
            (after, block_on(late.read_to(APPENDED)))
        }
    });
    let hub = thread::spawn(move || {
        append(&mut appender);
        push(&mut appender, 1); // behind the late one, whatever its begin is
        appender.commit();
        appender
    });
    let stays = block_on(stays).expect("nobody ends it");
    assert_eq!(stays.got, [Seq(1)]);
    let (after, late) = other.join().expect("it does not panic");
    let own = [Seq(2), Seq(3)].into_iter().filter(|seq| *seq > after);
    assert_eq!(late.got, own.collect::<Vec<_>>());
    drop(hub.join().expect("it does not panic"));
    passed.end();
    relayed.end();
}

#[test]
fn subscriber_that_comes_late_gets_what_is_behind_its_begin() {
    explore(subscribers_come_and_go);
}
