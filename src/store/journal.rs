//! The journal's writer: parts of the log become rows, the oldest rows go.

use bytes::Bytes;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior, params};

use super::age::{Ages, ClockReading};
use super::crc::Crc;
use super::integer::stored;
use super::terms::Terms;
use super::{Db, StoreError};
use crate::wire::{Millis, Seq};

/// The approximate bytes of a row beside its frames. Retention counts them, so that many small
/// rows stay within the bound too.
const ROW: u64 = 64;

/// The most rows that one transaction removes, in addition to twice what it adds: rows above
/// the bound are removed gradually, and no publisher waits for that.
const REMOVED: usize = 64;

/// A row: consecutive frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// The first frame's seq.
    pub first: Seq,
    /// The last frame's seq.
    pub last: Seq,
    /// The frames as they are sent in cbor, each behind its length.
    pub frames: Bytes,
}

/// How much of the stream is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Bytes of broadcasts, plus 64 for each row; the oldest are removed first.
    pub bytes: u64,
    /// Older broadcasts are removed; `None` keeps them. Age is measured by a monotonic clock.
    pub age: Option<std::time::Duration>,
}

impl Default for Retention {
    fn default() -> Self {
        Retention {
            bytes: 1 << 30,
            age: None,
        }
    }
}

/// Why broadcasts were not written.
#[derive(Debug, thiserror::Error)]
pub enum JournalWriteError {
    /// They are certainly not on disk: their seqs can be assigned again.
    #[error("{0}")]
    RolledBack(StoreError),
    /// It is unknown whether they are on disk: their seqs must never be assigned again.
    #[error("{0}")]
    InDoubt(StoreError),
}

/// The state of the stream on disk.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) stream: String,
    pub(super) head: Seq,
    /// Retention has removed everything up to here.
    pub(super) trimmed: Seq,
    /// The cost of all rows.
    pub(super) held: u64,
}

/// Writes the journal; there is one.
#[derive(Debug)]
pub struct Journal {
    pub(super) state: State,
    pub(super) terms: Terms,
    pub(super) ages: Ages,
    pub(super) retention: Retention,
}

impl Journal {
    /// Returns the stream's name.
    pub fn stream(&self) -> &str {
        &self.state.stream
    }

    /// Returns the newest seq that is on disk, or was before retention removed it.
    pub fn head(&self) -> Seq {
        self.state.head
    }

    /// Returns the starts of a server on the stream, this one included.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Reads the clocks. Returns whether retention has rows to remove now.
    pub fn is_over(&mut self, now: ClockReading) -> bool {
        if let Some(jump) = self.ages.observe(now) {
            let by_seconds = jump.by / 1000;
            tracing::warn!(
                by_seconds,
                "system clock jumped; age retention does not follow it"
            );
        }
        self.state.held > self.retention.bytes || self.ages.has_old(self.state.trimmed, now.run)
    }

    /// Commits the rows in one transaction, and removes some of the rows above the bounds.
    /// Without rows it only removes.
    ///
    /// # Errors
    /// See [`JournalWriteError`]. Either way the journal is as it was before.
    pub fn write(
        &mut self,
        db: &mut Db,
        parts: &[JournalRow],
        now: ClockReading,
    ) -> Result<(), JournalWriteError> {
        db.check_location().map_err(JournalWriteError::RolledBack)?;
        let stamp = self.ages.stamp(now.run);
        let bounds = Bounds {
            bytes: self.retention.bytes,
            too_old: self.ages.too_old(now.run),
        };
        let state = self.state.clone();
        let written = within(db.connection(), |transaction| {
            change(transaction, state, bounds, parts, stamp)
        });
        let state = written.map_err(|(error, is_certain)| match is_certain {
            true => JournalWriteError::RolledBack(db.failed(error)),
            false => JournalWriteError::InDoubt(db.failed(error)),
        })?;
        // The commit may be on a file that has lost its name.
        db.check_location().map_err(JournalWriteError::InDoubt)?;
        db.note_wal_length(self.retention.bytes);
        for part in parts {
            self.ages.note(part.last, stamp);
        }
        self.ages.forget(state.trimmed);
        self.state = state;
        Ok(())
    }
}

/// Runs a transaction. An error comes with whether it is certain that nothing was committed.
fn within<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> Result<T, (rusqlite::Error, bool)> {
    let outcome = attempt(connection, work);
    // A transaction that is still open could be committed by the next job.
    let is_over = connection.is_autocommit();
    outcome.map_err(|(error, is_certain)| (error, is_certain && is_over))
}

fn attempt<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> Result<T, (rusqlite::Error, bool)> {
    // Before COMMIT no page belongs to a finished transaction.
    let before = |error| (error, true);
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(before)?;
    let done = work(&transaction).map_err(before)?;
    // Without space the commit page was not written whole. Any other error may have come after
    // it, as that of a sync does.
    let full = |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::DiskFull);
    transaction.commit().map_err(|error| {
        let is_certain = full(&error);
        (error, is_certain)
    })?;
    Ok(done)
}

/// The bounds of retention: the newest `bytes` stay, and no row up to `too_old`.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    bytes: u64,
    too_old: Seq,
}

impl Bounds {
    /// Whether the oldest row, which ends at `last`, must be removed.
    fn remove(self, state: &State, last: Seq) -> bool {
        state.held > self.bytes || last <= self.too_old
    }
}

fn change(
    transaction: &Transaction<'_>,
    mut state: State,
    bounds: Bounds,
    parts: &[JournalRow],
    stamp: Millis,
) -> rusqlite::Result<State> {
    for part in parts {
        insert(transaction, part, stamp)?;
        state.head = part.last;
        state.held += cost(part.frames.len() as u64);
    }
    remove(transaction, &mut state, bounds, parts.len())?;
    write_state(transaction, &state)?;
    Ok(state)
}

fn insert(transaction: &Transaction<'_>, part: &JournalRow, stamp: Millis) -> rusqlite::Result<()> {
    let crc = part_crc(part.first, part.last, stamp, &part.frames);
    let (first, last, at) = (stored(part.first.0), stored(part.last.0), stored(stamp.0));
    transaction
        .prepare_cached("INSERT INTO journal VALUES (?, ?, ?, ?, ?)")?
        .execute(params![first, last, at, crc, &part.frames[..]])
        .map(drop)
}

/// Removes the oldest rows above the bounds, a bounded number.
fn remove(
    transaction: &Transaction<'_>,
    state: &mut State,
    bounds: Bounds,
    added: usize,
) -> rusqlite::Result<()> {
    if !bounds.remove(state, state.trimmed.next()) {
        return Ok(());
    }
    let mut query = transaction
        .prepare_cached("SELECT last, length(frames) FROM journal ORDER BY first LIMIT ?")?;
    let limit = i64::try_from(REMOVED + 2 * added).unwrap_or(i64::MAX);
    let mut rows = query.query([limit])?;
    let before = state.trimmed;
    while let Some(row) = rows.next()? {
        let last = Seq(row.get(0)?);
        if !bounds.remove(state, last) {
            break;
        }
        state.trimmed = last;
        state.held = state.held.saturating_sub(cost(row.get(1)?));
    }
    drop(rows);
    if state.trimmed > before {
        transaction
            .prepare_cached("DELETE FROM journal WHERE first <= ?")?
            .execute([stored(state.trimmed.0)])?;
    }
    Ok(())
}

/// Writes the one row of `stream`.
pub(super) fn write_state(connection: &Connection, state: &State) -> rusqlite::Result<()> {
    let crc = state_crc(&state.stream, state.head, state.trimmed);
    let (head, trimmed) = (stored(state.head.0), stored(state.trimmed.0));
    connection
        .prepare_cached("INSERT OR REPLACE INTO stream VALUES (1, ?, ?, ?, ?)")?
        .execute(params![state.stream, head, trimmed, crc])
        .map(drop)
}

/// Returns the cost of a row with `length` bytes of frames.
pub(super) fn cost(length: u64) -> u64 {
    length + ROW
}

/// Covers a row: its numbers, then its frames.
pub(super) fn part_crc(first: Seq, last: Seq, stamp: Millis, frames: &[u8]) -> u32 {
    let numbers = Crc::default()
        .number(first.0)
        .number(last.0)
        .number(stamp.0);
    numbers.bytes(frames).finish()
}

/// Covers the row of `stream`: its two numbers, then the name.
pub(super) fn state_crc(stream: &str, head: Seq, trimmed: Seq) -> u32 {
    let numbers = Crc::default().number(head.0).number(trimmed.0);
    numbers.bytes(stream.as_bytes()).finish()
}
