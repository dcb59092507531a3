//! Searches the journal for the broadcasts that a session gets.
//!
//! A search goes through the summaries of the rows (`row_summary`) and reads the frames of those
//! rows only that may hold something for the session. It judges each frame, and returns only those
//! that the session gets. One call does a bounded amount of work, so that a long search delays no
//! other reader, and says how far it got.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::Connection;

use super::StoreError;
use super::integer::stored;
use super::journal_reader::{DamagedRow, JournalReaders, RawRow};
use super::journal_row::frame_length;
use super::row_routes::route_of;
use super::row_summary::Summary;
use crate::topic::Choice;
use crate::wire::Seq;

/// The most work that one call does, in summaries and routes that are judged; some 10 ms.
const MOST_WORK: usize = 1 << 14;

/// The result of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalSearch {
    /// The first seq that was searched. Retention has removed those between `after` and it.
    pub first: Seq,
    /// Everything up to here was searched.
    pub until: Seq,
    /// The whole frames that the session gets with their seqs, in order.
    pub frames: Vec<(Seq, Bytes)>,
}

impl JournalReaders {
    /// Searches what is behind `after` for what `choice` takes, until about `bytes` bytes of frames
    /// were read or a bounded number of rows was judged. Returns `None` if there is nothing behind
    /// `after`.
    ///
    /// Cancel safe. A search that has begun is completed on its thread, and its result dropped.
    ///
    /// # Errors
    /// The journal cannot be read, or is damaged there.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn search(
        self: Arc<Self>,
        after: Seq,
        choice: Arc<Choice>,
        bytes: usize,
    ) -> Result<Option<JournalSearch>, StoreError> {
        #[cfg(test)]
        let readers = Arc::clone(&self);
        self.ask(move |connection| {
            let mut search = Searching {
                choice: &choice,
                next: after.next(),
                first: None,
                work: 0,
                rows: 0,
                bytes: 0,
                frames: Vec::new(),
            };
            let outcome = search.run(connection, bytes)?;
            #[cfg(test)]
            readers.count_rows(search.rows);
            Ok(outcome.map(|()| search.finish()))
        })
        .await
    }
}

struct Searching<'a> {
    choice: &'a Choice,
    /// Everything below this seq, and from `first` on, was searched.
    next: Seq,
    first: Option<Seq>,
    /// The summaries and routes that were judged.
    work: usize,
    /// The rows whose frames were read, and the bytes of these frames.
    rows: u64,
    bytes: usize,
    frames: Vec<(Seq, Bytes)>,
}

impl Searching<'_> {
    fn run(
        &mut self,
        connection: &Connection,
        bytes: usize,
    ) -> rusqlite::Result<Result<(), DamagedRow>> {
        // All statements see the same state: retention may remove rows meanwhile.
        let snapshot = connection.unchecked_transaction()?;
        while self.bytes < bytes && self.work < MOST_WORK {
            if let Err(damaged) = self.skip(&snapshot)? {
                return Ok(Err(damaged));
            }
            if self.work >= MOST_WORK {
                break;
            }
            match self.read_row(&snapshot)? {
                Ok(true) => {}
                Ok(false) => break,
                Err(damaged) => return Ok(Err(damaged)),
            }
        }
        Ok(Ok(()))
    }

    /// Skips rows whose summaries have nothing for the session.
    fn skip(&mut self, connection: &Connection) -> rusqlite::Result<Result<(), DamagedRow>> {
        let mut query = connection.prepare_cached(
            "SELECT first, last, crc, routes FROM journal_routes
             WHERE first >= coalesce(
                 (SELECT max(first) FROM journal_routes WHERE first <= ?1), 0)
             ORDER BY first",
        )?;
        let mut rows = query.query([stored(self.next.0)])?;
        while self.work < MOST_WORK
            && let Some(row) = rows.next()?
        {
            let summary = match Summary::read(row, 0)? {
                Ok(summary) => summary,
                Err(invalid) => return Ok(Err(DamagedRow::Summary(invalid))),
            };
            if summary.last < self.next {
                continue; // the row of the next seq has no summary
            }
            if summary.first > self.next || self.may_have(summary) {
                break;
            }
            self.first.get_or_insert(self.next);
            self.next = summary.last.next();
        }
        Ok(Ok(()))
    }

    fn may_have(&mut self, summary: Summary<'_>) -> bool {
        self.work += 1;
        for route in summary.routes() {
            self.work += 1;
            if route.is_err() || route.is_ok_and(|route| self.choice.takes(route)) {
                return true;
            }
        }
        false
    }

    /// Reads the row of the next seq, or the first one behind it. Returns `false` if there is none.
    fn read_row(&mut self, connection: &Connection) -> rusqlite::Result<Result<bool, DamagedRow>> {
        let mut query = connection.prepare_cached(
            "SELECT first, last, time, crc, frames FROM journal
             WHERE first >= coalesce((SELECT max(first) FROM journal WHERE first <= ?1), 0)
               AND last >= ?1
             ORDER BY first LIMIT 1",
        )?;
        let mut rows = query.query([stored(self.next.0)])?;
        let Some(row) = rows.next()? else {
            return Ok(Ok(false));
        };
        let row = match RawRow::read(row)? {
            Ok(row) => row,
            Err(damaged) => return Ok(Err(damaged)),
        };
        let from = self.next.max(row.first);
        self.first.get_or_insert(from);
        self.rows += 1;
        self.bytes += row.frames.len();
        let (mut seq, mut frames) = (row.first, row.frames);
        while let Some(length) = frame_length(frames) {
            let (frame, rest) = frames.split_at(length);
            if seq >= from {
                self.work += 1;
                if self.choice.takes(route_of(frame).0) {
                    self.frames.push((seq, Bytes::copy_from_slice(frame)));
                }
            }
            (seq, frames) = (seq.next(), rest);
        }
        self.next = row.last.next();
        Ok(Ok(true))
    }

    fn finish(self) -> Option<JournalSearch> {
        Some(JournalSearch {
            first: self.first?,
            until: Seq(self.next.0 - 1),
            frames: self.frames,
        })
    }
}
