//! Publishers that wait for readers.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use shuttle::future;

use super::{ROOMY, Stage, Witness, push};
use crate::interleavings::explore;
use crate::log::{Appender, Log};
use crate::sync::Mutex;
use crate::wire::Seq;

/// Less than two frames.
const WINDOW: u64 = 40;

/// About what a frame takes.
const FRAME: usize = 30;

/// Publishes as a session does, with the appender in the hub's place.
async fn publish(log: Arc<Log>, hub: Arc<Mutex<Appender>>) {
    for _ in 0..3 {
        poll_fn(|cx| {
            if log.pace().may_publish(log.written(), cx.waker()) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        let on_its_way = log.pace().send(FRAME);
        let mut appender = hub.lock();
        push(&mut appender, 1);
        appender.commit();
        drop(appender);
        drop(on_its_way);
    }
}

fn publishers_go_on() {
    let (stage, appender) = Stage::new(ROOMY, WINDOW);
    let readers = [0, 1].map(|shard| {
        let mut reader = Witness::after(&stage.log, shard, Seq::ZERO);
        reader.paced = true;
        future::spawn(reader.read_to_the_cut())
    });
    let hub = Arc::new(Mutex::new(appender));
    let publishers =
        [0, 1].map(|_| future::spawn(publish(Arc::clone(&stage.log), Arc::clone(&hub))));
    for publisher in publishers {
        future::block_on(publisher).expect("nobody ends it");
    }
    let cut = hub.lock().seal();
    assert_eq!(cut, Seq(6));
    for reader in readers {
        let reader = future::block_on(reader).expect("nobody ends it");
        assert_eq!((reader.last, reader.missed), (cut, 0));
    }
    stage.end();
}

#[test]
fn publishers_that_wait_for_readers_are_woken_by_them() {
    explore(publishers_go_on);
}
