//! Reads the journal.
//!
//! Each read is short and runs on a blocking thread, with a read-only connection. So it never
//! delays the writer, and a checkpoint can empty the write-ahead log between two reads.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, Row};
use tokio::sync::Semaphore;

use super::database_files::DatabaseFiles;
use super::integer::stored;
use super::journal::part_crc;
use super::journal_row::frame_length;
use super::row_summary::InvalidSummary;
use super::{Db, StoreError, WaitLimit};
use crate::wire::{Millis, Seq};

/// The most concurrent reads; further reads wait in order.
const MAX_CONCURRENT: usize = 2;

/// Whole frames of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalChunk {
    /// The first frame's seq.
    pub first: Seq,
    /// The last frame's seq.
    pub last: Seq,
    /// The frames.
    pub frames: Bytes,
}

/// Reads the journal for any number of sessions.
#[derive(Debug)]
pub struct JournalReaders {
    path: PathBuf,
    files: Option<Arc<DatabaseFiles>>,
    limit: WaitLimit,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
    #[cfg(test)]
    searched_rows: std::sync::atomic::AtomicU64,
}

impl JournalReaders {
    /// Creates readers of the database that `db` has open. They share its [`WaitLimit`].
    pub fn new(db: &Db) -> Arc<JournalReaders> {
        Arc::new(JournalReaders {
            path: db.path().to_owned(),
            files: db.files(),
            limit: db.limit().clone(),
            permits: Arc::new(Semaphore::new(MAX_CONCURRENT)),
            idle: Mutex::default(),
            #[cfg(test)]
            searched_rows: Default::default(),
        })
    }

    /// Reads the oldest frames after `after`: whole rows until there are `bytes` of them, at
    /// least one row. Returns `None` if there are none.
    ///
    /// Cancel safe. A read that has begun is completed on its thread, and its result dropped.
    ///
    /// # Errors
    /// The journal cannot be read, or is damaged there.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn read(
        self: Arc<Self>,
        after: Seq,
        bytes: usize,
    ) -> Result<Option<JournalChunk>, StoreError> {
        self.ask(move |connection| read_chunk(connection, after, bytes))
            .await
    }

    /// Runs a short query on a blocking thread, once fewer than [`MAX_CONCURRENT`] run.
    pub(super) async fn ask<T: Send + 'static>(
        self: Arc<Self>,
        query: impl FnOnce(&Connection) -> rusqlite::Result<Result<T, DamagedRow>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permits = Arc::clone(&self.permits);
        let permit = permits.acquire_owned().await;
        let permit = permit.expect("the semaphore is never closed");
        let path = self.path.clone();
        let read = tokio::task::spawn_blocking(move || {
            let _permit = permit; // held until the read ends, even if the caller has gone
            self.ask_now(query)
        });
        read.await.unwrap_or_else(|_| {
            let reason = "a reader of the journal panicked".to_owned();
            Err(StoreError::Damaged { path, reason })
        })
    }

    /// Returns the bytes of the frames above each of these seqs that are still there. A row that has
    /// one of them in its midst counts in proportion.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    /// The journal cannot be read.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn bytes_above(self: Arc<Self>, seqs: Vec<Seq>) -> Result<Vec<u64>, StoreError> {
        self.ask(move |connection| bytes_above(connection, &seqs).map(Ok))
            .await
    }

    /// Closes the idle connections.
    pub fn close(&self) {
        self.idle.lock().clear();
    }

    /// Fails if the path names another database now, which has another history.
    fn check_location(&self) -> Result<(), StoreError> {
        match self.files.as_ref().and_then(|files| files.moved()) {
            Some(path) => Err(StoreError::Moved(path.to_owned())),
            None => Ok(()),
        }
    }

    fn ask_now<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<Result<T, DamagedRow>>,
    ) -> Result<T, StoreError> {
        let failed = |error| StoreError::sqlite(&self.path, error);
        let idle = self.idle.lock().pop();
        self.limit.enter();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let connection = open(&self.path, &self.limit).map_err(failed)?;
                self.check_location()?;
                connection
            }
        };
        let outcome = query(&connection).map_err(failed)?;
        self.idle.lock().push(connection);
        outcome.map_err(|damaged| StoreError::Damaged {
            path: self.path.clone(),
            reason: damaged.to_string(),
        })
    }

    /// Counts rows whose frames were read for a search.
    #[cfg(test)]
    pub(super) fn count_rows(&self, rows: u64) {
        self.searched_rows
            .fetch_add(rows, std::sync::atomic::Ordering::Relaxed);
    }

    /// Returns the count of rows whose frames were read for searches.
    #[cfg(test)]
    pub fn searched_rows(&self) -> u64 {
        self.searched_rows
            .load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// A row that was damaged since the server has checked it.
#[derive(Debug, thiserror::Error)]
pub(super) enum DamagedRow {
    #[error("the checksum of the journal's row of seq {0} is wrong")]
    Frames(Seq),
    #[error(transparent)]
    Summary(#[from] InvalidSummary),
}

/// A row of the journal; its frames are borrowed from SQLite.
pub(super) struct RawRow<'a> {
    pub(super) first: Seq,
    pub(super) last: Seq,
    pub(super) frames: &'a [u8],
}

impl<'a> RawRow<'a> {
    /// Reads the columns `first`, `last`, `time`, `crc` and `frames`, and checks the checksum.
    pub(super) fn read(row: &'a Row<'_>) -> rusqlite::Result<Result<RawRow<'a>, DamagedRow>> {
        let (first, last) = (Seq(row.get(0)?), Seq(row.get(1)?));
        let frames = row.get_ref(4)?.as_blob().unwrap_or_default();
        if row.get::<_, u32>(3)? != part_crc(first, last, Millis(row.get(2)?), frames) {
            return Ok(Err(DamagedRow::Frames(first)));
        }
        Ok(Ok(RawRow {
            first,
            last,
            frames,
        }))
    }
}

fn open(path: &Path, limit: &WaitLimit) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    limit.install(&mut connection)?;
    Ok(connection)
}

/// Reads the oldest frames after `after`, as [`JournalReaders::read`] does.
pub(super) fn read_chunk(
    connection: &Connection,
    after: Seq,
    bytes: usize,
) -> rusqlite::Result<Result<Option<JournalChunk>, DamagedRow>> {
    let mut chunk = ChunkBuilder::default();
    let outcome = rows(connection, after, bytes, &mut chunk)?;
    Ok(outcome.map(|()| chunk.behind(after)))
}

/// Reads rows, beginning with the one that has the seq after `after`.
fn rows(
    connection: &Connection,
    after: Seq,
    bytes: usize,
    chunk: &mut ChunkBuilder,
) -> rusqlite::Result<Result<(), DamagedRow>> {
    let mut query = connection.prepare_cached(
        "SELECT first, last, time, crc, frames FROM journal
         WHERE first >= coalesce((SELECT max(first) FROM journal WHERE first <= ?1), 0)
           AND last >= ?1
         ORDER BY first",
    )?;
    let mut rows = query.query([stored(after.next().0)])?;
    while chunk.frames.len() < bytes
        && let Some(row) = rows.next()?
    {
        match RawRow::read(row)? {
            Ok(row) => chunk.add(&row),
            Err(damaged) => return Ok(Err(damaged)),
        }
    }
    Ok(Ok(()))
}

/// Returns the bytes above each seq, in one pass from the newest row down.
fn bytes_above(connection: &Connection, seqs: &[Seq]) -> rusqlite::Result<Vec<u64>> {
    let mut order: Vec<usize> = (0..seqs.len()).collect();
    order.sort_unstable_by_key(|index| std::cmp::Reverse(seqs[*index]));
    let lowest = seqs.iter().min().map_or(0, |seq| stored(seq.0));
    let mut query = connection.prepare_cached(
        "SELECT first, last, length(frames) FROM journal WHERE last > ? ORDER BY first DESC",
    )?;
    let mut rows = query.query([lowest])?;
    let (mut above, mut next) = (vec![0; seqs.len()], 0);
    let mut total = 0;
    while let Some(row) = rows.next()? {
        let (first, last, length) = (Seq(row.get(0)?), Seq(row.get(1)?), row.get::<_, u64>(2)?);
        while next < order.len() && seqs[order[next]] >= last {
            above[order[next]] = total;
            next += 1;
        }
        while next < order.len() && seqs[order[next]] >= first {
            let (count, part) = (last.0 - first.0 + 1, last.0 - seqs[order[next]].0);
            above[order[next]] = total + length / count * part;
            next += 1;
        }
        total += length;
    }
    for index in &order[next..] {
        above[*index] = total;
    }
    Ok(above)
}

#[derive(Default)]
struct ChunkBuilder {
    range: Option<(Seq, Seq)>,
    frames: BytesMut,
}

impl ChunkBuilder {
    fn add(&mut self, row: &RawRow<'_>) {
        let (from, _) = self.range.unwrap_or((row.first, row.last));
        self.range = Some((from, row.last));
        self.frames.extend_from_slice(row.frames);
    }

    /// Returns the frames after `after`.
    fn behind(self, after: Seq) -> Option<JournalChunk> {
        let (mut first, last) = self.range?;
        let frames = self.frames.freeze();
        let mut at = 0;
        while first <= after {
            at += frame_length(&frames[at..]).expect("a checked row has whole frames");
            first = first.next();
        }
        let frames = frames.slice(at..);
        Some(JournalChunk {
            first,
            last,
            frames,
        })
    }
}
