//! Writes the journal: appends parts of the log as rows, and removes the oldest rows.

use bytes::Bytes;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior, params};

use super::age::{Ages, ClockReading};
use super::crc::Crc;
use super::cursors::{self, CursorChanges, CursorRow};
use super::integer::stored;
use super::journal_row::JournalRow;
use super::kept::{self, KeptChanges};
use super::producers::{self, ProducerChanges, ProducerRow};
use super::terms::Terms;
use super::{Db, StoreError, row_summary};
use crate::wire::{Millis, Seq};

/// The approximate size of a row without its frames, in bytes. Retention counts it, so that many
/// small rows stay within the bound too.
const ROW_OVERHEAD: u64 = 64;

/// The most rows that one transaction removes, in addition to twice the rows that it adds. Rows
/// above the bound are removed gradually, so that no publisher waits long for it.
const MAX_REMOVED: usize = 64;

/// Broadcasts, and what is committed together with them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalBatch {
    /// The broadcasts.
    pub parts: Vec<JournalRow>,
    /// The producers of the messages among them.
    pub producers: ProducerChanges,
    /// The kept values that the messages among them set or remove.
    pub kept: KeptChanges,
    /// The cursors that have moved.
    pub cursors: CursorChanges,
}

impl From<Vec<JournalRow>> for JournalBatch {
    fn from(parts: Vec<JournalRow>) -> JournalBatch {
        JournalBatch {
            kept: KeptChanges::of(&parts),
            parts,
            ..JournalBatch::default()
        }
    }
}

/// How much of the stream is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Bytes of broadcasts, plus 64 for each row; the oldest are removed first.
    pub bytes: u64,
    /// Older broadcasts are removed; `None` keeps them. Age is measured by a monotonic clock.
    pub age: Option<std::time::Duration>,
    /// Bytes above `bytes` up to which broadcasts stay that a cursor has not passed yet, also those
    /// that are too old; 0: cursors keep nothing.
    pub cursor_hold: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Retention {
            bytes: 1 << 30,
            age: None,
            cursor_hold: 0,
        }
    }
}

/// Why broadcasts were not written.
#[derive(Debug, thiserror::Error)]
pub enum JournalWriteError {
    /// They are certainly not on disk, so their seqs can be assigned again.
    #[error("{0}")]
    RolledBack(StoreError),
    /// They may be on disk, so their seqs must never be assigned again.
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
    /// The cost of all rows, see [`cost`].
    pub(super) held: u64,
}

impl State {
    /// Returns the state of a new stream.
    pub(super) fn new(stream: &str) -> State {
        State {
            stream: stream.to_owned(),
            head: Seq::ZERO,
            trimmed: Seq::ZERO,
            held: 0,
        }
    }
}

/// The writer of a database's journal; there is only one.
#[derive(Debug)]
pub struct Journal {
    pub(super) state: State,
    pub(super) terms: Terms,
    /// Whether the current term is on disk. If not, the first write includes it: a term without a
    /// broadcast need not be remembered.
    pub(super) is_term_stored: bool,
    pub(super) ages: Ages,
    pub(super) retention: Retention,
    /// Until they are taken.
    pub(super) producers: Vec<ProducerRow>,
    /// Until they are taken.
    pub(super) kept: Vec<Bytes>,
    pub(super) cursors: Vec<CursorRow>,
    /// How far retention was, and the lowest cursor, when a removal found nothing to remove.
    pub(super) held_back: Option<(Seq, Seq)>,
}

impl Journal {
    /// Returns the stream's name.
    pub fn stream(&self) -> &str {
        &self.state.stream
    }

    /// Returns the newest seq that was written; retention may have removed it since.
    pub fn head(&self) -> Seq {
        self.state.head
    }

    /// Returns the stream's terms, the current one included.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Takes the producers that the stream had when it was opened, by the seq of their last
    /// message.
    pub fn take_producers(&mut self) -> Vec<ProducerRow> {
        std::mem::take(&mut self.producers)
    }

    /// Takes the frames of the kept values that the stream had when it was opened.
    pub fn take_kept(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.kept)
    }

    /// Takes the cursors that were stored when the journal was opened.
    pub fn take_cursors(&mut self) -> Vec<CursorRow> {
        std::mem::take(&mut self.cursors)
    }

    /// Changes how much is kept, but for its age: the marks of that are made at the start.
    pub fn set_retention(&mut self, retention: Retention) {
        let age = self.retention.age;
        self.retention = Retention { age, ..retention };
        self.held_back = None;
    }

    /// Reads the clocks. `lowest` is the lowest cursor. Returns whether retention has rows to remove now.
    pub fn has_removable_rows(&mut self, now: ClockReading, lowest: Option<Seq>) -> bool {
        if let Some(jump) = self.ages.observe(now) {
            let by_seconds = jump.millis / 1000;
            tracing::warn!(
                by_seconds,
                "system clock jumped; age retention does not follow it"
            );
        }
        let has_expired = self.ages.has_expired(self.state.trimmed, now.monotonic);
        let Retention {
            bytes, cursor_hold, ..
        } = self.retention;
        let is_excess = self.state.held > bytes || has_expired;
        match lowest {
            Some(lowest)
                if cursor_hold > 0 && self.state.held <= bytes.saturating_add(cursor_hold) =>
            {
                let trimmed = self.state.trimmed;
                is_excess && lowest > trimmed && self.held_back != Some((trimmed, lowest))
            }
            _ => is_excess,
        }
    }

    /// Commits the batch in one transaction, which also removes some of the rows above
    /// retention's bounds. With an empty batch it only removes. Blocks on the disk.
    ///
    /// # Errors
    /// See [`JournalWriteError`]. The state of this value is then unchanged.
    pub fn write(
        &mut self,
        db: &mut Db,
        batch: &JournalBatch,
        now: ClockReading,
    ) -> Result<(), JournalWriteError> {
        db.check_location().map_err(JournalWriteError::RolledBack)?;
        db.mark_before_commit()
            .map_err(JournalWriteError::RolledBack)?;
        let stamp = self.ages.stamp(now.monotonic);
        let bounds = Bounds {
            bytes: self.retention.bytes,
            held_bytes: self
                .retention
                .bytes
                .saturating_add(self.retention.cursor_hold),
            needed_after: match batch.cursors.lowest {
                Some(lowest) if self.retention.cursor_hold > 0 => lowest,
                _ => Seq(u64::MAX),
            },
            expired: self.ages.last_expired(now.monotonic),
        };
        let state = self.state.clone();
        let new_terms = (!self.is_term_stored).then_some(&self.terms);
        let written = in_transaction(db.connection(), |transaction| {
            if let Some(terms) = new_terms {
                terms.write(transaction)?;
            }
            let state = write_rows(transaction, state, bounds, &batch.parts, stamp)?;
            producers::write(transaction, &batch.producers)?;
            kept::write(transaction, &batch.kept)?;
            cursors::write(transaction, &batch.cursors)?;
            Ok(state)
        });
        let state = written.map_err(|(error, is_certain)| match is_certain {
            true => JournalWriteError::RolledBack(db.failed(error)),
            false => JournalWriteError::InDoubt(db.failed(error)),
        })?;
        // The commit may have gone to a file that was removed or replaced.
        db.check_location().map_err(JournalWriteError::InDoubt)?;
        db.warn_about_wal_length(self.retention.bytes);
        for part in &batch.parts {
            self.ages.note(part.last, stamp);
        }
        self.ages.forget(state.trimmed);
        let is_held_back = state.trimmed == self.state.trimmed && bounds.has_excess(&state);
        let lowest = batch.cursors.lowest.filter(|_| is_held_back);
        self.held_back = lowest.map(|lowest| (state.trimmed, lowest));
        self.state = state;
        self.is_term_stored = true;
        Ok(())
    }
}

/// Runs a transaction. The `bool` of an error says whether it is certain that nothing was
/// committed.
fn in_transaction<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> Result<T, (rusqlite::Error, bool)> {
    let outcome = commit(connection, work);
    // A transaction that is still open could be committed by the next job.
    let is_closed = connection.is_autocommit();
    outcome.map_err(|(error, is_certain)| (error, is_certain && is_closed))
}

fn commit<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> Result<T, (rusqlite::Error, bool)> {
    // Before COMMIT the log has no complete transaction, so nothing can have been committed.
    let before = |error| (error, true);
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(before)?;
    let output = work(&transaction).map_err(before)?;
    // If the disk is full, the commit's last page was not written completely. Other errors, such
    // as that of a sync, may come after it.
    let full = |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::DiskFull);
    transaction.commit().map_err(|error| {
        let is_certain = full(&error);
        (error, is_certain)
    })?;
    Ok(output)
}

/// Retention's bounds: rows are removed until at most `bytes` are held and none is left up to
/// `expired`. Rows that end above `needed_after` stay while at most `held_bytes` are held.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    bytes: u64,
    held_bytes: u64,
    needed_after: Seq,
    expired: Seq,
}

impl Bounds {
    /// Whether there are rows that only a cursor may keep.
    fn has_excess(self, state: &State) -> bool {
        state.held > self.bytes || state.trimmed < self.expired
    }

    /// Whether the oldest row, which ends at `last`, must be removed.
    fn exclude(self, state: &State, last: Seq) -> bool {
        let is_excess = state.held > self.bytes || last <= self.expired;
        is_excess && (last <= self.needed_after || state.held > self.held_bytes)
    }
}

fn write_rows(
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

/// Adds a row with its summary, in a transaction of the caller.
pub(super) fn insert(
    connection: &Connection,
    part: &JournalRow,
    stamp: Millis,
) -> rusqlite::Result<()> {
    let crc = part_crc(part.first, part.last, stamp, &part.frames);
    let (first, last, at) = (stored(part.first.0), stored(part.last.0), stored(stamp.0));
    connection
        .prepare_cached("INSERT INTO journal VALUES (?, ?, ?, ?, ?)")?
        .execute(params![first, last, at, crc, &part.frames[..]])?;
    row_summary::write(connection, part)
}

/// Removes the oldest rows above the bounds, at most [`MAX_REMOVED`] and twice `added`.
fn remove(
    transaction: &Transaction<'_>,
    state: &mut State,
    bounds: Bounds,
    added: usize,
) -> rusqlite::Result<()> {
    if !bounds.exclude(state, state.trimmed.next()) {
        return Ok(());
    }
    let mut query = transaction
        .prepare_cached("SELECT last, length(frames) FROM journal ORDER BY first LIMIT ?")?;
    let limit = i64::try_from(MAX_REMOVED + 2 * added).unwrap_or(i64::MAX);
    let mut rows = query.query([limit])?;
    let before = state.trimmed;
    while let Some(row) = rows.next()? {
        let last = Seq(row.get(0)?);
        if !bounds.exclude(state, last) {
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
        row_summary::remove(transaction, state.trimmed)?;
    }
    Ok(())
}

/// Writes the rows of a new stream with this name: its state, and its first term.
pub(super) fn write_new_stream(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    write_state(connection, &State::new(name))?;
    Terms::single().write(connection)
}

/// Writes the only row of the table `stream`.
pub(super) fn write_state(connection: &Connection, state: &State) -> rusqlite::Result<()> {
    let crc = state_crc(&state.stream, state.head, state.trimmed);
    let (head, trimmed) = (stored(state.head.0), stored(state.trimmed.0));
    connection
        .prepare_cached("INSERT OR REPLACE INTO stream VALUES (1, ?, ?, ?, ?)")?
        .execute(params![state.stream, head, trimmed, crc])
        .map(drop)
}

/// Returns the bytes that retention counts for a row with `length` bytes of frames.
pub(super) fn cost(length: u64) -> u64 {
    length + ROW_OVERHEAD
}

/// Computes the checksum of a row of `journal`: its numbers, then its frames.
pub(super) fn part_crc(first: Seq, last: Seq, stamp: Millis, frames: &[u8]) -> u32 {
    let numbers = Crc::default()
        .number(first.0)
        .number(last.0)
        .number(stamp.0);
    numbers.bytes(frames).finish()
}

/// Computes the checksum of the row of `stream`: its two numbers, then the name.
pub(super) fn state_crc(stream: &str, head: Seq, trimmed: Seq) -> u32 {
    let numbers = Crc::default().number(head.0).number(trimmed.0);
    numbers.bytes(stream.as_bytes()).finish()
}
