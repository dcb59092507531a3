//! Reads a whole journal, or a part of it, as it is at one moment.
//!
//! All rows are read in one read transaction, some at a time. So the memory is bounded, and what
//! the server publishes or removes meanwhile makes no difference. The transaction delays the
//! checkpoint: the write-ahead log grows while an export is written.

use std::path::Path;

use super::StoreError;
use super::check::read_state;
use super::faults::joined;
use super::journal::state_crc;
use super::journal_reader::{JournalChunk, read_chunk};
use super::kept::KeptCheck;
use super::snapshot::{LostLog, Snapshot};
use crate::wire::{Decoded, Seq, ServerFrame, cbor};

/// The bytes of frames that are read at a time, or one row if it is longer.
const PAGE: usize = 256 << 10;

/// A journal that is open to be exported.
#[derive(Debug)]
pub struct JournalExport {
    snapshot: Snapshot,
    stream: String,
    /// The oldest seq that retention keeps.
    first: Seq,
    head: Seq,
}

impl JournalExport {
    /// Opens the database at `path`. A server may be running on it.
    ///
    /// # Errors
    /// The database has no journal, or see [`StoreError`].
    pub fn open(path: &Path) -> Result<JournalExport, StoreError> {
        let mut snapshot = Snapshot::open(path, LostLog::Refused)?;
        snapshot.begin()?;
        let db = snapshot.db();
        let Some((state, crc)) = db.run(|connection| read_state(connection))? else {
            return Err(StoreError::NoDatabase {
                path: path.to_owned(),
                problem: "has no journal: no server has been started on it with --journal"
                    .to_owned(),
            });
        };
        if crc != state_crc(&state.stream, state.head, state.trimmed) {
            return Err(db.damaged("the checksum of the stream's row is wrong"));
        }
        Ok(JournalExport {
            snapshot,
            stream: state.stream,
            first: state.trimmed.next(),
            head: state.head,
        })
    }

    /// Returns the stream's name.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// Returns the oldest seq that the journal has; one more than [`JournalExport::head`] if it has
    /// none.
    pub fn first(&self) -> Seq {
        self.first
    }

    /// Returns the newest seq.
    pub fn head(&self) -> Seq {
        self.head
    }

    /// Passes the kept values whose messages have a seq below `first` and up to `to` to `visit`, in
    /// the order of their seqs: of the messages that topics keep, those that are not among the
    /// broadcasts from `first` on.
    ///
    /// # Errors
    /// Those of `visit`, or see [`StoreError`].
    pub fn kept_below<E: From<StoreError>>(
        &mut self,
        first: Seq,
        mut visit: impl FnMut(&ServerFrame<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let head = self.head;
        let db = self.snapshot.db();
        let read = joined(KeptCheck::begin(db.connection(), head));
        let kept = read.map_err(|error| db.check_failed(error))?;
        for frame in kept.finish() {
            let (frame, seq, _) =
                decode(&frame).ok_or_else(|| db.damaged("a kept value is no message"))?;
            if seq < first {
                visit(&frame)?;
            }
        }
        Ok(())
    }

    /// Passes the broadcasts `first` to `last`, which the journal must have, to `visit`.
    ///
    /// # Errors
    /// Those of `visit`. The journal is damaged, or see [`StoreError`].
    pub fn broadcasts<E: From<StoreError>>(
        &mut self,
        first: Seq,
        last: Seq,
        mut visit: impl FnMut(&ServerFrame<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut next = first;
        while next <= last {
            let chunk = self.chunk(next)?;
            let mut frames = &chunk.frames[..];
            while !frames.is_empty() && next <= last {
                let Some((frame, seq, length)) = decode(frames).filter(|(_, seq, _)| *seq == next)
                else {
                    return Err(self.gap(next).into());
                };
                visit(&frame)?;
                debug_assert_eq!(seq, next);
                (frames, next) = (&frames[length..], next.next());
            }
        }
        Ok(())
    }

    /// Ends the export.
    ///
    /// # Errors
    /// [`StoreError::Changed`] if a server has begun to use the database; then an export without a
    /// running server may be wrong.
    pub fn finish(self) -> Result<(), StoreError> {
        self.snapshot.check_unchanged()
    }

    /// Reads frames, the first of which has the seq `next`.
    fn chunk(&mut self, next: Seq) -> Result<JournalChunk, StoreError> {
        let db = self.snapshot.db();
        let after = Seq(next.0.saturating_sub(1));
        let read = db.run(|connection| read_chunk(connection, after, PAGE))?;
        let chunk = read.map_err(|error| db.damaged(error.to_string()))?;
        match chunk.filter(|chunk| chunk.first == next) {
            Some(chunk) => Ok(chunk),
            None => Err(self.gap(next)),
        }
    }

    fn gap(&mut self, next: Seq) -> StoreError {
        let reason = format!("the journal lacks the broadcast of seq {next}");
        self.snapshot.db().damaged(reason)
    }
}

/// Decodes the first frame. Returns it with its seq and its length; `None` if it is no broadcast.
fn decode(frames: &[u8]) -> Option<(ServerFrame<'_>, Seq, usize)> {
    let Ok(Decoded::Frame(frame, length)) = cbor::decode_server(frames, usize::MAX) else {
        return None;
    };
    let seq = match &frame {
        ServerFrame::Message(message) => message.seq,
        ServerFrame::Joined(user) | ServerFrame::Left(user) => user.seq,
        _ => return None,
    };
    Some((frame, seq, length))
}
