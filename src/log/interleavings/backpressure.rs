//! Publishers that wait for readers.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use shuttle::{future, thread};

use super::{CheckedReader, LARGE, RelayedLog, push};
use crate::interleavings::explore;
use crate::log::{Appender, Log, PublishWait};
use crate::sync::Mutex;
use crate::wire::Seq;

/// Less than two frames.
const WINDOW: u64 = 40;

/// The bytes that publishers have in flight: less than the window, and more, which holds the
/// others back on its own.
const ON_THEIR_WAY: [usize; 2] = [30, 60];

/// Publishes as a session does, with the appender in the hub's place.
async fn publish(log: Arc<Log>, hub: Arc<Mutex<Appender>>, bytes: usize) {
    let mut wait = PublishWait::default();
    for _ in 0..3 {
        poll_fn(|cx| {
            if log
                .backpressure()
                .may_publish(log.written(), &mut wait, cx.waker())
            {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        let in_flight = log.backpressure().count_in_flight(bytes);
        let mut appender = hub.lock();
        push(&mut appender, 1);
        appender.commit();
        drop(appender);
        drop(in_flight);
    }
}

fn publishers_go_on() {
    let (relayed, appender) = RelayedLog::new(LARGE, WINDOW);
    let readers = [0, 1].map(|shard| {
        let mut reader = CheckedReader::after(&relayed.log, shard, Seq::ZERO);
        reader.paced = true;
        future::spawn(reader.read_to_the_cut())
    });
    let hub = Arc::new(Mutex::new(appender));
    let publishers = ON_THEIR_WAY.map(|bytes| {
        let (log, hub) = (Arc::clone(&relayed.log), Arc::clone(&hub));
        future::spawn(publish(log, hub, bytes))
    });
    // It asks, and goes without having published.
    let goes = thread::spawn({
        let log = Arc::clone(&relayed.log);
        move || {
            let mut wait = PublishWait::default();
            let _ = log
                .backpressure()
                .may_publish(log.written(), &mut wait, Waker::noop());
        }
    });
    for publisher in publishers {
        future::block_on(publisher).expect("nobody ends it");
    }
    goes.join().expect("it does not panic");
    assert_eq!(relayed.log.backpressure().waiting(), 0);
    let cut = hub.lock().seal();
    assert_eq!(cut, Seq(6));
    for reader in readers {
        let reader = future::block_on(reader).expect("nobody ends it");
        assert_eq!((reader.last, reader.missed), (cut, 0));
    }
    relayed.end();
}

#[test]
fn publisher_waiting_for_a_reader_is_woken_by_it() {
    explore(publishers_go_on);
}
