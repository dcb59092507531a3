//! The journal's writer: parts of the log become rows, the oldest rows go.

use bytes::Bytes;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior, params};

use super::age::{Ages, ClockReading};
use super::crc::Crc;
use super::integer::stored;
use super::terms::Terms;
use super::{Db, StoreError};
use crate::wire::{Millis, Seq};

/// What a row costs beside its frames, about; retention counts it, so that many
/// small rows stay within the bound as well.
const ROW: u64 = 64;

/// Rows that one transaction removes at most, beside twice what it adds: what is
/// over the bound goes little by little, and no publisher waits for it.
const REMOVED: usize = 64;

/// Some frames that stand next to one another: a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// The first frame's seq.
    pub first: Seq,
    /// The last frame's seq.
    pub last: Seq,
    /// The frames as they go over the wire, in cbor, each behind its length.
    pub frames: Bytes,
}

/// How much of the stream is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Bytes of broadcasts; the oldest go first. 64 are added for each row.
    pub bytes: u64,
    /// Broadcasts that are older go; `None`: age does not count. Age is measured by a clock
    /// that nobody sets.
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
    /// They are certainly not on disk: their seqs can be given again.
    #[error("{0}")]
    RolledBack(StoreError),
    /// Nobody knows whether they are: their seqs must never be given again.
    #[error("{0}")]
    InDoubt(StoreError),
}

/// What is on disk, as far as the one who writes must know it.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) stream: String,
    pub(super) head: Seq,
    /// Retention has removed everything up to here.
    pub(super) trimmed: Seq,
    /// What the rows cost.
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
    /// The stream's name.
    pub fn stream(&self) -> &str {
        &self.state.stream
    }

    /// The newest seq that is on disk, or was before retention removed it.
    pub fn head(&self) -> Seq {
        self.state.head
    }

    /// The starts of a server on the stream, this one included.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Looks at the clocks; whether retention has something to remove now.
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

    /// Puts the parts on disk in one transaction, and removes some of what is over
    /// the bounds. Without parts it only does the latter.
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
        // It may be on a file that has no name any more.
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

/// Runs a transaction. Where it fails: whether it is certain that nothing of it
/// was committed.
fn within<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> Result<T, (rusqlite::Error, bool)> {
    let outcome = attempt(connection, work);
    // What is still open here could be committed by whoever comes next.
    let is_over = connection.is_autocommit();
    outcome.map_err(|(error, is_certain)| (error, is_certain && is_over))
}

fn attempt<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> Result<T, (rusqlite::Error, bool)> {
    // Until COMMIT no page says that it belongs to a transaction that is over.
    let before = |error| (error, true);
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(before)?;
    let done = work(&transaction).map_err(before)?;
    // No space: the page that says so was not written whole. Any other failure may
    // have come behind it, as that of a sync does.
    let full = |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::DiskFull);
    transaction.commit().map_err(|error| {
        let is_certain = full(&error);
        (error, is_certain)
    })?;
    Ok(done)
}

/// The bounds of retention: the newest so many bytes stay, and no row up to `too_old`.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    bytes: u64,
    too_old: Seq,
}

impl Bounds {
    /// Whether the oldest row, which ends at `last`, must go.
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

/// Removes the oldest rows while they are over the bounds, so many at most.
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

/// What a row with so many bytes of frames costs.
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
