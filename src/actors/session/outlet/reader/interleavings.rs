//! A session's reader that sleeps between broadcasts.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use shuttle::{future, thread};

use super::{Reader, Recipient, Upcoming};
use crate::interleavings::explore;
use crate::log::Log;
use crate::log::interleavings::{LARGE, NO_WINDOW, RelayedLog, push};
use crate::wire::Seq;

/// Reads up to the cut, as a session does that is drained.
fn drain(reader: &mut Reader, log: &Log, cut: Seq, cx: &mut Context<'_>) -> Poll<()> {
    while reader.seq() < cut {
        match reader.next(log, 0, None, cx) {
            Upcoming::Nothing => return Poll::Pending,
            Upcoming::Moved | Upcoming::Searched => {}
            Upcoming::Gap(gap) => panic!("everything is held: {gap:?}"),
            Upcoming::Unreadable => panic!("there is no journal"),
            Upcoming::Selected(_) | Upcoming::Passed(_) => panic!("there is no filter"),
            Upcoming::Frames(slices) => {
                let written = slices.iter().map(|slice| slice.bytes.len()).sum();
                reader.advance(log, &slices, written);
            }
        }
    }
    Poll::Ready(())
}

fn sessions_are_drained_to_the_cut() {
    let (relayed, mut appender) = RelayedLog::new(LARGE, NO_WINDOW);
    let readers = [false, true].map(|has_own_waker| {
        let log = Arc::clone(&relayed.log);
        let recipient = Recipient {
            name: Arc::from("a"),
            permissions: Arc::default(),
        };
        let mut reader = Reader::new(&log, Seq::ZERO, true, recipient);
        future::spawn_local(poll_fn(move |cx| {
            if has_own_waker && reader.waker.is_none() {
                reader.set_waker(cx.waker().clone());
            }
            drain(&mut reader, &log, Seq(3), cx)
        }))
    });
    let hub = thread::spawn(move || {
        for wakes_by_itself in [false, true, false] {
            push(&mut appender, 1);
            if !wakes_by_itself {
                appender.commit();
            } else if appender.commit_here(0) {
                appender.log().wake_readers(0);
            }
        }
        appender // no seal wakes a reader that still sleeps
    });
    for reader in readers {
        future::block_on(reader).expect("nobody ends it");
    }
    drop(hub.join().expect("it does not panic"));
    relayed.end();
}

#[test]
fn session_asleep_at_any_point_reads_up_to_the_cut() {
    explore(sessions_are_drained_to_the_cut);
}
