//! The records that wait to be written, bounded in bytes. It is plain state without I/O.
//!
//! Once a record does not fit, it and those behind it are counted, until the writer has taken what
//! waits. The count becomes a record itself, at the place of those that are missing.

use std::time::SystemTime;

use super::record::{Fields, line, time};

/// The most bytes of records that wait. The writer holds as many again while it writes.
pub(super) const MAX_BYTES: usize = 2 << 20;

/// Records that wait to be written, in their order.
#[derive(Debug, Default)]
pub(super) struct Queue {
    batch: Batch,
    lost: Option<Lost>,
}

/// Records that are written together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) lines: Vec<u8>,
    /// The number of the lines.
    pub(super) records: u64,
}

#[derive(Debug)]
struct Lost {
    records: u64,
    since: SystemTime,
}

impl Queue {
    /// Adds a record. Returns whether there was room; otherwise it is counted as lost.
    pub(super) fn push(&mut self, line: &[u8], at: SystemTime) -> bool {
        let fits = self.lost.is_none() && self.batch.lines.len() + line.len() <= MAX_BYTES;
        match fits {
            true => self.batch.add(line),
            false => self.lose(at),
        }
        fits
    }

    /// Adds the last record of all, for which there is always room.
    pub(super) fn push_last(&mut self, line: &[u8], at: SystemTime) {
        self.tell_lost(at);
        self.batch.add(line);
    }

    /// Takes what waits; `None` if that is nothing.
    pub(super) fn take(&mut self, at: SystemTime) -> Option<Batch> {
        self.tell_lost(at);
        let batch = std::mem::take(&mut self.batch);
        (batch.records > 0).then_some(batch)
    }

    /// Whether records find no room.
    pub(super) fn is_losing(&self) -> bool {
        self.lost.is_some()
    }

    /// Returns the number of records that wait or are counted as lost.
    pub(super) fn unwritten(&self) -> u64 {
        let lost = self.lost.as_ref().map_or(0, |lost| lost.records);
        self.batch.records + lost
    }

    fn lose(&mut self, at: SystemTime) {
        let lost = self.lost.get_or_insert(Lost {
            records: 0,
            since: at,
        });
        lost.records += 1;
    }

    fn tell_lost(&mut self, at: SystemTime) {
        if let Some(Lost { records, since }) = self.lost.take() {
            let fields = Fields {
                count: Some(records),
                since: Some(time(since)),
                ..Fields::default()
            };
            self.batch.add(&line(at, "lost", &fields));
        }
    }
}

impl Batch {
    fn add(&mut self, line: &[u8]) {
        self.lines.extend_from_slice(line);
        self.records += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const NOW: SystemTime = UNIX_EPOCH;

    fn taken(queue: &mut Queue) -> Vec<String> {
        let batch = queue.take(NOW).expect("there is something");
        let text = String::from_utf8(batch.lines).expect("it is utf-8");
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        assert_eq!(lines.len() as u64, batch.records);
        lines
    }

    /// Fills a queue, so that nothing more fits.
    fn full() -> Queue {
        let mut queue = Queue::default();
        let line = [vec![b'x'; MAX_BYTES - 1], vec![b'\n']].concat();
        assert!(queue.push(&line, NOW));
        queue
    }

    #[test]
    fn records_are_taken_in_their_order_and_once() {
        let mut queue = Queue::default();
        assert!(queue.push(b"a\n", NOW) && queue.push(b"b\n", NOW));
        assert_eq!(queue.unwritten(), 2);
        assert_eq!(taken(&mut queue), ["a", "b"]);
        assert_eq!((queue.take(NOW), queue.unwritten()), (None, 0));
    }

    #[test]
    fn records_beyond_the_bound_are_counted_in_their_place() {
        let mut queue = full();
        assert!(!queue.push(b"a\n", NOW));
        assert!(!queue.push(b"b\n", NOW));
        assert_eq!(queue.unwritten(), 3);
        let lines = taken(&mut queue);
        assert_eq!(lines.len(), 2);
        let lost = "{\"time\":\"1970-01-01T00:00:00.000000Z\",\"event\":\"lost\",\"count\":2,\
                    \"since\":\"1970-01-01T00:00:00.000000Z\"}";
        assert_eq!(lines[1], lost);
        assert!(queue.push(b"c\n", NOW), "there is room again");
        assert_eq!(taken(&mut queue), ["c"]);
    }

    #[test]
    fn nothing_overtakes_a_record_that_was_lost() {
        let mut queue = full();
        assert!(!queue.push(&[b'x'; 100], NOW));
        queue.batch = Batch::default();
        assert!(!queue.push(b"short\n", NOW));
        assert_eq!(queue.unwritten(), 2);
    }

    #[test]
    fn last_record_always_has_room_behind_the_count() {
        let mut queue = full();
        assert!(!queue.push(b"a\n", NOW));
        queue.push_last(b"end\n", NOW);
        let lines = taken(&mut queue);
        assert!(lines[1].contains("\"lost\",\"count\":1"), "{}", lines[1]);
        assert_eq!(lines[2], "end");
    }
}
