//! Nobody sleeps on something to read, or on a sealed log.

use std::sync::Arc;
use std::task::Waker;

use shuttle::{future, thread};

use super::{CheckedReader, LARGE, NO_WINDOW, RelayedLog, SleepOrder, push};
use crate::interleavings::{expect_found, explore};
use crate::log::{Appender, Content, ReadWait, Sealed};
use crate::wire::{Millis, Seq};

/// The number of broadcasts that [`append_and_seal`] appends.
const APPENDED: Seq = Seq(4);

fn append_and_seal(mut appender: Appender) {
    push(&mut appender, 1);
    appender.commit();
    push(&mut appender, 2);
    appender.commit();
    push(&mut appender, 1);
    assert_eq!(appender.seal(), APPENDED);
    let refused = appender.push_messages(Millis(0), "a", [Content::body(&[0])]);
    assert_eq!(refused, Err(Sealed));
    appender.commit();
}

/// JournalReaders of both bells, on threads and as tasks, and one that comes late.
fn readers_get_everything() {
    let (relayed, appender) = RelayedLog::new(LARGE, NO_WINDOW);
    let readers = [0, 0, 1].map(|shard| CheckedReader::after(&relayed.log, shard, Seq::ZERO));
    let tasks = readers.map(|reader| future::spawn(reader.read_to_the_cut()));
    let late = thread::spawn({
        let log = Arc::clone(&relayed.log);
        move || {
            let late = CheckedReader::after(&log, 1, log.head());
            future::block_on(late.read_to_the_cut())
        }
    });
    append_and_seal(appender);
    let readers = tasks.map(|task| future::block_on(task).expect("nobody ends it"));
    let late = late.join().expect("it does not panic");
    for reader in readers.into_iter().chain([late]) {
        assert_eq!((reader.last, reader.missed), (APPENDED, 0));
    }
    relayed.end();
}

#[test]
fn reader_wakes_for_appends_and_gets_all_up_to_the_cut() {
    explore(readers_get_everything);
}

/// Nothing notifies behind the last commit: a reader that misses it sleeps for ever.
fn readers_get_the_last_commit() {
    let (relayed, mut appender) = RelayedLog::new(LARGE, NO_WINDOW);
    let readers = [0, 1].map(|shard| {
        let reader = CheckedReader::after(&relayed.log, shard, Seq::ZERO);
        future::spawn(reader.read_up_to(Seq(3)))
    });
    for count in [1, 2] {
        push(&mut appender, count);
        appender.commit();
    }
    for reader in readers {
        future::block_on(reader).expect("nobody ends it");
    }
    relayed.end();
}

#[test]
fn reader_wakes_for_the_last_commit() {
    explore(readers_get_the_last_commit);
}

/// A reader that goes takes its own registration out, and nobody else's.
fn others_wake_though_a_reader_goes() {
    let (relayed, appender) = RelayedLog::new(LARGE, NO_WINDOW);
    let stays = [0, 0].map(|shard| {
        let reader = CheckedReader::after(&relayed.log, shard, Seq::ZERO);
        future::spawn(reader.read_to_the_cut())
    });
    let goes = thread::spawn({
        let log = Arc::clone(&relayed.log);
        move || {
            for _ in 0..3 {
                let mut place = ReadWait::default();
                log.notifier(0).register(&mut place, Waker::noop());
                log.notifier(0).register(&mut place, Waker::noop());
            }
        }
    });
    append_and_seal(appender);
    goes.join().expect("it does not panic");
    for reader in stays {
        let reader = future::block_on(reader).expect("nobody ends it");
        assert_eq!((reader.last, reader.missed), (APPENDED, 0));
    }
    assert_eq!(relayed.log.notifier(0).waiting(), 0);
    relayed.end();
}

#[test]
fn waiter_dropped_leaves_no_waker_and_keeps_the_others() {
    explore(others_wake_though_a_reader_goes);
}

/// Each look is at one moment: what was seen sealed has its head for good.
fn a_sealed_head_stays() {
    let (relayed, appender) = RelayedLog::new(LARGE, NO_WINDOW);
    let looker = thread::spawn({
        let log = Arc::clone(&relayed.log);
        move || {
            for _ in 0..3 {
                let (sealed, head) = (log.is_sealed(), log.head());
                let (written, at) = (log.written(), log.cursor_after(Seq(u64::MAX)));
                assert!(at.seq() >= head, "what is counted can be read");
                assert!(!sealed || (head, at.seq()) == (APPENDED, APPENDED));
                assert!(!sealed || written == at.position());
            }
        }
    });
    append_and_seal(appender);
    looker.join().expect("it does not panic");
    assert_eq!(relayed.log.head(), APPENDED);
    relayed.end();
}

#[test]
fn sealed_log_keeps_its_head() {
    explore(a_sealed_head_stays);
}

/// A reader with a bad sleep_order at a log that is sealed once so many are appended.
fn one_reader(sleep_order: SleepOrder, count: usize) {
    let (relayed, mut appender) = RelayedLog::new(LARGE, NO_WINDOW);
    let mut reader = CheckedReader::after(&relayed.log, 0, Seq::ZERO);
    reader.sleep_order = sleep_order;
    let reader = future::spawn(reader.read_to_the_cut());
    push(&mut appender, count);
    appender.seal();
    let _ = future::block_on(reader);
    relayed.end();
}

#[test]
fn reader_without_the_second_head_check_is_found_asleep() {
    expect_found("deadlock", || one_reader(SleepOrder::BothCheckedBefore, 1));
}

#[test]
fn reader_without_the_second_seal_check_is_found_asleep() {
    expect_found("deadlock", || one_reader(SleepOrder::SealCheckedBefore, 0));
}
