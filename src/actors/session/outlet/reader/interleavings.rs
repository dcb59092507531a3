//! A session's reader that sleeps between broadcasts.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use shuttle::{future, thread};

use super::{Reader, Recipient, Upcoming};
use crate::accounts::LivePermissions;
use crate::actors::session::outlet::interleavings::denial;
use crate::interleavings::{expect_found, explore};
use crate::log::interleavings::{LARGE, NO_WINDOW, RelayedLog, push, push_routed};
use crate::log::{Log, frame_length};
use crate::topic::Route;
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

/// A session that judges by the rules of before its read.
fn rules_are_taken_before_the_read() {
    let (relayed, mut appender) = RelayedLog::new(LARGE, NO_WINDOW);
    let live = Arc::<LivePermissions>::default();
    let log = Arc::clone(&relayed.log);
    let recipient = Recipient {
        name: Arc::from("a"),
        permissions: Arc::clone(&live),
    };
    let mut reader = Reader::new(&log, Seq::ZERO, false, recipient);
    let session = future::spawn_local(poll_fn(move |cx| {
        while reader.seq() < Seq(2) {
            reader.update_rules();
            match reader.next(&log, 0, None, cx) {
                Upcoming::Nothing => return Poll::Pending,
                Upcoming::Frames(slices) => {
                    let (mut seq, mut length) = (reader.seq(), 0);
                    for slice in &slices {
                        let mut bytes = &slice.bytes[..];
                        length += bytes.len();
                        while let Some(used) = frame_length(bytes) {
                            seq = seq.next();
                            let is_sent = reader.may_hear(&bytes[..used]);
                            assert!(!(is_sent && seq == Seq(2)), "the rules deny it");
                            bytes = &bytes[used..];
                        }
                    }
                    reader.advance(&log, &slices, length);
                }
                _ => {}
            }
        }
        Poll::Ready(())
    }));
    let operator = thread::spawn(move || {
        push_routed(&mut appender, Route::Topic("b"));
        appender.commit();
        live.replace(Some(denial()));
        push_routed(&mut appender, Route::Topic("a"));
        appender.commit();
        appender
    });
    future::block_on(session).expect("nobody ends it");
    drop(operator.join().expect("it does not panic"));
    relayed.end();
}

#[test]
fn rules_taken_before_the_read_are_found_stale() {
    expect_found("the rules deny it", rules_are_taken_before_the_read);
}
