//! The starts of a server on one stream, and where each began.
//!
//! The problem: a data folder can be restored from an older copy, and the stream then goes
//! on from there under the same name, with other broadcasts under seqs that clients have
//! read already. So each start is a *term* with a number, and a client that resumes says in
//! which term it was logged in: what it has beyond the end of that term is not in this
//! history.
//!
//! Invariants:
//! - numbers rise, and a term begins where the one before it ends;
//! - two histories that went apart have no number in common behind that place, as a number
//!   is the time of the start;
//! - the table is bounded: a term without a broadcast goes when the next one begins, and of
//!   the others the newest [`MOST`] stay.

use rusqlite::{Connection, params};

use super::crc::Crc;
use super::integer::stored;
use crate::wire::{Millis, Seq, Term};

/// Terms that are remembered. A client whose term is older begins at the first of these.
const MOST: usize = 4096;

/// One start of a server on a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Begun {
    number: Term,
    /// The head when it began: its first broadcast is the one behind.
    after: Seq,
}

/// The terms of one stream, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    begun: Vec<Begun>,
}

/// Why the table of terms cannot be that of a stream.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the row of term {0} does not fit the stream or those before it")]
pub(super) struct WrongTerm(Term);

impl Terms {
    /// The one term of a stream that nothing keeps.
    pub fn only() -> Terms {
        let mut terms = Terms::none();
        terms.begin(Seq::ZERO, None);
        terms
    }

    /// The terms of a stream on which no server has started.
    pub(super) fn none() -> Terms {
        Terms { begun: Vec::new() }
    }

    /// Begins a term behind `head`. On a stream that has a history, `now` is when.
    pub(super) fn begin(&mut self, head: Seq, now: Option<Millis>) {
        let newest = self.begun.last().map_or(0, |term| term.number.0);
        // Nothing was broadcast in it: a resume that names it is served as in the term before.
        while self.begun.last().is_some_and(|term| term.after == head) {
            self.begun.pop();
        }
        let number = Term(now.map_or(0, micros).max(newest + 1));
        self.begun.push(Begun {
            number,
            after: head,
        });
        if self.begun.len() > MOST {
            self.begun.remove(0);
        }
    }

    /// The term that goes on now.
    pub fn current(&self) -> Term {
        self.begun.last().map_or(Term(0), |term| term.number)
    }

    /// Where a client goes on that has read up to `after` in the term `term`; `head` is
    /// where the current term has got to. Below `after`: what the client has above that is
    /// not in this history.
    pub fn resume_from(&self, after: Seq, term: Term, head: Seq) -> Seq {
        // A term that is unknown here went its own way from the end of the one below it.
        let next = self.begun.partition_point(|begun| begun.number <= term);
        let end = self.begun.get(next).map_or(head, |begun| begun.after);
        after.min(end)
    }

    /// Reads the table of a stream that ends at `head`.
    pub(super) fn read(
        connection: &Connection,
        head: Seq,
    ) -> rusqlite::Result<Result<Terms, WrongTerm>> {
        let mut query =
            connection.prepare("SELECT number, after, crc FROM term ORDER BY number")?;
        let mut rows = query.query([])?;
        let mut terms = Terms::none();
        while let Some(row) = rows.next()? {
            let begun = Begun {
                number: Term(row.get(0)?),
                after: Seq(row.get(1)?),
            };
            let before = terms.begun.last().map_or(Seq::ZERO, |term| term.after);
            let fits = begun.after >= before && begun.after <= head;
            if !fits || row.get::<_, u32>(2)? != begun.crc() {
                return Ok(Err(WrongTerm(begun.number)));
            }
            terms.begun.push(begun);
        }
        Ok(Ok(terms))
    }

    /// Writes the table.
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let oldest = self.begun.first().map_or(0, |term| stored(term.number.0));
        let kept = self.begun.len().saturating_sub(2);
        // Only the ends of the table change.
        let before_last = match self.begun.get(kept) {
            Some(term) if kept > 0 => stored(term.number.0),
            _ => -1,
        };
        connection.execute(
            "DELETE FROM term WHERE number < ?1 OR number > ?2",
            [oldest, before_last],
        )?;
        for term in &self.begun[kept..] {
            let (number, after) = (stored(term.number.0), stored(term.after.0));
            connection.execute(
                "INSERT OR REPLACE INTO term VALUES (?, ?, ?)",
                params![number, after, term.crc()],
            )?;
        }
        Ok(())
    }
}

impl Begun {
    fn crc(self) -> u32 {
        Crc::default()
            .number(self.number.0)
            .number(self.after.0)
            .finish()
    }
}

/// Microseconds since 1970: two servers that start on two copies of a folder do not do so in
/// the same one. Below 2^53 until the year 2255.
fn micros(now: Millis) -> u64 {
    now.0.saturating_mul(1000)
}

#[cfg(test)]
mod tests;
