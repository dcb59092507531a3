//! The kept value of each topic: the newest message that was published to it with `keep`.
//!
//! The problem: retention removes the rows of the journal, and a kept value must outlast them. So
//! its frame is stored a second time, in a row of its own, which is changed in the transaction of
//! the message that sets or removes it: after any crash either both are on disk or neither is.
//!
//! Invariants:
//! - a row's seq is in the stream, at or below its head. As long as the journal has that seq, the
//!   row's frame is the frame there;
//! - a topic has at most one row, and none if the newest message with `keep` has an empty text;
//! - a new stream has no rows. A restored copy has those of the copy: its stream has another name,
//!   but goes on with the copy's seqs, so that no later message gets the seq of a kept value.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use rusqlite::{Connection, params};

use super::crc::Crc;
use super::integer::stored;
use super::journal_row::{JournalRow, frame_length};
use crate::wire::Seq;
use crate::wire::cbor::message_keys;

/// A topic's kept value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeptRow {
    topic: String,
    /// The message's seq.
    seq: Seq,
    /// The message as it is in the journal.
    frame: Bytes,
}

/// The changes to kept values that are committed together with a batch of broadcasts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptChanges {
    /// The new value of each topic that changes; `None` where it is removed.
    by_topic: BTreeMap<String, Option<(Seq, Bytes)>>,
}

/// A row that is damaged, or contradicts the stream.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the kept value of topic {topic:?} has a wrong checksum or contradicts the stream")]
pub(super) struct InvalidKeptRow {
    topic: String,
}

impl KeptChanges {
    /// Returns the changes that the messages in these rows make. Only the last one of each topic
    /// counts.
    pub fn of(rows: &[JournalRow]) -> KeptChanges {
        let mut changes = KeptChanges::default();
        for row in rows {
            for routed in row.routes.iter().filter(|routed| routed.is_kept) {
                let from = routed.offset as usize;
                let length = frame_length(&row.frames[from..]).expect("rows hold whole frames");
                let frame = row.frames.slice(from..from + length);
                let Some(keys) = message_keys(&frame) else {
                    continue;
                };
                if let Some(topic) = keys.topic {
                    let value = (!keys.is_empty_text).then(|| (keys.seq, frame.clone()));
                    changes.by_topic.insert(topic.to_owned(), value);
                }
            }
        }
        changes
    }
}

impl KeptRow {
    fn crc(&self) -> u32 {
        crc(&self.topic, self.seq, &self.frame)
    }

    fn fits(&self, head: Seq) -> bool {
        let is_whole = frame_length(&self.frame) == Some(self.frame.len());
        let is_value = message_keys(&self.frame).is_some_and(|keys| {
            let is_named = keys.topic == Some(&*self.topic) && keys.seq == self.seq;
            is_named && keys.keep && !keys.is_empty_text
        });
        is_whole && is_value && self.seq > Seq::ZERO && self.seq <= head
    }

    fn invalid(self) -> InvalidKeptRow {
        InvalidKeptRow { topic: self.topic }
    }
}

fn crc(topic: &str, seq: Seq, frame: &[u8]) -> u32 {
    let numbers = Crc::default().number(seq.0).number(topic.len() as u64);
    numbers.bytes(topic.as_bytes()).bytes(frame).finish()
}

/// Compares kept values with the journal, whose rows are passed in order.
#[derive(Debug)]
pub(super) struct KeptCheck {
    /// Those that were not compared yet, in the order of their seqs.
    left: VecDeque<KeptRow>,
    frames: Vec<Bytes>,
}

impl KeptCheck {
    /// Reads the kept values of a stream that ends at `head`, and checks each row.
    pub(super) fn begin(
        connection: &Connection,
        head: Seq,
    ) -> rusqlite::Result<Result<KeptCheck, InvalidKeptRow>> {
        let mut query =
            connection.prepare("SELECT topic, seq, crc, frame FROM kept ORDER BY seq")?;
        let mut rows = query.query([])?;
        let (mut left, mut frames) = (VecDeque::new(), Vec::new());
        while let Some(row) = rows.next()? {
            let kept = KeptRow {
                topic: row.get(0)?,
                seq: Seq(row.get(1)?),
                frame: Bytes::copy_from_slice(row.get_ref(3)?.as_blob().unwrap_or_default()),
            };
            if !kept.fits(head) || row.get::<_, u32>(2)? != kept.crc() {
                return Ok(Err(kept.invalid()));
            }
            frames.push(kept.frame.clone());
            left.push_back(kept);
        }
        Ok(Ok(KeptCheck { left, frames }))
    }

    /// Compares the kept values of a row of the journal, which has the seqs `first` to `last`, with
    /// its frames.
    ///
    /// # Errors
    /// A kept value differs from the message with its seq.
    pub(super) fn compare(
        &mut self,
        first: Seq,
        last: Seq,
        mut frames: &[u8],
    ) -> Result<(), InvalidKeptRow> {
        let mut seq = first;
        while let Some(kept) = self.left.front()
            && kept.seq <= last
            && let Some(kept) = self.left.pop_front()
        {
            if kept.seq < first {
                continue; // retention has removed the message
            }
            while seq < kept.seq
                && let Some(length) = frame_length(frames)
            {
                (frames, seq) = (&frames[length..], seq.next());
            }
            if !frames.starts_with(&kept.frame) {
                return Err(kept.invalid());
            }
        }
        Ok(())
    }

    /// Returns the frames of all kept values.
    pub(super) fn finish(self) -> Vec<Bytes> {
        self.frames
    }
}

/// Removes all kept values, which belong to another stream.
pub(super) fn remove_all(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM kept", []).map(drop)
}

/// Writes the changes of a batch, in its transaction.
pub(super) fn write(connection: &Connection, changes: &KeptChanges) -> rusqlite::Result<()> {
    for (topic, value) in &changes.by_topic {
        match value {
            Some((seq, frame)) => connection
                .prepare_cached("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)")?
                .execute(params![
                    topic,
                    stored(seq.0),
                    crc(topic, *seq, frame),
                    &frame[..]
                ])?,
            None => connection
                .prepare_cached("DELETE FROM kept WHERE topic = ?")?
                .execute([topic])?,
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests;
