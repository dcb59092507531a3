//! Direct publishes with numbers, beside readers of two threads.

use std::sync::Arc;

use shuttle::{future, thread};

use super::judged::{JudgedContents, Verdict};
use super::presence::PresenceLimits;
use super::state::{HubSetup, State};
use crate::accounts::UserName;
use crate::interleavings::explore;
use crate::log::interleavings::{LARGE, NO_WINDOW, RelayedLog, read_up_to};
use crate::log::{Appender, Log};
use crate::sync::Mutex;
use crate::wire::{Body, Millis, Publish, Seq};

fn hub(appender: Appender) -> State {
    State::new(HubSetup {
        appender,
        journal_writer: None,
        presence: PresenceLimits::share_of(1 << 20),
        producers: 1,
        cursors: 1,
        clock: Arc::new(|| Millis(0)),
    })
}

/// Publishes these numbers of one producer on the hub's thread, and checks each answer.
fn publish(hub: &Mutex<State>, log: &Log, numbers: &[u64]) -> Vec<(u64, Seq)> {
    let user: UserName = "ana".parse().expect("it is a name");
    let mut answered = Vec::new();
    for n in numbers {
        let mut messages = JudgedContents::default();
        messages.push(Some(("p", *n)), &Publish::new(*n, Body::text("x")));
        let (verdicts, is_wake_due) = hub.lock().publish_judged_now(&user, &messages, 0);
        if is_wake_due {
            log.wake_readers(0);
        }
        for verdict in verdicts.expect("the log is open") {
            match verdict {
                Verdict::Published(seq) | Verdict::Repeated(seq) => {
                    assert!(log.head() >= seq, "it is visible once it is answered");
                    answered.push((*n, seq));
                }
                other => panic!("nothing else can be: {other:?}"),
            }
        }
    }
    answered
}

/// Two sessions of one account send the same numbers: one lost its connection, and the other came in
/// its place.
fn numbers_are_published_once() {
    let (relayed, appender) = RelayedLog::new(LARGE, NO_WINDOW);
    let log = Arc::clone(&relayed.log);
    let hub = Arc::new(Mutex::new(hub(appender)));
    let readers = [0, 1].map(|shard| future::spawn(read_up_to(&log, shard, Seq(3))));
    let first = thread::spawn({
        let (hub, log) = (Arc::clone(&hub), Arc::clone(&log));
        move || publish(&hub, &log, &[1, 2])
    });
    let second = publish(&hub, &log, &[1, 2, 3]);
    let first = first.join().expect("it does not panic");
    for (n, seq) in &first {
        assert!(second.contains(&(*n, *seq)), "{n} has one seq");
    }
    assert_eq!((first.len(), second.len()), (2, 3));
    assert_eq!(log.head(), Seq(3), "each number is in the log once");
    for reader in readers {
        future::block_on(reader).expect("nobody ends it");
    }
    relayed.end();
}

#[test]
fn number_sent_by_two_sessions_is_published_directly_once() {
    explore(numbers_are_published_once);
}
