//! Writes the rows of an imported journal to an unfinished database.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use rusqlite::Connection;

use super::StoreError;
use super::backup::CopyError;
use super::journal::{State, insert, write_state};
use super::journal_row::JournalRow;
use super::kept::{self, KeptChanges};
use super::open::open_for_writing;
use super::row_routes::routes_of;
use super::schema;
use crate::wire::{Millis, Seq, ServerFrame, cbor};

/// The most bytes of frames in a row, or one frame if it is longer, as the server writes them.
const ROW: usize = 128 << 10;

/// The rows of an import. Their file is discarded unless [`ImportRows::finish`] succeeds.
#[derive(Debug)]
pub(super) struct ImportRows {
    path: PathBuf,
    connection: Connection,
    first: Seq,
    last: Seq,
    /// The seq of the next broadcast.
    next: Seq,
    /// The seq of the last kept value; [`Seq::ZERO`] before the first.
    kept: Seq,
    /// The frames of the next row, the seq of the first and the time of the last of them.
    frames: Vec<u8>,
    row_first: Seq,
    at: Millis,
}

impl ImportRows {
    /// Creates the tables in the empty file `path`, for the broadcasts `first` to `last`.
    ///
    /// # Errors
    /// The seqs are out of their range, or see [`StoreError`].
    pub(super) fn create(path: &Path, first: Seq, last: Seq) -> Result<ImportRows, CopyError> {
        // SQLite's integers end there.
        let is_range = first > Seq::ZERO && last.0 < i64::MAX.unsigned_abs();
        if !is_range || last.0 < first.0 - 1 {
            return Err(bad(format!("{first} to {last} is not a range of seqs")));
        }
        let connection = create_tables(path).map_err(|error| StoreError::sqlite(path, error))?;
        Ok(ImportRows {
            path: path.to_owned(),
            connection,
            first,
            last,
            next: first,
            kept: Seq::ZERO,
            frames: Vec::new(),
            row_first: first,
            at: Millis(0),
        })
    }

    /// See `JournalImport::keep`.
    pub(super) fn keep(&mut self, frame: &ServerFrame<'_>) -> Result<(), CopyError> {
        let ServerFrame::Message(message) = frame else {
            return Err(bad("a kept value is a message"));
        };
        let (seq, before) = (message.seq, self.kept);
        let is_value = message.keep && message.topic.is_some() && message.to.is_none();
        if !is_value || message.body.as_text() == Some("") {
            return Err(bad("a kept value has keep, a topic and a body, and no to"));
        }
        if self.next != self.first {
            return Err(bad("a kept value comes before the broadcasts"));
        }
        if seq <= before || seq >= self.first {
            let first = self.first;
            let problem = format!("its seq {seq} is not between {before} and {first}");
            return Err(bad(problem));
        }
        self.kept = seq;
        let mut bytes = Vec::new();
        cbor::encode_server(frame, &mut bytes);
        let row = row(seq, seq, bytes);
        self.write_kept(&row)?;
        Ok(())
    }

    /// See `JournalImport::append`.
    pub(super) fn append(&mut self, frame: &ServerFrame<'_>) -> Result<(), CopyError> {
        let (seq, at) = match frame {
            ServerFrame::Message(message) => (message.seq, message.at),
            ServerFrame::Joined(user) | ServerFrame::Left(user) => (user.seq, user.at),
            _ => return Err(bad("it is no broadcast")),
        };
        if seq != self.next {
            return Err(bad(format!("it has seq {seq}, and {} is next", self.next)));
        }
        if seq > self.last {
            let problem = format!("its seq {seq} is above {}, the header's last", self.last);
            return Err(bad(problem));
        }
        if at.0 > i64::MAX.unsigned_abs() {
            return Err(bad("its time is out of range"));
        }
        let before = self.frames.len();
        cbor::encode_server(frame, &mut self.frames);
        if before > 0 && self.frames.len() > ROW {
            let newest = self.frames.split_off(before);
            self.write_row()?;
            self.frames = newest;
        }
        (self.next, self.at) = (seq.next(), at);
        Ok(())
    }

    /// Writes the stream's row with this name, and commits.
    ///
    /// # Errors
    /// [`CopyError::BadImport`] if broadcasts are missing. Or see [`StoreError`].
    pub(super) fn finish(mut self, stream: &str) -> Result<(), CopyError> {
        if self.next != self.last.next() {
            let problem = format!(
                "the broadcasts from seq {} to {} are missing",
                self.next, self.last
            );
            return Err(bad(problem));
        }
        self.write_row()?;
        let state = State {
            head: self.last,
            trimmed: Seq(self.first.0 - 1),
            ..State::new(stream)
        };
        let failed = |error| StoreError::sqlite(&self.path, error);
        write_state(&self.connection, &state).map_err(failed)?;
        self.connection.execute_batch("COMMIT").map_err(failed)?;
        self.connection
            .close()
            .map_err(|(_, error)| StoreError::sqlite(&self.path, error).into())
    }

    /// Writes the gathered frames as a row.
    fn write_row(&mut self) -> Result<(), StoreError> {
        let frames = std::mem::take(&mut self.frames);
        if frames.is_empty() {
            return Ok(());
        }
        let row = row(self.row_first, Seq(self.next.0 - 1), frames);
        self.row_first = self.next;
        let failed = |error| StoreError::sqlite(&self.path, error);
        insert(&self.connection, &row, self.at).map_err(failed)?;
        self.write_kept(&row)
    }

    /// Writes the values that topics keep of a row.
    fn write_kept(&self, row: &JournalRow) -> Result<(), StoreError> {
        let changes = KeptChanges::of(std::slice::from_ref(row));
        kept::write(&self.connection, &changes)
            .map_err(|error| StoreError::sqlite(&self.path, error))
    }
}

/// Creates the tables, and begins the transaction of the rows. The file is of no use before it is
/// finished, so nothing is synced and no rollback is prepared.
fn create_tables(path: &Path) -> rusqlite::Result<Connection> {
    let mut connection = open_for_writing(path)?;
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    let transaction = connection.transaction()?;
    schema::prepare(&transaction)?;
    transaction.commit()?;
    connection.execute_batch("BEGIN")?;
    Ok(connection)
}

fn row(first: Seq, last: Seq, frames: Vec<u8>) -> JournalRow {
    JournalRow {
        first,
        last,
        routes: routes_of(&frames),
        frames: Bytes::from(frames),
    }
}

fn bad(problem: impl Into<String>) -> CopyError {
    CopyError::BadImport(problem.into())
}
