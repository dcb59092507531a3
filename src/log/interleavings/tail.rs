//! The tail passes readers while they read.

use shuttle::future;

use super::{CheckedReader, NO_WINDOW, RelayedLog, TINY, push};
use crate::interleavings::explore;
use crate::wire::Seq;

/// Parts of one frame and of several: the tail passes readers between two parts, and
/// within one that they have written half of.
fn each_seq_is_seen_or_missed() {
    let (relayed, mut appender) = RelayedLog::new(TINY, NO_WINDOW);
    let readers = [0, 0, 1].map(|shard| CheckedReader::after(&relayed.log, shard, Seq::ZERO));
    let readers = readers.map(|reader| future::spawn(reader.read_to_the_cut()));
    for count in [1, 3, 2, 1] {
        push(&mut appender, count);
        appender.commit();
    }
    let cut = appender.seal();
    for reader in readers {
        let reader = future::block_on(reader).expect("nobody ends it");
        assert_eq!(reader.last, cut);
        assert!(reader.missed < cut.0, "the newest part is always held");
    }
    relayed.end();
}

#[test]
fn reader_passed_by_the_tail_gets_each_seq_or_gap_once() {
    explore(each_seq_is_seen_or_missed);
}
