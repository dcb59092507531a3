//! The terms of a stream: each start of a server on it is one.
//!
//! The problem: a data folder can be replaced by an older copy. The stream then continues from
//! that copy under the same name, and assigns seqs again that clients have already read, to other
//! broadcasts. So each start is a *term* with a number, and a client that resumes names the term
//! in which it was logged in. Broadcasts that it read beyond the end of that term are not part
//! of this history.
//!
//! Invariants:
//! - numbers rise, and a term begins where the term before it ends;
//! - two histories that fork share no term number after the fork, because a number is the time
//!   of the start;
//! - a term is on disk before a broadcast of it is visible: both are in one transaction. The
//!   first term is written with the stream;
//! - the table is bounded: a term without a broadcast is removed when the next one begins, and
//!   only the newest [`MAX_TERMS`] of the others are kept.

use rusqlite::{Connection, params};

use super::crc::Crc;
use super::integer::stored;
use crate::wire::{Millis, Seq, Term};

/// The most terms that are kept. A client with an older term resumes at the start of the oldest
/// one.
const MAX_TERMS: usize = 4096;

/// The start of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TermStart {
    number: Term,
    /// The head when the term began; its first broadcast has the next seq.
    after: Seq,
}

/// The terms of one stream, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    starts: Vec<TermStart>,
}

/// A row of the table that is damaged, or contradicts the stream or the row before it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the row of term {0} has a wrong checksum or contradicts the stream")]
pub(super) struct InvalidTermRow(Term);

impl Terms {
    /// Returns the terms of a new stream: a single one, with the number 1.
    pub fn single() -> Terms {
        let mut terms = Terms::empty();
        terms.begin(Seq::ZERO, None);
        terms
    }

    /// Returns no terms.
    fn empty() -> Terms {
        Terms { starts: Vec::new() }
    }

    /// Begins a term after `head`. `now` is the time of the start; `None` for a new stream.
    pub(super) fn begin(&mut self, head: Seq, now: Option<Millis>) {
        let newest = self.starts.last().map_or(0, |term| term.number.0);
        // A term without a broadcast can go: a resume that names it is treated like a resume in
        // the term before, which ends at the same seq.
        while self.starts.last().is_some_and(|term| term.after == head) {
            self.starts.pop();
        }
        let number = Term(now.map_or(0, micros).max(newest + 1));
        self.starts.push(TermStart {
            number,
            after: head,
        });
        if self.starts.len() > MAX_TERMS {
            self.starts.remove(0);
        }
    }

    /// Returns the current term.
    pub fn current(&self) -> Term {
        self.starts.last().map_or(Term(0), |term| term.number)
    }

    /// Returns the seq after which a client resumes that has read up to `after` in `term`.
    /// `head` is the stream's head. A result below `after` means that the broadcasts which the
    /// client read above it are not part of this history.
    pub fn resume_from(&self, after: Seq, term: Term, head: Seq) -> Seq {
        // A term that is unknown here belongs to a fork, which began at the latest at the end of
        // the last known term below it.
        let next = self.starts.partition_point(|start| start.number <= term);
        let end = self.starts.get(next).map_or(head, |start| start.after);
        after.min(end)
    }

    /// Reads the terms of a stream that ends at `head`.
    pub(super) fn read(
        connection: &Connection,
        head: Seq,
    ) -> rusqlite::Result<Result<Terms, InvalidTermRow>> {
        let mut query =
            connection.prepare("SELECT number, after, crc FROM term ORDER BY number")?;
        let mut rows = query.query([])?;
        let mut terms = Terms::empty();
        while let Some(row) = rows.next()? {
            let start = TermStart {
                number: Term(row.get(0)?),
                after: Seq(row.get(1)?),
            };
            let before = terms.starts.last().map_or(Seq::ZERO, |term| term.after);
            let fits = start.after >= before && start.after <= head;
            if !fits || row.get::<_, u32>(2)? != start.crc() {
                return Ok(Err(InvalidTermRow(start.number)));
            }
            terms.starts.push(start);
        }
        Ok(Ok(terms))
    }

    /// Writes the changes since the table was read: the oldest and the newest terms.
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let oldest = self.starts.first().map_or(0, |term| stored(term.number.0));
        let unchanged = self.starts.len().saturating_sub(2);
        let before_last = match self.starts.get(unchanged) {
            Some(term) if unchanged > 0 => stored(term.number.0),
            _ => -1,
        };
        connection.execute(
            "DELETE FROM term WHERE number < ?1 OR number > ?2",
            [oldest, before_last],
        )?;
        for term in &self.starts[unchanged..] {
            let (number, after) = (stored(term.number.0), stored(term.after.0));
            connection.execute(
                "INSERT OR REPLACE INTO term VALUES (?, ?, ?)",
                params![number, after, term.crc()],
            )?;
        }
        Ok(())
    }
}

impl TermStart {
    fn crc(self) -> u32 {
        Crc::default()
            .number(self.number.0)
            .number(self.after.0)
            .finish()
    }
}

/// Returns microseconds since 1970, so that servers which start on two copies of a folder get
/// different numbers. The number stays below 2^53 until the year 2255.
fn micros(now: Millis) -> u64 {
    now.0.saturating_mul(1000)
}

#[cfg(test)]
mod tests;
