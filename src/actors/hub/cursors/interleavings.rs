//! Acks of sessions beside the hub that stores them, and the stop.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use shuttle::{future, thread};

use super::{CursorLease, Cursors, OpenCursor, STORE_AFTER};
use crate::interleavings::explore;
use crate::log::interleavings::{LARGE, NO_WINDOW, RelayedLog, push};
use crate::log::{CursorChanges, Log};
use crate::sync::{AtomicU64, AtomicUsize, Ordering};
use crate::wire::{Seq, SessionId};

/// The log's head.
const HEAD: Seq = Seq(5);

/// The hub's cursors, and what is on disk of the only one.
struct Hub {
    cursors: Cursors,
    log: Arc<Log>,
    stored: Seq,
    /// How many sessions were told that another one has taken their cursor.
    taken: Arc<AtomicUsize>,
}

impl Hub {
    /// A log with a journal, and a cursor at its begin.
    fn begin() -> (RelayedLog, Hub, CursorLease) {
        let (relayed, mut appender) = RelayedLog::new(LARGE, NO_WINDOW);
        let log = Arc::clone(&relayed.log);
        let mut hub = Hub {
            cursors: Cursors::new(1, &log, Some(Vec::new())),
            log,
            stored: Seq::ZERO,
            taken: Arc::new(AtomicUsize::new(0)),
        };
        let lease = hub.open(SessionId(1));
        hub.store(true);
        hub.commit();
        push(&mut appender, 5);
        appender.commit();
        (relayed, hub, lease)
    }

    /// Logs a session in, and returns its hold of the cursor.
    fn open(&mut self, session: SessionId) -> CursorLease {
        let taken = Arc::clone(&self.taken);
        let open = OpenCursor {
            user: "ana".parse().expect("it is a name"),
            name: "c".into(),
            session,
            head: self.log.head(),
            on_superseded: Box::new(move || {
                taken.fetch_add(1, Ordering::AcqRel);
            }),
        };
        let opened = self.cursors.open(open, &self.log, Instant::now());
        opened.expect("the account may have a cursor").0.lease
    }

    /// Begins a batch, and takes its position for what is on disk once it is committed. Returns
    /// whether there was one.
    fn store(&mut self, is_batch: bool) -> bool {
        let changes = self
            .cursors
            .begin_batch(is_batch, Instant::now() + 2 * STORE_AFTER);
        self.note(&changes)
    }

    fn note(&mut self, changes: &CursorChanges) -> bool {
        let Some(row) = changes.stored.first() else {
            return false;
        };
        assert!(row.seq >= self.stored, "a stored cursor never goes back");
        self.stored = row.seq;
        true
    }

    fn commit(&mut self) {
        self.cursors.commit_batch();
    }

    fn position(&self) -> Seq {
        let (list, _) = self.cursors.list(None, 1);
        list.first().map_or(Seq::ZERO, |cursor| cursor.seq)
    }
}

/// The hub sleeps until an ack wakes it, and stores it in the end.
fn the_last_ack_is_stored() {
    let (relayed, mut hub, lease) = Hub::begin();
    let acked = Arc::new(AtomicU64::new(0));
    let session = thread::spawn({
        let acked = Arc::clone(&acked);
        move || {
            for seq in 1..=HEAD.0 {
                acked.store(seq, Ordering::Release); // the client has read it
                lease.ack(Seq(seq));
            }
        }
    });
    future::block_on(poll_fn(move |cx| {
        hub.cursors.poll_unstored(cx.waker(), Instant::now());
        while hub.store(false) {
            assert!(hub.stored.0 <= acked.load(Ordering::Acquire));
            hub.commit();
            hub.cursors.poll_unstored(cx.waker(), Instant::now());
        }
        match hub.stored == HEAD {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }));
    session.join().expect("it does not panic");
    relayed.end();
}

#[test]
fn ack_at_any_instant_wakes_the_hub_and_is_stored() {
    explore(the_last_ack_is_stored);
}

/// The session ends before the hub does, with a batch in flight that may fail.
fn the_stop_stores_each_ack(has_failed: bool) {
    let (relayed, mut hub, lease) = Hub::begin();
    let session = thread::spawn(move || {
        for seq in [1, 3, HEAD.0] {
            lease.ack(Seq(seq));
        }
    });
    let mut stored = hub.stored;
    for _ in 0..2 {
        if hub.store(true) {
            match has_failed {
                true => {
                    hub.cursors.discard_pending(Instant::now());
                    hub.stored = stored;
                }
                false => hub.commit(),
            }
            stored = hub.stored;
        }
    }
    hub.store(true); // in flight at the stop
    session.join().expect("it does not panic");
    let last = hub.cursors.begin_last_batch();
    hub.note(&last);
    assert_eq!(hub.stored, HEAD);
    relayed.end();
}

#[test]
fn stop_stores_each_ack_that_was_read() {
    explore(|| the_stop_stores_each_ack(false));
}

#[test]
fn stop_stores_each_ack_whose_batch_has_failed() {
    explore(|| the_stop_stores_each_ack(true));
}

/// A second login takes the cursor, between any two acks of the first.
fn one_session_moves_the_cursor() {
    let (relayed, mut hub, lease) = Hub::begin();
    let acked = Arc::new(AtomicU64::new(0));
    let first = thread::spawn({
        let acked = Arc::clone(&acked);
        move || {
            for seq in 1..=3 {
                lease.ack(Seq(seq));
                acked.store(seq, Ordering::Release);
            }
            lease
        }
    });
    let before = acked.load(Ordering::Acquire);
    let second = hub.open(SessionId(2));
    let begin = hub.position();
    assert!(begin.0 >= before, "acks that were read before count");
    let first = first.join().expect("it does not panic");
    assert_eq!(
        hub.taken.load(Ordering::Acquire),
        1,
        "the first one is told once"
    );
    assert!(first.is_superseded() && !second.is_superseded());
    assert_eq!(hub.position(), begin, "later acks have no effect");
    drop(first); // the second one keeps the cursor
    second.ack(HEAD);
    assert_eq!(hub.position(), HEAD);
    relayed.end();
}

#[test]
fn cursor_taken_over_has_the_acks_of_before_and_none_of_later() {
    explore(one_session_moves_the_cursor);
}
