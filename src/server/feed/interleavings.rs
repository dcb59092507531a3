//! A feed that is listened to while the log is appended to and sealed.

use std::sync::Arc;

use shuttle::{future, thread};

use super::Feed;
use crate::interleavings::explore;
use crate::log::interleavings::{LARGE, NO_WINDOW, RelayedLog, push};
use crate::wire::Event;

fn a_feed_hears_everything_and_its_end() {
    let (relayed, mut appender) = RelayedLog::new(LARGE, NO_WINDOW);
    let mut feed = Feed::new(Arc::clone(&relayed.log));
    let hub = thread::spawn(move || {
        for _ in 0..2 {
            push(&mut appender, 1);
            appender.commit();
        }
        appender.seal()
    });
    let mut heard = 0;
    while let Some(event) = future::block_on(feed.next()) {
        assert!(matches!(event, Event::Message { .. }), "{event:?}");
        heard += 1;
    }
    let cut = hub.join().expect("it does not panic");
    assert_eq!(heard, cut.0);
    relayed.end();
}

#[test]
fn feed_gets_every_broadcast_and_ends_at_the_seal() {
    explore(a_feed_hears_everything_and_its_end);
}
